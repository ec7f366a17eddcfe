"""Activations and normalisation in numpy, each forward with its backward.

B is the number of rows. A forward takes the products `Z` of a layer before its bias, (B, n), made by the caller and
given up to the function, which works in its place; `b` is the bias, (n,). It returns the outputs and what its
backward needs. A backward takes the outputs' gradient `dY`, which it leaves alone, adds the bias's gradient to `db`
and returns the gradient of `Z`. float32 stays float32 and float64 stays float64; NaN is passed on.
"""

from __future__ import annotations

import math

import numpy as np

from trainer_cli.arrays import Array

LAYERNORM_EPS = 1e-8  # thinc's
SQRT_HALF = math.sqrt(0.5)
SQRT_2_PI = math.sqrt(2 * math.pi)

_exact_erf = np.frompyfunc(math.erf, 1, 1)


def bias(Z: Array, b: Array) -> tuple[Array, None]:
    """`Y = Z + b`."""
    Z += b
    return Z, None


def backprop_bias(dY: Array, kept: None, db: Array) -> Array:
    """The outputs' gradient is that of `Z`."""
    db += dY.sum(axis=0)
    return dY


def relu(Z: Array, b: Array) -> tuple[Array, Array]:
    """`Y = max(0, Z + b)`."""
    Z += b
    np.maximum(Z, 0, out=Z)
    return Z, Z


def backprop_relu(dY: Array, Y: Array, db: Array) -> Array:
    dZ: Array = dY * (Y > 0)
    db += dZ.sum(axis=0)
    return dZ


def sigmoid(Z: Array, b: Array) -> tuple[Array, Array]:
    """`Y = 1 / (1 + exp(-(Z + b)))`."""
    Z += b
    logistic(Z, out=Z)
    return Z, Z


def backprop_sigmoid(dY: Array, Y: Array, db: Array) -> Array:
    dZ = 1 - Y
    dZ *= Y
    dZ *= dY
    db += dZ.sum(axis=0)
    return dZ


def tanh(Z: Array, b: Array) -> tuple[Array, Array]:
    """`Y = tanh(Z + b)`."""
    Z += b
    np.tanh(Z, out=Z)
    return Z, Z


def backprop_tanh(dY: Array, Y: Array, db: Array) -> Array:
    dZ = Y * Y
    np.subtract(1, dZ, out=dZ)
    dZ *= dY
    db += dZ.sum(axis=0)
    return dZ


def swish(Z: Array, b: Array) -> tuple[Array, Array]:
    """`Y = X * sigmoid(X)` with `X = Z + b`."""
    Z += b
    Y = logistic(Z)
    Y *= Z
    return Y, Z


def backprop_swish(dY: Array, X: Array, db: Array) -> Array:
    """With `s = sigmoid(X)`: `dY * (s + X * s * (1 - s))`."""
    s = logistic(X)
    dZ = 1 - s
    dZ *= X
    dZ += 1
    dZ *= s
    dZ *= dY
    db += dZ.sum(axis=0)
    return dZ


def gelu(Z: Array, b: Array) -> tuple[Array, Array]:
    """`Y = X * P(X)` with `X = Z + b` and P the standard normal distribution function."""
    Z += b
    Y = normal_cdf(Z)
    Y *= Z
    return Y, Z


def backprop_gelu(dY: Array, X: Array, db: Array) -> Array:
    """With p the standard normal density: `dY * (P(X) + X * p(X))`."""
    dZ = X * X
    dZ *= -0.5
    np.exp(dZ, out=dZ)
    dZ *= X
    dZ *= 1 / SQRT_2_PI
    dZ += normal_cdf(X)
    dZ *= dY
    db += dZ.sum(axis=0)
    return dZ


def softmax(Z: Array, b: Array) -> tuple[Array, None]:
    """`Y = exp(X) / sum(exp(X))` over each row of `X = Z + b`, shifted by the row's maximum against overflow."""
    Z += b
    Z -= Z.max(axis=1, keepdims=True)
    np.exp(Z, out=Z)
    Z /= Z.sum(axis=1, keepdims=True)
    return Z, None


