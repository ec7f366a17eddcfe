"""The mean of each window."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.layers.images import as_images
from trainer_cli.layers.inputs import as_gradient
from trainer_cli.layers.pooling import pool, windows_in
from trainer_cli.model import Backprop, Model
from trainer_cli.ops import pooling
from trainer_cli.registry import registry


@registry.layers("AvgPool2D.v1")
def AvgPool2D(size: int = 2, stride: int | None = None) -> Model:
    """The mean of each window of an image, each channel for itself.

    X is (B, H, W, C), Y is (B, Ho, Wo, C) with `Ho = (H - size) // stride + 1`; `stride` is `size` where it is left
    out.
    """
    return pool("AvgPool2D.v1", forward, size, stride)


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    X = as_images(model, X)
    windows = windows_in(model, X)
    Y = pooling.mean_pool(X, windows)

    def backprop(dY: Any) -> Array:
        dX = np.zeros(X.shape, X.dtype)
        pooling.backprop_mean_pool(as_gradient(model, dY, Y), windows, dX)
        return dX

    return Y, backprop
