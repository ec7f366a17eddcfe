"""The affine layer."""

from __future__ import annotations

from trainer_cli.arrays import Array
from trainer_cli.initializers import Initializer, glorot_uniform_init, zero_init
from trainer_cli.layers.dense import affine, dense
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry


@registry.layers("Linear.v1")
def Linear(
    nO: int | None = None,
    nI: int | None = None,
    *,
    init_W: Initializer = glorot_uniform_init,
    init_b: Initializer = zero_init,
) -> Model:
    """Multiply by a weight matrix and add a bias: `Y = X @ W.T + b`.

    X is (B, nI), Y is (B, nO); W is (nO, nI), b is (nO,). Sizes left out are inferred from data.
    """
    return dense("Linear.v1", forward, init_W, init_b, {"nO": nO, "nI": nI})


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    return affine(model, X, is_train, model.ops.bias, model.ops.backprop_bias)
