"""The affine layer."""

from __future__ import annotations

from functools import partial

from trainer_cli.arrays import Array
from trainer_cli.initializers import Initializer, glorot_uniform_init, zero_init
from trainer_cli.model import Backprop, Model, width
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
    return Model(
        "linear",
        forward,
        init=partial(init, init_W, init_b),
        dims={"nO": nO, "nI": nI},
        params=("W", "b"),
        no_decay=("b",),
    )


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    Y = model.ops.affine(X, model.W, model.b)
    input_gradient = model.input_gradient

    def backprop(dY: Array) -> Array | None:
        model.grad.b += dY.sum(axis=0)
        model.ops.gemm(dY, X, trans1=True, add_to=model.grad.W)
        return model.ops.gemm(dY, model.W) if input_gradient else None

    return Y, backprop


def init(init_W: Initializer, init_b: Initializer, model: Model, X: Array | None, Y: Array | None) -> None:
    if X is not None:
        model.set_dim("nI", width(X))
    if Y is not None:
        model.set_dim("nO", width(Y))
    model.draw("W", init_W, (model.get_dim("nO"), model.get_dim("nI")))
    model.draw("b", init_b, (model.get_dim("nO"),))
