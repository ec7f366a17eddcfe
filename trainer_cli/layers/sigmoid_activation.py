"""The logistic function without weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.layers.inputs import as_floats, as_gradient
from trainer_cli.layers.rowwise import rowwise, rowwise_init
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry


@registry.layers("sigmoid_activation.v1")
def sigmoid_activation() -> Model:
    """The logistic function of each number: `Y = 1 / (1 + exp(-X))`; X and Y are (B, ...)."""
    return activation("sigmoid_activation")


@registry.layers("Logistic.v1")
def Logistic() -> Model:
    """The same as `sigmoid_activation.v1`, under the name that Thinc had for it at first."""
    return activation("Logistic")


def activation(name: str) -> Model:
    attrs = {"layer": f"{name}.v1", "output": "sigmoid"}
    return Model(name.lower(), rowwise(forward), init=rowwise_init(init), attrs=attrs)


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    X = as_floats(model, X)
    rows = (len(X), math.prod(X.shape[1:]))
    zeros = np.zeros(rows[1], X.dtype)
    Y, kept = model.ops.sigmoid(X.reshape(rows).copy(), zeros)

    def backprop(dY: Any) -> Array:
        dY = as_gradient(model, dY, X).reshape(rows)
        return model.ops.backprop_sigmoid(dY, kept, np.empty_like(zeros)).reshape(X.shape)

    return Y.reshape(X.shape), backprop


def init(model: Model, X: Any, Y: Any) -> None:
    if X is not None:
        as_floats(model, X)
