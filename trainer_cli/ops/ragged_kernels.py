"""Compiled loops over ragged rows, float32 and C-contiguous. Who calls them has checked lengths and ids."""

from __future__ import annotations

import numpy as np

from trainer_cli.arrays import Array, Ints
from trainer_cli.ops.compiled import compiled


@compiled
def gather_sum(table: Array, ids: Ints, lengths: Ints, weights: Array) -> Array:
    n, width = lengths.size, table.shape[1]
    Y = np.zeros((n, width), np.float32)
    at = 0
    for i in range(n):
        total = Y[i]
        for k in range(at, at + lengths[i]):
            row, weight = table[ids[k]], weights[k]
            for j in range(width):
                total[j] += weight * row[j]
        at += lengths[i]
    return Y


@compiled
def add_spread(gradient: Array, dY: Array, ids: Ints, lengths: Ints, weights: Array) -> None:
    width = gradient.shape[1]
    at = 0
    for i in range(lengths.size):
        given = dY[i]
        for k in range(at, at + lengths[i]):
            to, weight = gradient[ids[k]], weights[k]
            for j in range(width):
                to[j] += weight * given[j]
        at += lengths[i]


@compiled
def seq2col(X: Array, lengths: Ints, size: int) -> Array:
    n = X.shape[1]
    Y = np.zeros((len(X), (2 * size + 1) * n), np.float32)
    start = 0
    for length in lengths:
        for t in range(length):
            to = Y[start + t]
            for offset in range(max(-size, -t), min(size, length - 1 - t) + 1):
                row, at = X[start + t + offset], (size + offset) * n
                for j in range(n):
                    to[at + j] = row[j]
        start += length
    return Y


@compiled
def backprop_seq2col(dY: Array, lengths: Ints, size: int) -> Array:
    n = dY.shape[1] // (2 * size + 1)
    dX = np.zeros((len(dY), n), np.float32)
    start = 0
    for length in lengths:
        for t in range(length):
            given = dY[start + t]
            for offset in range(max(-size, -t), min(size, length - 1 - t) + 1):
                to, at = dX[start + t + offset], (size + offset) * n
                for j in range(n):
                    to[j] += given[at + j]
        start += length
    return dX


@compiled
def reduce_sum(X: Array, lengths: Ints) -> Array:
    Y = np.zeros((lengths.size, X.shape[1]), np.float32)
    at = 0
    for i in range(lengths.size):
        total = Y[i]
        for k in range(at, at + lengths[i]):
            row = X[k]
            for j in range(row.size):
                total[j] += row[j]
        at += lengths[i]
    return Y