def maxout(Z: Array, b: Array) -> tuple[Array, Array]:
    """The largest of each output's pieces. Z and b are (B, nO, nP) and (nO, nP); Y and which piece it was, (B, nO)."""
    Z += b
    best = Z[:, :, 0].copy()
    which = np.zeros(best.shape, dtype=np.int16)
    for piece in range(1, Z.shape[2]):
        which[Z[:, :, piece] > best] = piece
        np.maximum(best, Z[:, :, piece], out=best)
    return best, which


def backprop_maxout(dY: Array, which: Array, db: Array) -> Array:
    """(B, nO) -> (B, nO, nP): the gradient goes to the piece that was the largest."""
    dZ = np.empty((*dY.shape, db.shape[1]), dY.dtype)
    for piece in range(db.shape[1]):
        np.multiply(dY, which == piece, out=dZ[:, :, piece])
    db += dZ.sum(axis=0)
    return dZ


def layernorm(X: Array, G: Array, b: Array) -> tuple[Array, tuple[Array, Array]]:
    """`Y = Xhat * G + b` with `Xhat = (X - mean) / sqrt(var + 1e-8)` over each row; X is left alone.

    X and Y are (B, n), G and b (n,). What is kept is Xhat and 1 / sqrt(var + 1e-8), (B, 1).
    """
    Xhat = X - X.mean(axis=1, keepdims=True)
    scale = np.square(Xhat).mean(axis=1, keepdims=True)
    scale += LAYERNORM_EPS
    np.sqrt(scale, out=scale)
    np.reciprocal(scale, out=scale)
    Xhat *= scale
    Y = Xhat * G
    Y += b
    return Y, (Xhat, scale)


def backprop_layernorm(dY: Array, kept: tuple[Array, Array], G: Array, dG: Array, db: Array) -> Array:
    """With `d = dY * G`: `(d - mean(d) - Xhat * mean(d * Xhat)) / sqrt(var + 1e-8)` over each row."""
    Xhat, scale = kept
    db += dY.sum(axis=0)
    product = dY * Xhat
    dG += product.sum(axis=0)
    product *= G
    dX: Array = dY * G
    dX -= dX.mean(axis=1, keepdims=True)
    dX -= Xhat * product.mean(axis=1, keepdims=True)
    dX *= scale
    return dX


def dropout_mask(
    shape: tuple[int, ...], rate: float, stream: np.random.Generator, dtype: np.dtype[np.generic]
) -> Array:
    """0 with probability `rate`, else 1 / (1 - rate). The draws are float32 whatever the type of the mask."""
    draws = stream.random(shape, dtype=np.float32)
    mask = draws if draws.dtype == dtype else np.empty(shape, dtype)
    np.greater_equal(draws, np.float32(rate), out=mask)
    mask *= 1 / (1 - rate)
    return mask


def logistic(X: Array, out: Array | None = None) -> Array:
    """`1 / (1 + exp(-X))`; where exp overflows the result is the 0 it should be."""
    out = np.negative(X, out=out)
    with np.errstate(over="ignore"):
        np.exp(out, out=out)
    out += 1
    return np.reciprocal(out, out=out)


def normal_cdf(X: Array) -> Array:
    """The standard normal distribution function, `(1 + erf(X / sqrt(2))) / 2`."""
    P = erf(X * SQRT_HALF)
    P += 1
    P *= 0.5
    return P


def erf(X: Array) -> Array:
    """The error function: to 1.5e-7 in float32 (Abramowitz and Stegun 1964, 7.1.26), exact, and slow, in float64.

    With `t = 1 / (1 + 0.3275911 |x|)`: `sign(x) (1 - (a1 t + a2 t^2 + ... + a5 t^5) exp(-x^2))`.
    """
    if X.dtype != np.float32:
        return np.asarray(_exact_erf(X), dtype=X.dtype)
    t = np.abs(X)
    t *= 0.3275911
    t += 1
    np.reciprocal(t, out=t)
    Y = t * 1.061405429
    for a in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        Y += a
        Y *= t
    np.square(X, out=t)
    np.negative(t, out=t)
    np.exp(t, out=t)
    Y *= t
    np.subtract(1, Y, out=Y)
    return np.copysign(Y, X, out=Y)
