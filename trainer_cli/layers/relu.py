"""The rectified linear layer."""

from __future__ import annotations

from trainer_cli.arrays import Array
from trainer_cli.initializers import Initializer, glorot_uniform_init, zero_init
from trainer_cli.layers.dense import affine, dense
from trainer_cli.layers.dropout import checked
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule


@registry.layers("Relu.v1")
def Relu(
    nO: int | None = None,
    nI: int | None = None,
    *,
    init_W: Initializer = glorot_uniform_init,
    init_b: Initializer = zero_init,
    dropout: float | Schedule | None = None,
    normalize: bool = False,
) -> Model:
    """The positive part of an affine layer: `Y = max(0, X @ W.T + b)`.

    X is (B, nI), Y is (B, nO); W is (nO, nI), b is (nO,). Sizes left out are inferred from data. `normalize` puts
    a LayerNorm behind the activation, `dropout` drops outputs in training.
    Nair and Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines" (ICML 2010).
    """
    return dense(
        "Relu.v1", forward, init_W, init_b, {"nO": nO, "nI": nI}, normalize=normalize, dropout=checked(dropout)
    )


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    return affine(model, X, is_train, model.ops.relu, model.ops.backprop_relu)
