"""The maxout layer."""

from __future__ import annotations

from trainer_cli.arrays import Array
from trainer_cli.initializers import Initializer, glorot_uniform_init, zero_init
from trainer_cli.layers.dense import affine, dense
from trainer_cli.layers.dropout import checked
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule


@registry.layers("Maxout.v1")
def Maxout(
    nO: int | None = None,
    nI: int | None = None,
    nP: int = 3,
    *,
    init_W: Initializer = glorot_uniform_init,
    init_b: Initializer = zero_init,
    dropout: float | Schedule | None = None,
    normalize: bool = False,
) -> Model:
    """The largest of `nP` affine pieces for each output: `Y = max over p of X @ W[:, p].T + b[:, p]`.

    X is (B, nI), Y is (B, nO); W is (nO, nP, nI), b is (nO, nP). Sizes left out are inferred from data. `normalize`
    puts a LayerNorm behind the maximum, `dropout` drops outputs in training. Of equal pieces the first gets the
    gradient. Goodfellow et al., "Maxout Networks" (ICML 2013), arXiv:1302.4389.
    """
    return dense(
        "Maxout.v1",
        forward,
        init_W,
        init_b,
        {"nO": nO, "nI": nI, "nP": nP},
        normalize=normalize,
        dropout=checked(dropout),
    )


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    return affine(model, X, is_train, model.ops.maxout, model.ops.backprop_maxout)
