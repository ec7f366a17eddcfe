"""Images, standardised."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.data.block import Block
from trainer_cli.data.encoders.choice import chosen
from trainer_cli.data.encoders.floats import Floats
from trainer_cli.data.encoders.moments import Moments
from trainer_cli.data.encoders.state import damaged, stated_floats, stated_sizes, stated_text
from trainer_cli.data.faults import printable, refused
from trainer_cli.errors import DataError, Problem
from trainer_cli.registry import registry

WHITE = 255


@registry.encoders("images.v1")
class Images:
    """A column of images of bytes as float32 (B, H, W, C): `(pixel / 255 - mean) / deviation`, by channel.

    Mean and deviation are those of all pixels of the training images. Grey images may come as (B, H, W); C is 1 then.
    `column` may be left out where one column is left beside the target's. Every image must have the size of the
    training images; another is a DataError. To change images at random in training, begin the model with `augment.v1`.
    """

    def __init__(self, column: str | None = None):
        self.column = column
        self.reads: tuple[str, ...] = ()
        self.shape: tuple[int, ...] = ()
        self.mean: Floats = np.zeros(0)
        self.scale: Floats = np.ones(0)
        self._moments = Moments()

    @property
    def width(self) -> int:
        return math.prod(self.shape)

    def choose(self, columns: tuple[str, ...]) -> None:
        if self.column is None and len(columns) != 1:
            raise refused("column", f"name the column of images, as column = ...; the columns are {list(columns)}")
        self.reads = (columns[0] if self.column is None else chosen(self.column, columns, "column"),)
        self.shape = ()
        self._moments = Moments()

    def fit(self, block: Block) -> None:
        images = self._images(block)
        self.shape = self.shape or images.shape[1:]
        self._check(block, images)
        self._moments.add(images.reshape(-1, self.shape[2]) / WHITE)

    def finish_fit(self) -> None:
        self.mean, self.scale = self._moments.mean, self._moments.scale

    def encode(self, block: Block) -> Array:
        images = self._images(block)
        self._check(block, images)
        # Of 256 values each is worked out once a channel, in float64.
        table = ((np.arange(WHITE + 1)[:, None] / WHITE - self.mean) / self.scale).astype(np.float32)
        rows = np.empty(images.shape, np.float32)
        for channel in range(self.shape[2]):
            np.take(table[:, channel], images[..., channel], out=rows[..., channel])
        return rows

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        state = {"column": self.reads[0], "shape": list(self.shape)}
        return state, {"mean": self.mean, "scale": self.scale}

    @classmethod
    def from_state(cls, state: dict[str, Any], arrays: Mapping[str, Array]) -> Images:
        encoder = cls(stated_text(state, "column"))
        encoder.reads = (stated_text(state, "column"),)
        encoder.shape = stated_sizes(state, "shape")
        if len(encoder.shape) != 3:
            raise damaged("shape", "three sizes", list(encoder.shape))
        encoder.mean = stated_floats(arrays, "mean", encoder.shape[2])
        encoder.scale = stated_floats(arrays, "scale", encoder.shape[2], positive=True)
        return encoder

    def _images(self, block: Block) -> Array:
        values = block.column(self.reads[0])
        if not isinstance(values, np.ndarray) or values.dtype != np.uint8 or values.ndim not in (3, 4):
            got = f"{values.dtype} {values.shape[1:]}" if isinstance(values, np.ndarray) else "text"
            raise self._refusal(block, f"expected images of bytes, (H, W) or (H, W, C) each, got {got}")
        return values[..., None] if values.ndim == 3 else values

    def _check(self, block: Block, images: Array) -> None:
        if images.shape[1:] != self.shape:
            size = " x ".join(map(str, self.shape))
            raise self._refusal(block, f"training had images of {size}, got {' x '.join(map(str, images.shape[1:]))}")

    def _refusal(self, block: Block, message: str) -> DataError:
        return DataError(problems=[Problem(message, block.places.path, 0, printable(self.reads[0]))])
