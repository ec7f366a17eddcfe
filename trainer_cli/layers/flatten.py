"""Images to rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ShapeError
from trainer_cli.layers.inputs import describe, kind
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry


@registry.layers("Flatten.v1")
def Flatten() -> Model:
    """Lay each row's axes end to end: X is (B, ...), such as images (B, H, W, C), Y is (B, n)."""
    return Model("flatten", forward, init=init, attrs={"layer": "Flatten.v1"})


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    def backprop(dY: Array) -> Array:
        return dY.reshape(X.shape)

    return X.reshape(len(X), math.prod(X.shape[1:])), backprop


def init(model: Model, X: Any, Y: Any) -> None:
    if X is not None and not (isinstance(X, np.ndarray) and X.ndim >= 2):
        raise ShapeError(f"{model.where}: {kind(model)} takes an array (B, ...), got {describe(X)}")
