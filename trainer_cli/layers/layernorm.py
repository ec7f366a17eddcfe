"""Layer normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.initializers import Generators, zero_init
from trainer_cli.layers.inputs import as_gradient, as_rows, sizes
from trainer_cli.layers.rowwise import rowwise, rowwise_init
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry


@registry.layers("LayerNorm.v1")
def LayerNorm(nI: int | None = None) -> Model:
    """Give each row mean 0 and variance 1, then scale and shift: `Y = (X - mean) / sqrt(var + 1e-8) * G + b`.

    X and Y are (B, nI), G (ones at first) and b (zeros) are (nI,). Ba, Kiros and Hinton, "Layer Normalization" (2016),
    arXiv:1607.06450.
    """
    return Model(
        "layernorm",
        rowwise(forward),
        init=rowwise_init(init),
        dims=sizes("LayerNorm.v1", nI=nI),
        params=("G", "b"),
        no_decay=("G", "b"),
        attrs={"layer": "LayerNorm.v1"},
    )


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    Y, kept = model.ops.layernorm(as_rows(model, X), model.get_param("G"), model.b)

    def backprop(dY: Array) -> Array:
        dY = as_gradient(model, dY, Y)
        return model.ops.backprop_layernorm(dY, kept, model.G, model.grad.G, model.grad.b)

    return Y, backprop


def init(model: Model, X: Any, Y: Any) -> None:
    if X is not None:
        model.set_dim("nI", as_rows(model, X).shape[1])
    shape = (model.get_dim("nI"),)
    model.draw("G", ones, shape)
    model.draw("b", zero_init, shape)


def ones(ops: Generators, shape: tuple[int, ...], *, generator: np.random.Generator | None = None) -> Array:
    return np.ones(shape, dtype=np.float32)
