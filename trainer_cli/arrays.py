"""What flows through a model: arrays, ragged arrays, tuples and dicts of them, all with rows on the first axis."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer_cli.errors import ShapeError

Array = NDArray[Any]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Ragged:
    """Rows of different lengths end to end: `data` is (sum of lengths, ...), `lengths` is (B,)."""

    data: Array
    lengths: Ints

    def __post_init__(self) -> None:
        if self.lengths.ndim != 1 or self.lengths.sum() != len(self.data):
            message = (
                f"the lengths of ragged rows must add up to their data, got {len(self.data)} rows of data and lengths"
            )
            raise ShapeError(f"{message} {self.lengths.shape} with the sum {self.lengths.sum()}")

    def starts(self) -> Ints:
        """Where each row begins in `data`, and the end of the last: (B + 1,)."""
        return self._starts

    @cached_property
    def _starts(self) -> Ints:
        starts: Ints = np.zeros(len(self.lengths) + 1, dtype=np.int64)
        np.cumsum(self.lengths, out=starts[1:])
        return starts

    def like(self, data: Array) -> Ragged:
        """Other data with the same lengths."""
        return Ragged(data, self.lengths)


def starts_of(lengths: Ints) -> Ints:
    """Where each row of these lengths begins, end to end: (B,)."""
    return np.cumsum(lengths) - lengths


def within(lengths: Ints) -> Ints:
    """The place of each number in its row: 0 to `lengths[0] - 1`, then 0 to `lengths[1] - 1`, ..."""
    return np.arange(int(lengths.sum())) - np.repeat(starts_of(lengths), lengths)


class Stored(ABC):
    """Rows that lie in a file and are read when they are asked for."""

    @abstractmethod
    def __len__(self) -> int:
        """How many rows there are."""

    @abstractmethod
    def take(self, indexes: Ints) -> Array | Ragged:
        """The rows at `indexes`, in that order."""

    @abstractmethod
    def slice_rows(self, start: int, stop: int) -> Array | Ragged:
        """Rows `start` to `stop` (excluded)."""


# Bytes of a line of a processor's cache.
ALIGNMENT = 64

Rows = Array | Ragged | tuple[Any, ...] | dict[str, Any]


@dataclass(frozen=True)
class Batch:
    """The rows of one update: inputs, targets, sample weights (B,) or None, and row numbers in the data (B,)."""

    X: Rows
    Y: Rows
    weights: Array | None
    rows: Ints

    def __post_init__(self) -> None:
        counts = [n_rows(self.X), n_rows(self.Y), len(self.rows)]
        counts += [] if self.weights is None else [len(self.weights)]
        if len(set(counts)) != 1:
            raise ShapeError(f"the inputs, targets, row numbers and weights of a batch must be as many, got {counts}")


def n_rows(x: Rows | Stored) -> int:
    """How many rows `x` has; parts that disagree are a ShapeError."""
    if isinstance(x, Ragged):
        return len(x.lengths)
    if isinstance(x, tuple | dict):
        parts = list(x.values()) if isinstance(x, dict) else list(x)
        counts = {n_rows(part) for part in parts}
        if len(counts) != 1:
            raise ShapeError(f"the parts of an input must have the same number of rows, got {sorted(counts)}")
        return counts.pop()
    return len(x)


def take(x: Rows | Stored, indexes: Ints) -> Rows:
    """The rows at `indexes`, in that order, as a copy."""
    if isinstance(x, Ragged):
        lengths = x.lengths[indexes]
        # How far each row's data moves, for every number of it.
        moves = x.starts()[:-1][indexes] - starts_of(lengths)
        picks = np.repeat(moves, lengths) + np.arange(lengths.sum())
        return Ragged(x.data.take(picks, axis=0), lengths)
    if isinstance(x, tuple):
        return tuple(take(part, indexes) for part in x)
    if isinstance(x, dict):
        return {name: take(part, indexes) for name, part in x.items()}
    if isinstance(x, Stored):
        return x.take(indexes)
    return x.take(indexes, axis=0)


def slice_rows(x: Rows | Stored, start: int, stop: int) -> Rows:
    """Rows `start` to `stop` (excluded), without copying those in memory."""
    if isinstance(x, Stored):
        return x.slice_rows(start, stop)
    if isinstance(x, Ragged):
        starts = x.starts()
        stop = min(stop, len(x.lengths))
        return Ragged(x.data[starts[start] : starts[stop]], x.lengths[start:stop])
    if isinstance(x, tuple):
        return tuple(slice_rows(part, start, stop) for part in x)
    if isinstance(x, dict):
        return {name: slice_rows(part, start, stop) for name, part in x.items()}
    return x[start:stop]


def rows_not_finite(x: Array | Ragged) -> Ints:
    """The rows with a NaN or infinity in floats (B, ...), in order.

    >>> rows_not_finite(np.array([[0.0, 1.0], [np.nan, 1.0], [0.0, np.inf]])).tolist()
    [1, 2]
    """
    data = x.data if isinstance(x, Ragged) else x
    found = np.flatnonzero(~np.isfinite(data.reshape(len(data), -1)).all(axis=1))
    return np.unique(np.repeat(np.arange(len(x.lengths)), x.lengths)[found]) if isinstance(x, Ragged) else found


def aligned_zeros(n: int, dtype: Any) -> Array:
    """Zeros (n,) that begin at a multiple of 64 bytes: only such memory do some libraries read without a copy."""
    itemsize = np.dtype(dtype).itemsize
    found = np.zeros(n + ALIGNMENT // itemsize, dtype)
    start = -found.ctypes.data % ALIGNMENT // itemsize
    return found[start : start + n]
