"""Compiled loops for activations that are made of straight lines, and for the largest of several pieces.

What `kernels` says of its loops holds here.
"""

from __future__ import annotations

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.ops.compiled import compiled

F = np.float32
ZERO, HALF, ONE, TWO = F(0), F(0.5), F(1), F(2)


@compiled
def relu(Z: Array, b: Array) -> None:
    for i in range(Z.shape[0]):
        for j in range(Z.shape[1]):
            z = Z[i, j] + b[j]
            Z[i, j] = ZERO if z < ZERO else z


@compiled
def backprop_relu(dY: Array, Y: Array, db: Array) -> Array:
    dZ = np.empty_like(dY)
    for i in range(dY.shape[0]):
        for j in range(dY.shape[1]):
            d = dY[i, j] if Y[i, j] > ZERO else ZERO
            dZ[i, j] = d
            db[j] += d
    return dZ


@compiled
def hard_swish(Z: Array, b: Array, slope: np.float32) -> Array:
    Y = np.empty_like(Z)
    for i in range(Z.shape[0]):
        for j in range(Z.shape[1]):
            x = Z[i, j] + b[j]
            Z[i, j] = x
            gate = slope * x + HALF
            Y[i, j] = x * (ZERO if gate < ZERO else (ONE if gate > ONE else gate))
    return Y


@compiled
def backprop_hard_swish(dY: Array, X: Array, db: Array, slope: np.float32) -> Array:
    dZ = np.empty_like(dY)
    limit = HALF / slope
    for i in range(dY.shape[0]):
        for j in range(dY.shape[1]):
            x = X[i, j]
            inside = TWO * slope * x + HALF
            d = dY[i, j] * (ONE if x > limit else (ZERO if x < -limit else inside))
            dZ[i, j] = d
            db[j] += d
    return dZ


@compiled
def clipped_linear(
    Z: Array, b: Array, slope: np.float32, offset: np.float32, min_val: np.float32, max_val: np.float32
) -> None:
    for i in range(Z.shape[0]):
        for j in range(Z.shape[1]):
            y = slope * (Z[i, j] + b[j]) + offset
            Z[i, j] = min_val if y < min_val else (max_val if y > max_val else y)


@compiled
def backprop_clipped_linear(
    dY: Array, Y: Array, db: Array, slope: np.float32, min_val: np.float32, max_val: np.float32
) -> Array:
    dZ = np.empty_like(dY)
    for i in range(dY.shape[0]):
        for j in range(dY.shape[1]):
            d = dY[i, j] * slope if min_val < Y[i, j] < max_val else ZERO
            dZ[i, j] = d
            db[j] += d
    return dZ


@compiled
def maxout_of_two(Z: Array, b: Array) -> tuple[Array, Array]:
    Y = np.empty(Z.shape[:2], Z.dtype)
    which = np.empty(Z.shape[:2], np.int16)
    for i in range(Z.shape[0]):
        pieces, best, number = Z[i], Y[i], which[i]
        for j in range(Z.shape[1]):
            first, second = pieces[j, 0] + b[j, 0], pieces[j, 1] + b[j, 1]
            is_second = second > first or second != second
            best[j] = second if is_second else first
            number[j] = is_second
    return Y, which


@compiled
def maxout_of_three(Z: Array, b: Array) -> tuple[Array, Array]:
    Y = np.empty(Z.shape[:2], Z.dtype)
    which = np.empty(Z.shape[:2], np.int16)
    for i in range(Z.shape[0]):
        pieces, best, number = Z[i], Y[i], which[i]
        for j in range(Z.shape[1]):
            first, second, third = pieces[j, 0] + b[j, 0], pieces[j, 1] + b[j, 1], pieces[j, 2] + b[j, 2]
            is_second = second > first or second != second
            larger = second if is_second else first
            is_third = third > larger or third != third
            best[j] = third if is_third else larger
            number[j] = 2 if is_third else is_second
    return Y, which


@compiled
def backprop_maxout(dY: Array, which: Array, db: Array) -> Array:
    dZ = np.zeros((dY.shape[0], dY.shape[1], db.shape[1]), dY.dtype)
    for i in range(dY.shape[0]):
        for j in range(dY.shape[1]):
            piece = which[i, j]
            dZ[i, j, piece] = dY[i, j]
            db[j, piece] += dY[i, j]
    return dZ
