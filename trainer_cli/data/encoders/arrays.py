"""Images and other arrays as they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.data.block import Block
from trainer_cli.data.encoders.choice import chosen
from trainer_cli.data.encoders.floats import not_finite
from trainer_cli.data.encoders.state import damaged, stated_sizes, stated_text
from trainer_cli.data.faults import printable, refused
from trainer_cli.errors import DataError, Problem
from trainer_cli.registry import registry

KINDS = {"bytes": "uint8", "floats": "floating point"}


@registry.encoders("arrays.v1")
class Arrays:
    """An array column as float32: bytes (images) divided by 255, floating point numbers as they are.

    Rows of two dimensions, grey images (B, H, W), become (B, H, W, 1). `column` may be left out where one column is
    left beside the target's. Every row must have the shape of the training rows; non-finite values are a DataError.
    """

    def __init__(self, column: str | None = None):
        self.column = column
        self.reads: tuple[str, ...] = ()
        self.shape: tuple[int, ...] = ()
        self.kind = ""

    @property
    def width(self) -> int:
        return math.prod(self.shape)

    def choose(self, columns: tuple[str, ...]) -> None:
        if self.column is None and len(columns) != 1:
            raise refused("column", f"name the column of arrays, as column = ...; the columns are {list(columns)}")
        self.reads = (columns[0] if self.column is None else chosen(self.column, columns, "column"),)
        self.shape = ()

    def fit(self, block: Block) -> None:
        values = self._values(block)
        if not self.shape:
            self.shape = values.shape[1:]
            self.kind = "bytes" if values.dtype == np.uint8 else "floats"
        self._check(block, values)

    def finish_fit(self) -> None:
        """Nothing is left to settle."""

    def encode(self, block: Block) -> Array:
        values = self._values(block)
        self._check(block, values)
        if self.kind == "bytes":
            return np.divide(values, np.float32(255), dtype=np.float32)
        with np.errstate(over="ignore"):
            rows = np.ascontiguousarray(values, np.float32)
        if not np.isfinite(rows).all():
            raise not_finite(block, self.reads[0], rows)
        return rows

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        return {"column": self.reads[0], "shape": list(self.shape), "kind": self.kind}, {}

    @classmethod
    def from_state(cls, state: dict[str, Any], arrays: Mapping[str, Array]) -> Arrays:
        encoder = cls(stated_text(state, "column"))
        encoder.reads = (stated_text(state, "column"),)
        encoder.shape = stated_sizes(state, "shape")
        encoder.kind = stated_text(state, "kind")
        if encoder.kind not in KINDS:
            raise damaged("kind", f"one of {list(KINDS)}", encoder.kind)
        return encoder

    def _values(self, block: Block) -> Array:
        values = block.values(self.reads[0])
        if isinstance(values, list):
            raise self._refusal(block, "expected an array of bytes or floating point numbers, got text")
        if values.ndim < 2 or (values.dtype != np.uint8 and values.dtype.kind != "f"):
            message = f"expected an array of bytes or floating point numbers, got {values.dtype} {values.shape}"
            raise self._refusal(block, f"{message}; columns.v1 takes other numbers")
        return values[..., None] if values.ndim == 3 and values.dtype == np.uint8 else values

    def _check(self, block: Block, values: Array) -> None:
        kind = "bytes" if values.dtype == np.uint8 else "floats"
        if (values.shape[1:], kind) != (self.shape, self.kind):
            message = f"training had {KINDS[self.kind]} arrays {self.shape}, got {values.dtype} {values.shape[1:]}"
            raise self._refusal(block, message)

    def _refusal(self, block: Block, message: str) -> DataError:
        return DataError(problems=[Problem(message, block.places.path, 0, printable(self.reads[0]))])
