"""Softmax without weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ShapeError
from trainer_cli.layers.inputs import as_gradient, as_rows, describe, kind
from trainer_cli.layers.rowwise import rowwise, rowwise_init
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry


@registry.layers("softmax_activation.v1")
def softmax_activation() -> Model:
    """Probabilities from logits: `Y = exp(X) / sum(exp(X))` over each row; X and Y are (B, n).

    Unlike in `Softmax.v1` backprop takes the gradient of the probabilities themselves,
    `dX = Y * (dY - sum(dY * Y))`, so it belongs before any loss but a cross-entropy, whose gradient is the logits'.
    """
    return Model(
        "softmax_activation",
        rowwise(forward),
        init=rowwise_init(init),
        attrs={"layer": "softmax_activation.v1", "output": "softmax_activation"},
    )


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    X = logits(model, X)
    Y = model.ops.softmax(X.copy(), np.zeros(X.shape[1], X.dtype))[0]

    def backprop(dY: Any) -> Array:
        return model.ops.backprop_softmax(as_gradient(model, dY, Y), Y)

    return Y, backprop


def init(model: Model, X: Any, Y: Any) -> None:
    if X is not None:
        logits(model, X)


def logits(model: Model, X: Any) -> Array:
    rows = as_rows(model, X)
    if rows.shape[1] == 0:
        raise ShapeError(f"{model.where}: {kind(model)} needs one class at least, got {describe(X)}")
    return rows
