"""Compiled loops over float32 arrays, C-contiguous, one thread.

Names, formulas and what may be overwritten are those of `activations` and `rows`. Only loops that beat numpy are
here. Every constant is a float32, since one Python float would turn a loop to float64; wide sums are meant to be. Row
sums run in lanes, whose order is fixed: the bits depend on no vector width. All that use `exp` or the row sums stand in
this file, since what is inlined must.
"""

from __future__ import annotations

import math

import numpy as np

from trainer_cli.arrays import Array, Ints
from trainer_cli.ops.activations import MISH_LIMIT
from trainer_cli.ops.compiled import compiled, inlined
from trainer_cli.ops.curves import ERF_A, ERF_P, SLANTED_LIMIT
from trainer_cli.ops.rows import LAYERNORM_EPS

F = np.float32
ZERO, HALF, ONE, TWO, FOUR, INFINITY = F(0), F(0.5), F(1), F(2), F(4), F(np.inf)
EPS = F(LAYERNORM_EPS)
SQRT_HALF, DENSITY_0 = F(math.sqrt(0.5)), F(1 / math.sqrt(2 * math.pi))
P, (A1, A2, A3, A4, A5) = F(ERF_P), tuple(F(a) for a in ERF_A)
MISH_TOP, SLANTED_TOP = F(MISH_LIMIT), F(SLANTED_LIMIT)
LOG2_E, LN2_HIGH, LN2_LOW = F(1 / math.log(2)), F(0.693359375), F(math.log(2) - 0.693359375)
EXP_LOW, EXP_HIGH = F(-87), F(88)
E2, E3, E4, E5, E6, E7 = (F(1 / math.factorial(n)) for n in range(2, 8))


# exp is written out because a call of the library's keeps a loop from being vectorised.


@inlined
def exp(x: np.float32) -> np.float32:
    """`2^n * exp(r)` with |r| <= log(2) / 2 from the power series; 0 below -87, infinity above 88, NaN for NaN."""
    limited = EXP_HIGH if x > EXP_HIGH else (x if x > EXP_LOW else EXP_LOW)
    n = np.floor(limited * LOG2_E + HALF)
    r = limited - n * LN2_HIGH - n * LN2_LOW
    series = ONE + r + r * r * (E2 + r * (E3 + r * (E4 + r * (E5 + r * (E6 + r * E7)))))
    power = np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)
    limit = x if x != x else (INFINITY if x > EXP_HIGH else ZERO)
    return series * power if EXP_LOW < x <= EXP_HIGH else limit


@inlined
def logistic(x: np.float32) -> np.float32:
    return ONE / (ONE + exp(-x))


@inlined
def normal_cdf(x: np.float32) -> np.float32:
    t = ONE / (ONE + P * abs(x * SQRT_HALF))
    tail = HALF * t * (A1 + t * (A2 + t * (A3 + t * (A4 + t * A5)))) * exp(-HALF * x * x)
    return ONE - tail if x >= ZERO else tail


@inlined
def slanted(x: np.float32) -> np.float32:
    limited = SLANTED_TOP if x > SLANTED_TOP else (-SLANTED_TOP if x < -SLANTED_TOP else x)
    root: np.float32 = np.sqrt(ONE + limited * limited)
    return limited / root


@inlined
def row_sum(x: Array) -> np.float32:
    s0, s1, s2, s3, s4, s5, s6, s7 = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
    whole = x.size - x.size % 8
    for j in range(0, whole, 8):
        s0 += x[j]
        s1 += x[j + 1]
        s2 += x[j + 2]
        s3 += x[j + 3]
        s4 += x[j + 4]
        s5 += x[j + 5]
        s6 += x[j + 6]
        s7 += x[j + 7]
    total = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
    for j in range(whole, x.size):
        total += x[j]
    return total


@inlined
def wide_sum(x: Array) -> np.float64:
    s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
    whole = x.size - x.size % 4
    for j in range(0, whole, 4):
        s0 += x[j]
        s1 += x[j + 1]
        s2 += x[j + 2]
        s3 += x[j + 3]
    total = (s0 + s1) + (s2 + s3)
    for j in range(whole, x.size):
        total += x[j]
    return np.float64(total)


