"""Rows padded to few sizes, so that what compiles for each shape compiles seldom."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from trainer_cli.arrays import Array, Ints, Ragged, Rows, n_rows

# Of training, `full` rows and the parts of it that a short batch or a schedule may have; of evaluation two suffice.
TRAINING, EVALUATION = (1, 4, 16), (1, 16)
GROWTH = 4


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


def bucket(n: int, full: int, parts: Sequence[int] = TRAINING) -> int:
    """The size that `n` rows are padded to: the smallest part of `full` that holds them, or `full` times a power of 4.

    >>> [bucket(n, 128) for n in (1, 8, 9, 32, 33, 128, 129)]
    [8, 8, 32, 32, 128, 128, 512]
    """
    fitting = [size for part in parts if (size := -(-full // part)) >= n]
    if fitting:
        return min(fitting)
    while full < n:
        full *= GROWTH
    return full


def pad(X: Rows, full: int, parts: Sequence[int]) -> Padded:
    """The rows, padded by copies of the first one, whose outputs and gradients are to be left out.

    Copies and not zeros, of which a module that divides by a row's size makes NaN. Of ragged rows one more than the
    bucket has: a row that is padding takes up the data that is, so that all the lengths add up to the data. That comes
    to the next power of 2 times the rows.
    """
    n, ragged = n_rows(X), any_ragged(X)
    size = bucket(n, full, parts) + ragged
    padded = padded_part(X, n, size)
    if isinstance(X, Ragged):
        return Padded(padded, n, size, len(X.data), len(padded.data))
    return Padded(padded, n, size)


def any_ragged(X: Rows) -> bool:
    if isinstance(X, tuple | dict):
        return any(any_ragged(part) for part in (X.values() if isinstance(X, dict) else X))
    return isinstance(X, Ragged)


def padded_part(X: Rows, n: int, size: int) -> Any:
    if isinstance(X, dict):
        return {name: padded_part(part, n, size) for name, part in X.items()}
    if isinstance(X, tuple):
        return tuple(padded_part(part, n, size) for part in X)
    if isinstance(X, Ragged) and size == n:
        return RaggedArrays(X.data, X.lengths)
    if isinstance(X, Ragged):
        lengths = padded_lengths(X.lengths, len(X.data), size)
        return RaggedArrays(longer(X.data, int(lengths.sum())), lengths)
    return longer(X, size)


def padded_lengths(lengths: Ints, n_data: int, size: int) -> Ints:
    """Lengths with those of the rows that are padding: one number each, and the last one what is left."""
    n_more = size - len(lengths)
    needed = n_data + n_more
    total = size * 2 ** max(1, math.ceil(math.log2(needed / size)))  # never `size`, which a number a row comes to
    more = np.ones(n_more, np.int64)
    more[-1] += total - needed
    return np.concatenate([lengths, more])


def longer(X: Array, size: int) -> Array:
    """The rows, and copies of the first one, or zeros where there is none, up to `size`."""
    if len(X) == size:
        return X
    found = np.empty((size, *X.shape[1:]), X.dtype)
    found[: len(X)] = X
    found[len(X) :] = X[0] if len(X) else 0
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
