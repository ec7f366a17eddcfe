"""Sums and windows over rows of different lengths, in numpy. `lengths` (B,) adds up to the rows of the data."""

from __future__ import annotations

import numpy as np

from trainer_cli.arrays import Array, Ints, starts_of, within


def reduce_sum(X: Array, lengths: Ints) -> Array:
    """The sum of each sequence's rows: (sum, n) to (B, n); zeros of none."""
    Y = np.zeros((len(lengths), *X.shape[1:]), X.dtype)
    full = lengths > 0
    if full.any():
        Y[full] = np.add.reduceat(X, starts_of(lengths)[full], axis=0)
    return Y


def reduce_max(X: Array, lengths: Ints) -> tuple[Array, Ints]:
    """The largest of each sequence's rows, column by column, (B, n), and the first row that has it; zeros of none.

    A NaN is larger than any number.
    """
    Y = np.zeros((len(lengths), X.shape[1]), X.dtype)
    which = np.zeros(Y.shape, np.int64)
    full = np.flatnonzero(lengths > 0)
    if len(full):
        starts = starts_of(lengths)
        Y[full] = np.maximum.reduceat(X, starts[full], axis=0)
        is_largest = (np.repeat(Y, lengths, axis=0) == X) | np.isnan(X)
        places = np.where(is_largest, np.arange(len(X))[:, None], len(X))
        which[full] = np.minimum.reduceat(places, starts[full], axis=0)
    return Y, which


def backprop_reduce_max(dY: Array, which: Ints, lengths: Ints) -> Array:
    dX = np.zeros((int(lengths.sum()), dY.shape[1]), dY.dtype)
    full = lengths > 0
    dX[which[full], np.arange(dY.shape[1])] = dY[full]
    return dX


def gather_sum(table: Array, ids: Ints, lengths: Ints, weights: Array | None) -> Array:
    """The sum of the rows `ids` (sum,) of a table for each sequence, each by its weight: (B, width)."""
    rows = table.take(ids, axis=0)
    if weights is not None:
        rows *= weights[:, None]
    return reduce_sum(rows, lengths)


def spread(dY: Array, lengths: Ints, weights: Array | None) -> Array:
    """What each row of a weighted sum gets of its gradient: (B, width) to (sum, width)."""
    rows = np.repeat(dY, lengths, axis=0)
    if weights is not None:
        rows *= weights[:, None]
    return rows


def neighbours(lengths: Ints, offset: int) -> tuple[Ints, Ints]:
    """The rows that have one `offset` rows further in their sequence, and those."""
    place = within(lengths)
    inside = (place + offset >= 0) & (place + offset < np.repeat(lengths, lengths))
    here = np.flatnonzero(inside)
    return here, here + offset


def seq2col(X: Array, lengths: Ints, size: int) -> Array:
    """Each row with `size` neighbours on both sides, zeros beyond its sequence: (sum, n) to (sum, (2 size + 1) n)."""
    Y = np.zeros((len(X), 2 * size + 1, X.shape[1]), X.dtype)
    for offset in range(-size, size + 1):
        here, there = neighbours(lengths, offset)
        Y[here, size + offset] = X[there]
    return Y.reshape(len(X), (2 * size + 1) * X.shape[1])


def backprop_seq2col(dY: Array, lengths: Ints, size: int) -> Array:
    dY = dY.reshape(len(dY), 2 * size + 1, dY.shape[1] // (2 * size + 1))
    dX = np.zeros((len(dY), dY.shape[2]), dY.dtype)
    for offset in range(-size, size + 1):
        here, there = neighbours(lengths, offset)
        dX[there] += dY[here, size + offset]  # each row is there once for an offset
    return dX