@inlined
def larger(a: np.float32, b: np.float32) -> np.float32:
    return a if b <= a else b  # NaN for a b that is NaN


@inlined
def row_max(x: Array) -> np.float32:
    m0 = m1 = m2 = m3 = m4 = m5 = m6 = m7 = x[0]
    whole = x.size - x.size % 8
    for j in range(0, whole, 8):
        m0 = larger(m0, x[j])
        m1 = larger(m1, x[j + 1])
        m2 = larger(m2, x[j + 2])
        m3 = larger(m3, x[j + 3])
        m4 = larger(m4, x[j + 4])
        m5 = larger(m5, x[j + 5])
        m6 = larger(m6, x[j + 6])
        m7 = larger(m7, x[j + 7])
    top = larger(larger(larger(m0, m1), larger(m2, m3)), larger(larger(m4, m5), larger(m6, m7)))
    for j in range(whole, x.size):
        top = larger(top, x[j])
    return top


@compiled
def sigmoid(Z: Array, b: Array) -> None:
    for i in range(Z.shape[0]):
        for j in range(Z.shape[1]):
            Z[i, j] = logistic(Z[i, j] + b[j])


@compiled
def backprop_sigmoid(dY: Array, Y: Array, db: Array) -> Array:
    dZ = np.empty_like(dY)
    for i in range(dY.shape[0]):
        for j in range(dY.shape[1]):
            d = dY[i, j] * (Y[i, j] * (ONE - Y[i, j]))
            dZ[i, j] = d
            db[j] += d
    return dZ


@compiled
def backprop_tanh(dY: Array, Y: Array, db: Array) -> Array:
    dZ = np.empty_like(dY)
    for i in range(dY.shape[0]):
        for j in range(dY.shape[1]):
            d = dY[i, j] * (ONE - Y[i, j] * Y[i, j])
            dZ[i, j] = d
            db[j] += d
    return dZ


@compiled
def swish(Z: Array, b: Array) -> Array:
    Y = np.empty_like(Z)
    for i in range(Z.shape[0]):
        for j in range(Z.shape[1]):
            x = Z[i, j] + b[j]
            Z[i, j] = x
            Y[i, j] = x * logistic(x)
    return Y


@compiled
def backprop_swish(dY: Array, X: Array, db: Array) -> Array:
    dZ = np.empty_like(dY)
    for i in range(dY.shape[0]):
        for j in range(dY.shape[1]):
            s = logistic(X[i, j])
            d = dY[i, j] * (s * (ONE + X[i, j] * (ONE - s)))
            dZ[i, j] = d
            db[j] += d
    return dZ


@compiled
def gelu(Z: Array, b: Array) -> Array:
    Y = np.empty_like(Z)
    for i in range(Z.shape[0]):
        for j in range(Z.shape[1]):
            x = Z[i, j] + b[j]
            Z[i, j] = x
            Y[i, j] = x * normal_cdf(x)
    return Y


@compiled
def backprop_gelu(dY: Array, X: Array, db: Array) -> Array:
    dZ = np.empty_like(dY)
    for i in range(dY.shape[0]):
        for j in range(dY.shape[1]):
            x = X[i, j]
            d = dY[i, j] * (normal_cdf(x) + x * (DENSITY_0 * exp(-HALF * x * x)))
            dZ[i, j] = d
            db[j] += d
    return dZ


@compiled
def mish(Z: Array, b: Array) -> Array:
    Y = np.empty_like(Z)
    for i in range(Z.shape[0]):
        for j in range(Z.shape[1]):
            x = Z[i, j] + b[j]
            Z[i, j] = x
            e = exp(MISH_TOP if x > MISH_TOP else x)
            n = e * (e + TWO)
            Y[i, j] = x * (n / (n + TWO))
    return Y


@compiled
def backprop_mish(dY: Array, X: Array, db: Array) -> Array:
    dZ = np.empty_like(dY)
    for i in range(dY.shape[0]):
        for j in range(dY.shape[1]):
            x = MISH_TOP if X[i, j] > MISH_TOP else X[i, j]
            e = exp(x)
            n = e * (e + TWO)
            d = dY[i, j] * ((n + FOUR * x * e * (ONE + e) / (n + TWO)) / (n + TWO))
            dZ[i, j] = d
            db[j] += d
    return dZ


