"""Compiled loops over float32 images (n, H, W, C), C-contiguous; they let other threads run meanwhile."""

from __future__ import annotations

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.ops.compiled import compiled

ZERO = np.float32(0)


@compiled
def laid_out(X: Array, kh: int, kw: int, step: int, top: int, left: int, out: Array) -> None:
    """X (n, H, W * C) with the C numbers of a pixel side by side, out (n, Ho, Wo, kh, kw * C)."""
    n, H, width = X.shape
    length = out.shape[4]
    C = length // kw
    for i in range(n):
        for y in range(out.shape[1]):
            for x in range(out.shape[2]):
                start = (x * step - left) * C
                first, last = max(0, -start), min(length, width - start)
                for k in range(kh):
                    row = y * step - top + k
                    to = out[i, y, x, k]
                    if row < 0 or row >= H or last <= first:
                        for j in range(length):
                            to[j] = ZERO
                        continue
                    for j in range(first):
                        to[j] = ZERO
                    # A loop from 0 over a slice is vectorised, since no index can be negative.
                    source, inside = X[i, row, start + first : start + last], to[first:last]
                    for j in range(inside.size):
                        inside[j] = source[j]
                    for j in range(last, length):
                        to[j] = ZERO


@compiled
def max_pool(X: Array, size: int, step: int, Y: Array) -> None:
    for i in range(Y.shape[0]):
        for y in range(Y.shape[1]):
            for x in range(Y.shape[2]):
                to, source = Y[i, y, x], X[i, y * step, x * step]
                for c in range(to.size):
                    to[c] = source[c]
                for place in range(1, size * size):
                    source = X[i, y * step + place // size, x * step + place % size]
                    for c in range(to.size):
                        is_nan = source[c] != source[c]
                        to[c] = source[c] if source[c] > to[c] or is_nan else to[c]


@compiled
def backprop_max_pool(dY: Array, X: Array, Y: Array, size: int, step: int, dX: Array) -> None:
    """Writes all of dX. Each output's gradient is handed from pixel to pixel until one takes it."""
    left = np.empty(dY.shape[3], dY.dtype)
    for i in range(dX.shape[0]):
        row = dX[i].reshape(-1)
        for j in range(row.size):
            row[j] = ZERO
        for y in range(Y.shape[1]):
            for x in range(Y.shape[2]):
                top, dy = Y[i, y, x], dY[i, y, x]
                for c in range(left.size):
                    left[c] = dy[c]
                for place in range(size * size):
                    h, w = y * step + place // size, x * step + place % size
                    source, to = X[i, h, w], dX[i, h, w]
                    for c in range(left.size):
                        to[c] += left[c] if source[c] == top[c] else ZERO
                    for c in range(left.size):
                        left[c] = ZERO if source[c] == top[c] else left[c]
