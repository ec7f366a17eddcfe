"""What layers share that apply a function to each number and have no weights."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, Literal

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.layers.inputs import as_floats, as_gradient, expect_floats
from trainer_cli.layers.rowwise import rowwise, rowwise_init
from trainer_cli.model import Backprop, Model

Function = Literal["relu", "sigmoid"]


def activation(layer: str, function: Function, **attrs: Any) -> Model:
    """A model called `layer` (its name in the registry) that gives `function` of each number, by the kernels of ops."""
    name = layer.partition(".")[0].lower()
    apply = rowwise(partial(forward, function))
    return Model(name, apply, init=rowwise_init(expect_floats), attrs={"layer": layer, **attrs})


def forward(function: Function, model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    X = as_floats(model, X)
    rows = (len(X), math.prod(X.shape[1:]))
    zeros = np.zeros(rows[1], X.dtype)
    Y, kept = getattr(model.ops, function)(X.reshape(rows).copy(), zeros)

    def backprop(dY: Any) -> Array:
        dY = as_gradient(model, dY, X).reshape(rows)
        dX: Array = getattr(model.ops, f"backprop_{function}")(dY, kept, np.empty_like(zeros))
        return dX.reshape(X.shape)

    return Y.reshape(X.shape), backprop
