"""Images changed at random in training."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ints
from trainer_cli.errors import ArgumentError
from trainer_cli.layers.images import as_images
from trainer_cli.layers.inputs import as_gradient
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import require_flags, require_whole


@registry.layers("augment.v1")
def augment(*, flip: bool = False, shift: int = 0) -> Model:
    """Show the model each image a little differently every time, in training alone; X and Y are (B, H, W, C).

    `flip` turns half of the images left to right. `shift` moves each by up to so many pixels up or down and left or
    right, all distances equally likely, and the pixels at the edge are repeated where none come in: the same as putting
    an edge of `shift` pixels around the image and cutting its size out of it at random.
    """
    require_flags("augment.v1", flip=flip)
    require_whole("augment.v1", shift=shift)
    if not flip and shift == 0:
        raise ArgumentError("augment.v1: changes nothing: set flip = true, or shift to a number of pixels")
    attrs = {"layer": "augment.v1", "flip": flip, "shift": int(shift)}
    return Model("augment", forward, init=init, attrs=attrs)


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    X = as_images(model, X)
    if not is_train:
        return X, lambda dY: dY
    rows, columns = seen(model, *X.shape[:3])
    index = (np.arange(len(X))[:, None, None], rows[:, :, None], columns[:, None, :])
    Y = X[index]

    def backprop(dY: Any) -> Array:
        dX = np.zeros(X.shape, X.dtype)
        np.add.at(dX, index, as_gradient(model, dY, Y))
        return dX

    return Y, backprop


def seen(model: Model, n: int, height: int, width: int) -> tuple[Ints, Ints]:
    """Which row of each image stands in each row of the new one, (B, H), and which column in each column, (B, W)."""
    draw, shift = model.random("augment"), model.attrs["shift"]
    moved = draw.integers(-shift, shift + 1, size=(2, n, 1))
    rows = np.clip(np.arange(height) + moved[0], 0, height - 1)
    columns = np.clip(np.arange(width) + moved[1], 0, width - 1)
    if model.attrs["flip"]:
        columns = np.where(draw.integers(2, size=(n, 1)) == 1, columns[:, ::-1], columns)
    return rows, columns


def init(model: Model, X: Any, Y: Any) -> None:
    if X is not None:
        as_images(model, X)
