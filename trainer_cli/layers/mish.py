"""The mish layer."""

from __future__ import annotations

from trainer_cli.arrays import Array
from trainer_cli.initializers import Initializer, glorot_uniform_init, zero_init
from trainer_cli.layers.dense import affine, dense
from trainer_cli.layers.dropout import checked
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule


@registry.layers("Mish.v1")
def Mish(
    nO: int | None = None,
    nI: int | None = None,
    *,
    init_W: Initializer = glorot_uniform_init,
    init_b: Initializer = zero_init,
    dropout: float | Schedule | None = None,
    normalize: bool = False,
) -> Model:
    """An affine layer weighted by the tanh of its softplus: `Y = Z * tanh(log(1 + exp(Z)))`, `Z = X @ W.T + b`.

    X is (B, nI), Y is (B, nO); W is (nO, nI), b is (nO,). Sizes left out are inferred from data. `normalize` puts
    a LayerNorm behind the activation, `dropout` drops outputs in training.
    Misra, "Mish: A Self Regularized Non-Monotonic Activation Function" (2019), arXiv:1908.08681.
    """
    return dense(
        "Mish.v1", forward, init_W, init_b, {"nO": nO, "nI": nI}, normalize=normalize, dropout=checked(dropout)
    )


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    return affine(model, X, is_train, model.ops.mish, model.ops.backprop_mish)
