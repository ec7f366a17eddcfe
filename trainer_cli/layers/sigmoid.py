"""The logistic layer."""

from __future__ import annotations

from trainer_cli.arrays import Array
from trainer_cli.initializers import Initializer, zero_init
from trainer_cli.layers.dense import affine, dense
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry


@registry.layers("Sigmoid.v1")
def Sigmoid(
    nO: int | None = None,
    nI: int | None = None,
    *,
    init_W: Initializer = zero_init,
    init_b: Initializer = zero_init,
) -> Model:
    """The logistic function of an affine layer: `Y = 1 / (1 + exp(-(X @ W.T + b)))`.

    X is (B, nI), Y is (B, nO); W is (nO, nI), b is (nO,). Sizes left out are inferred from data.
    Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors" (Nature, 1986).
    """
    return dense("Sigmoid.v1", forward, init_W, init_b, {"nO": nO, "nI": nI}, output="sigmoid")


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    return affine(model, X, is_train, model.ops.sigmoid, model.ops.backprop_sigmoid)
