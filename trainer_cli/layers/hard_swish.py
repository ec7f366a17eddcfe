"""The hard swish layer."""

from __future__ import annotations

from functools import partial

from trainer_cli.arrays import Array
from trainer_cli.initializers import Initializer, he_normal_init, zero_init
from trainer_cli.layers.dense import affine, dense
from trainer_cli.layers.dropout import checked
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule


@registry.layers("HardSwish.v1")
def HardSwish(
    nO: int | None = None,
    nI: int | None = None,
    *,
    init_W: Initializer = he_normal_init,
    init_b: Initializer = zero_init,
    dropout: float | Schedule | None = None,
    normalize: bool = False,
) -> Model:
    """Swish in straight lines: `Y = Z * min(1, max(0, 0.2 * Z + 0.5))`, `Z = X @ W.T + b`.

    X is (B, nI), Y is (B, nO); W is (nO, nI), b is (nO,). Sizes left out are inferred from data. `normalize` puts
    a LayerNorm behind the activation, `dropout` drops outputs in training.
    Avenash and Viswanath, "Semantic Segmentation of Satellite Images using a Modified CNN with Hard-Swish Activation
    Function" (VISAPP 2019).
    """
    return dense(
        "HardSwish.v1",
        forward,
        init_W,
        init_b,
        {"nO": nO, "nI": nI},
        normalize=normalize,
        dropout=checked(dropout),
        slope=0.2,
    )


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    """`Y = Z * min(1, max(0, slope * Z + 1/2))` with the slope in the layer's attributes."""
    slope, ops = model.attrs["slope"], model.ops
    return affine(
        model, X, is_train, partial(ops.hard_swish, slope=slope), partial(ops.backprop_hard_swish, slope=slope)
    )
