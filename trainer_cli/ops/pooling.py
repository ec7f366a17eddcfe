"""Pooling of images in numpy, each forward with its backward. X is (n, H, W, C), Y is (n, Ho, Wo, C)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.ops.convolution import Windows


def max_pool(X: Array, windows: Windows, Y: Array) -> None:
    """`Y = max of X over each window`, written into Y. NaN is passed on."""
    first, *others = pixels(X, windows)
    Y[...] = first
    for pixel in others:
        np.maximum(Y, pixel, out=Y)


def backprop_max_pool(dY: Array, X: Array, Y: Array, windows: Windows, dX: Array) -> None:
    """Add the gradient of each output to the pixel that was the largest, the first of equal ones."""
    left = dY.copy()
    for x, dx in zip(pixels(X, windows), pixels(dX, windows), strict=True):
        was_it = x == Y
        dx += np.where(was_it, left, 0)
        left[was_it] = 0


def mean_pool(X: Array, windows: Windows) -> Array:
    """`Y = mean of X over each window`."""
    first, *others = pixels(X, windows)
    Y = first.copy()
    for pixel in others:
        Y += pixel
    Y *= X.dtype.type(1 / windows.area)
    return Y


def backprop_mean_pool(dY: Array, windows: Windows, dX: Array) -> None:
    """Add each output's gradient to the pixels of its window in equal parts."""
    share = dY * dY.dtype.type(1 / windows.area)
    for pixel in pixels(dX, windows):
        pixel += share


def pixels(X: Array, windows: Windows) -> Iterator[Array]:
    """For each place in a window what stands there in all windows: views (n, Ho, Wo, C)."""
    (Ho, Wo), step = windows.outputs, windows.stride
    for i in range(windows.kernel[0]):
        for j in range(windows.kernel[1]):
            yield X[:, i : i + (Ho - 1) * step + 1 : step, j : j + (Wo - 1) * step + 1 : step]
