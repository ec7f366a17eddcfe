"""Rows padded to few sizes, so that what compiles for each shape compiles seldom."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from trainer_cli.arrays import Array, Ints, Ragged, Rows, n_rows, slice_rows
from trainer_cli.wrappers.engine import RowCounts

# Of training, `full` rows and the part of them that a short batch or a schedule may have, each of which compiles twice.
# Ragged rows are always `full`: they have shapes enough by their lengths.
PARTS, PARTS_RAGGED = (1, 4), (1,)
GROWTH = 4
# What predicts gets an eighth of a batch that is scored at a time, which wastes little where a few rows are predicted,
# and compiles once.
PIECES, SMALLEST_PIECE = 8, 16


class RaggedArrays(NamedTuple):
    """Rows of different lengths end to end, as a compiled function gets them: (sum of lengths, ...) and (B,)."""

    data: Any
    lengths: Any


class Padded(NamedTuple):
    """Rows with others behind them: `n_real` of `n` are the batch's, with `n_real_data` of `n_data` ragged numbers.

    `n_data` is 0 where the input is not ragged itself.
    """

    X: Any
    n_real: int
    n: int
    n_real_data: int = 0
    n_data: int = 0

    @property
    def mask(self) -> Array:
        """Which rows are the batch's: (n,)."""
        return np.arange(self.n) < self.n_real

    def is_of_data(self, Y: Array) -> bool:
        """Whether outputs are one for each number of ragged rows, and not one a row."""
        return self.n_data > 0 and len(Y) == self.n_data

    def real(self, Y: Array) -> Array:
        """The outputs of the batch's rows, or of their data."""
        return Y[: self.n_real_data if self.is_of_data(Y) else self.n_real]


# The rows that pad others: from these, how many.
Filler = Callable[[Array, int], Array]


def copies(X: Array, n: int) -> Array:
    """Copies of the first row. Not zeros, of which a module that divides by a row's size makes NaN."""
    return X[:1]


def others(X: Array, n: int) -> Array:
    """The rows again, from the last to the first."""
    return np.resize(X[::-1], (n, *X.shape[1:]))


def bucket(n: int, full: int, parts: Sequence[int] = PARTS) -> int:
    """The size that `n` rows are padded to: the smallest part of `full` that holds them, or `full` times a power of 4.

    >>> [bucket(n, 128) for n in (1, 32, 33, 128, 129)]
    [32, 32, 128, 128, 512]
    """
    fitting = [size for part in parts if (size := -(-full // part)) >= n]
    if fitting:
        return min(fitting)
    while full < n:
        full *= GROWTH
    return full


def training_size(X: Rows, rows: RowCounts) -> int:
    """How many rows these are padded to in training, by how many a batch has."""
    return bucket(max(n_rows(X), rows.least), rows.training, PARTS_RAGGED if any_ragged(X) else PARTS)


def piece(full: int) -> int:
    """How many rows predict at a time, where a batch that is scored has `full` at most."""
    return min(full, max(SMALLEST_PIECE, -(-full // PIECES)))


def pieces(X: Rows, size: int) -> Iterator[Any]:
    """The rows, so many at a time; one piece at least."""
    n = n_rows(X)
    if n <= size:
        yield X
        return
    for start in range(0, n, size):
        yield slice_rows(X, start, min(start + size, n))


def with_room(X: Rows, rows: RowCounts, is_train: bool) -> tuple[int, int]:
    """How many of the rows leave room for others in the size that they are padded to, and that size; 0 rows if none."""
    n, ragged = n_rows(X), any_ragged(X)
    full = training_size(X, rows) if is_train else piece(rows.evaluation)
    n = min(n, full if ragged else full - 1)
    size = training_size(slice_rows(X, 0, n), rows) if is_train else full
    return (n, size) if ragged or n < size else (0, size)


def pad(X: Rows, size: int, filler: Filler = copies) -> Padded:
    """The rows, padded up to `size` by others, whose outputs and gradients are to be left out.

    Of ragged rows one more: a row that is padding takes up the data that is, so that all the lengths add up to the
    data. That comes to the next power of 2 times the rows.
    """
    n, ragged = n_rows(X), any_ragged(X)
    size += ragged
    padded = padded_part(X, n, size, filler)
    if isinstance(X, Ragged):
        return Padded(padded, n, size, len(X.data), len(padded.data))
    return Padded(padded, n, size)


def any_ragged(X: Rows) -> bool:
    if isinstance(X, tuple | dict):
        return any(any_ragged(part) for part in (X.values() if isinstance(X, dict) else X))
    return isinstance(X, Ragged)


def padded_part(X: Rows, n: int, size: int, filler: Filler = copies) -> Any:
    if isinstance(X, dict):
        return {name: padded_part(part, n, size, filler) for name, part in X.items()}
    if isinstance(X, tuple):
        return tuple(padded_part(part, n, size, filler) for part in X)
    if isinstance(X, Ragged) and size == n:
        return RaggedArrays(X.data, X.lengths)
    if isinstance(X, Ragged):
        lengths = padded_lengths(X.lengths, len(X.data), size)
        return RaggedArrays(longer(X.data, int(lengths.sum()), filler), lengths)
    return longer(X, size, filler)


def padded_lengths(lengths: Ints, n_data: int, size: int) -> Ints:
    """Lengths with those of the rows that are padding: one number each, and the last one what is left."""
    n_more = size - len(lengths)
    needed = n_data + n_more
    total = size * 2 ** max(1, math.ceil(math.log2(needed / size)))  # never `size`, which a number a row comes to
    more = np.ones(n_more, np.int64)
    more[-1] += total - needed
    return np.concatenate([lengths, more])


def longer(X: Array, size: int, filler: Filler = copies) -> Array:
    """The rows, and such as the filler has, or zeros where there are none, up to `size`."""
    if len(X) == size:
        return X
    found = np.empty((size, *X.shape[1:]), X.dtype)
    found[: len(X)] = X
    found[len(X) :] = filler(X, size - len(X)) if len(X) else 0
    return found


def with_zeros(dY: Array, size: int) -> Array:
    """A gradient of outputs with that of the padding, which is zero."""
    if len(dY) == size:
        return dY
    found = np.zeros((size, *dY.shape[1:]), dY.dtype)
    found[: len(dY)] = dY
    return found


def unpadded_gradient(gradient: Any, X: Rows, dtype: Any) -> Any:
    """The gradient of the rows without that of the padding, shaped like X; of whole numbers it is zero."""
    if isinstance(X, dict):
        return {name: unpadded_gradient(gradient[name], part, dtype) for name, part in X.items()}
    if isinstance(X, tuple):
        return tuple(unpadded_gradient(found, part, dtype) for found, part in zip(gradient, X, strict=True))
    if isinstance(X, Ragged):
        return X.like(unpadded_gradient(gradient.data, X.data, dtype))
    if gradient is None:
        return np.zeros(X.shape, dtype)
    return np.array(np.asarray(gradient)[: len(X)], dtype)  # cut by numpy: JAX compiles a slice of each new length
