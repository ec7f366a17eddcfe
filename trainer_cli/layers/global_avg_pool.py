"""Images to rows by means."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ShapeError
from trainer_cli.layers.inputs import as_floats, as_gradient, describe, kind
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry


@registry.layers("GlobalAvgPool.v1")
def GlobalAvgPool() -> Model:
    """The mean of each channel over the whole image or sequence: X is (B, ..., C), Y is (B, C).

    Lin, Chen and Yan, "Network In Network" (2014), arXiv:1312.4400.
    """
    return Model("globalavgpool", forward, init=init, attrs={"layer": "GlobalAvgPool.v1"})


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    X = as_places(model, X)
    n = math.prod(X.shape[1:-1])
    Y = X.reshape(len(X), n, X.shape[-1]).mean(axis=1)

    def backprop(dY: Any) -> Array:
        share = as_gradient(model, dY, Y) * Y.dtype.type(1 / n)
        return np.broadcast_to(share.reshape(len(X), *(1,) * (X.ndim - 2), X.shape[-1]), X.shape).copy()

    return Y, backprop


def init(model: Model, X: Any, Y: Any) -> None:
    if X is not None:
        as_places(model, X)


def as_places(model: Model, X: Any) -> Array:
    if not isinstance(X, np.ndarray) or X.ndim < 3 or 0 in X.shape[1:]:
        raise ShapeError(f"{model.where}: {kind(model)} takes images or sequences (B, ..., C), got {describe(X)}")
    return as_floats(model, X)
