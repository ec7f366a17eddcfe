"""Activations and dropout in numpy, each activation forward and backward.

B is the number of rows. A forward takes the products `Z` of a layer before its bias, (B, n), made by the caller and
given up to the function, which works in its place; `b` is the bias, (n,). It returns the outputs and what its
backward needs. A backward takes the outputs' gradient `dY`, which it leaves alone, adds the bias's gradient to `db`
and returns the gradient of `Z`. float32 stays float32 and float64 stays float64; NaN is passed on.
"""

from __future__ import annotations

import math

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.ops.curves import logistic, normal_cdf, slanted

SQRT_2_PI = math.sqrt(2 * math.pi)
MISH_LIMIT = 20.0  # from here on it is the identity to the last bit of float64, and exp of float32 still finite


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


def mish(Z: Array, b: Array) -> tuple[Array, Array]:
    """`Y = X * tanh(log(1 + exp(X)))` with `X = Z + b`.

    With `e = exp(X)` and `n = e * (e + 2)` that is `X * n / (n + 2)`.
    """
    Z += b
    Y = np.minimum(Z, MISH_LIMIT)
    np.exp(Y, out=Y)
    Y *= Y + 2
    Y /= Y + 2
    Y *= Z
    return Y, Z


def backprop_mish(dY: Array, X: Array, db: Array) -> Array:
    """With these e and n: `dY * (n + 4 * X * e * (1 + e) / (n + 2)) / (n + 2)`."""
    limited = np.minimum(X, MISH_LIMIT)
    e = np.exp(limited)
    n = e * (e + 2)
    limited *= 4 * e
    e += 1
    limited *= e
    dZ: Array = n + 2
    limited /= dZ
    n += limited
    np.divide(n, dZ, out=dZ)
    dZ *= dY
    db += dZ.sum(axis=0)
    return dZ


def dish(Z: Array, b: Array) -> tuple[Array, Array]:
    """`Y = X / 2 * (1 + X / sqrt(1 + X^2))` with `X = Z + b`."""
    Z += b
    Y = slanted(Z)
    Y += 1
    Y *= Z
    Y *= 0.5
    return Y, Z


def backprop_dish(dY: Array, X: Array, db: Array) -> Array:
    """With `r = X / sqrt(1 + X^2)`: `dY * (1 / 2 + r - r^3 / 2)`."""
    r = slanted(X)
    dZ: Array = r * r
    dZ *= -0.5
    dZ += 1
    dZ *= r
    dZ += 0.5
    dZ *= dY
    db += dZ.sum(axis=0)
    return dZ


def hard_swish(Z: Array, b: Array, *, slope: float) -> tuple[Array, Array]:
    """`Y = X * min(1, max(0, slope * X + 1/2))` with `X = Z + b`."""
    Z += b
    Y = Z * slope
    Y += 0.5
    np.clip(Y, 0, 1, out=Y)
    Y *= Z
    return Y, Z


def backprop_hard_swish(dY: Array, X: Array, db: Array, *, slope: float) -> Array:
    """`dY * (2 * slope * X + 1/2)` up to `|X| = 1 / (2 * slope)`; beyond that dY above and 0 below."""
    limit = 0.5 / slope
    dZ = X * (2 * slope)
    dZ += 0.5
    dZ *= np.abs(X) <= limit
    dZ += limit < X
    dZ *= dY
    db += dZ.sum(axis=0)
    return dZ


def clipped_linear(
    Z: Array, b: Array, *, slope: float, offset: float, min_val: float, max_val: float
) -> tuple[Array, Array]:
    """`Y = min(max_val, max(min_val, slope * (Z + b) + offset))`."""
    Z += b
    Z *= slope
    Z += offset
    np.clip(Z, min_val, max_val, out=Z)
    return Z, Z


def backprop_clipped_linear(dY: Array, Y: Array, db: Array, *, slope: float, min_val: float, max_val: float) -> Array:
    """`slope * dY` between the limits, 0 at and beyond them."""
    dZ: Array = dY * slope
    dZ *= min_val < Y
    dZ *= max_val > Y
    db += dZ.sum(axis=0)
    return dZ


def dropout(X: Array, rate: float, stream: np.random.Generator) -> tuple[Array, Array]:
    """X with elements set to 0 with probability `rate` and the rest divided by `1 - rate`, and the factors used.

    Each 64-bit draw decides four elements, so the rate is rounded to a multiple of 1/65536; X is left alone.
    """
    n_kept = max(1, round((1 - rate) * 65536))
    words = stream.bit_generator.random_raw(-(-X.size // 4))
    draws = words.astype("<u8", copy=False).view("<u2")[: X.size]
    mask = (draws < n_kept).astype(X.dtype).reshape(X.shape)
    mask *= X.dtype.type(65536 / n_kept)
    return X * mask, mask
