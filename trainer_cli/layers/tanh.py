"""The hyperbolic tangent layer."""

from __future__ import annotations

from trainer_cli.arrays import Array
from trainer_cli.initializers import Initializer, glorot_uniform_init, zero_init
from trainer_cli.layers.dense import affine, dense
from trainer_cli.layers.dropout import checked
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule


@registry.layers("Tanh.v1")
def Tanh(
    nO: int | None = None,
    nI: int | None = None,
    *,
    init_W: Initializer = glorot_uniform_init,
    init_b: Initializer = zero_init,
    dropout: float | Schedule | None = None,
    normalize: bool = False,
) -> Model:
    """The hyperbolic tangent of an affine layer: `Y = tanh(X @ W.T + b)`.

    X is (B, nI), Y is (B, nO); W is (nO, nI), b is (nO,). Sizes left out are inferred from data. `normalize` puts
    a LayerNorm behind the activation, `dropout` drops outputs in training.
    LeCun, Bottou, Orr and Müller, "Efficient BackProp" (1998). Thinc has no such layer; the arguments are Relu's.
    """
    return dense(
        "Tanh.v1", forward, init_W, init_b, {"nO": nO, "nI": nI}, normalize=normalize, dropout=checked(dropout)
    )


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    return affine(model, X, is_train, model.ops.tanh, model.ops.backprop_tanh)
