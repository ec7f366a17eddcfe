"""The dish layer."""

from __future__ import annotations

from trainer_cli.arrays import Array
from trainer_cli.initializers import Initializer, he_normal_init, zero_init
from trainer_cli.layers.dense import affine, dense
from trainer_cli.layers.dropout import checked
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule


@registry.layers("Dish.v1")
def Dish(
    nO: int | None = None,
    nI: int | None = None,
    *,
    init_W: Initializer = he_normal_init,
    init_b: Initializer = zero_init,
    dropout: float | Schedule | None = None,
    normalize: bool = False,
) -> Model:
    """An affine layer weighted by an algebraic sigmoid: `Y = Z / 2 * (1 + Z / sqrt(1 + Z^2))`, `Z = X @ W.T + b`.

    X is (B, nI), Y is (B, nO); W is (nO, nI), b is (nO,). Sizes left out are inferred from data. `normalize` puts
    a LayerNorm behind the activation, `dropout` drops outputs in training.
    Much like swish, without an exponential. It comes from Thinc 8.1 (2022), whose layer takes the slope at X where it
    should be at Z; here the gradient is that of the formula.
    """
    return dense(
        "Dish.v1", forward, init_W, init_b, {"nO": nO, "nI": nI}, normalize=normalize, dropout=checked(dropout)
    )


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    return affine(model, X, is_train, model.ops.dish, model.ops.backprop_dish)