@compiled
def dish(Z: Array, b: Array) -> Array:
    Y = np.empty_like(Z)
    for i in range(Z.shape[0]):
        for j in range(Z.shape[1]):
            x = Z[i, j] + b[j]
            Z[i, j] = x
            Y[i, j] = HALF * x * (ONE + slanted(x))
    return Y


@compiled
def backprop_dish(dY: Array, X: Array, db: Array) -> Array:
    dZ = np.empty_like(dY)
    for i in range(dY.shape[0]):
        for j in range(dY.shape[1]):
            r = slanted(X[i, j])
            d = dY[i, j] * (HALF + r * (ONE - HALF * r * r))
            dZ[i, j] = d
            db[j] += d
    return dZ


@compiled
def softmax(Z: Array, b: Array) -> None:
    for i in range(Z.shape[0]):
        z = Z[i]
        for j in range(z.size):
            z[j] += b[j]
        top = row_max(z)
        for j in range(z.size):
            z[j] = exp(z[j] - top)
        scale = ONE / row_sum(z)
        for j in range(z.size):
            z[j] *= scale


@compiled
def backprop_softmax(dY: Array, Y: Array) -> Array:
    dX = np.empty_like(dY)
    for i in range(dY.shape[0]):
        dy, y, dx = dY[i], Y[i], dX[i]
        for j in range(dy.size):
            dx[j] = dy[j] * y[j]
        total = row_sum(dx)
        for j in range(dy.size):
            dx[j] -= y[j] * total
    return dX


@compiled
def crossentropy(X: Array, classes: Ints) -> tuple[Array, Array]:
    dX, nats = np.empty_like(X), np.empty(X.shape[0], np.float64)
    for i in range(X.shape[0]):
        x, dx, k = X[i], dX[i], classes[i]
        if k < 0 or k >= x.size:
            raise IndexError("a class number that the logits have not")
        top = row_max(x)
        for j in range(x.size):
            dx[j] = exp(x[j] - top)
        total = wide_sum(dx)
        scale = F(total)
        for j in range(x.size):
            dx[j] /= scale
        dx[k] -= ONE
        nats[i] = np.log(total) - (np.float64(x[k]) - np.float64(top))
    return dX, nats


@compiled
def layernorm(X: Array, G: Array, b: Array) -> tuple[Array, Array, Array]:
    Y, Xhat, scales = np.empty_like(X), np.empty_like(X), np.empty((X.shape[0], 1), X.dtype)
    n = F(X.shape[1])
    for i in range(X.shape[0]):
        x, xhat, y = X[i], Xhat[i], Y[i]
        mean = row_sum(x) / n
        for j in range(x.size):
            xhat[j] = x[j] - mean
            y[j] = xhat[j] * xhat[j]
        scale = ONE / np.sqrt(row_sum(y) / n + EPS)
        scales[i, 0] = scale
        for j in range(x.size):
            xhat[j] *= scale
            y[j] = xhat[j] * G[j] + b[j]
    return Y, Xhat, scales


# Short loops, since one that writes to many arrays is not vectorised.
@compiled
def backprop_layernorm(dY: Array, Xhat: Array, scales: Array, G: Array, dG: Array, db: Array) -> Array:
    dX, product = np.empty_like(dY), np.empty_like(G)
    n = F(dY.shape[1])
    for i in range(dY.shape[0]):
        dy, xhat, dx, scale = dY[i], Xhat[i], dX[i], scales[i, 0]
        for j in range(dy.size):
            db[j] += dy[j]
        for j in range(dy.size):
            dG[j] += dy[j] * xhat[j]
        for j in range(dy.size):
            dx[j] = dy[j] * G[j]
        for j in range(dy.size):
            product[j] = dx[j] * xhat[j]
        mean, mean_product = row_sum(dx) / n, row_sum(product) / n
        for j in range(dy.size):
            dx[j] = (dx[j] - mean - xhat[j] * mean_product) * scale
    return dX
