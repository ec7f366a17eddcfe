"""Functions of each number that activations are made of, in numpy. float32 stays float32, float64 stays float64."""

from __future__ import annotations

import math

import numpy as np

from trainer_cli.arrays import Array

SQRT_HALF = math.sqrt(0.5)
SLANTED_LIMIT = 1e9  # from here on `slanted` is 1 to the last bit of float64, and the square of float32 still finite

ERF_P = 0.3275911
ERF_A = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)

_exact_erfc = np.frompyfunc(math.erfc, 1, 1)


def logistic(X: Array, out: Array | None = None) -> Array:
    """`1 / (1 + exp(-X))`; where exp overflows the result is the 0 it should be."""
    out = np.negative(X, out=out)
    with np.errstate(over="ignore"):
        np.exp(out, out=out)
    out += 1
    return np.reciprocal(out, out=out)


def slanted(X: Array) -> Array:
    """`X / sqrt(1 + X^2)`."""
    limited = np.clip(X, -SLANTED_LIMIT, SLANTED_LIMIT)
    root = np.square(limited)
    root += 1
    np.sqrt(root, out=root)
    limited /= root
    return limited


def normal_cdf(X: Array) -> Array:
    """The standard normal distribution function, `erfc(-X / sqrt(2)) / 2`: exact, and slow, for float64.

    For float32, with `t = 1 / (1 + p |x| / sqrt(2))`, the tail is `(a1 t + ... + a5 t^5) exp(-x^2 / 2) / 2`, to 8e-8
    (Abramowitz and Stegun 1964, 7.1.26).
    """
    if X.dtype != np.float32:
        return np.asarray(_exact_erfc(X * -SQRT_HALF), dtype=X.dtype) * 0.5
    t = np.abs(X)
    t *= SQRT_HALF * ERF_P
    t += 1
    np.reciprocal(t, out=t)
    tail = t * ERF_A[-1]
    for a in reversed(ERF_A[:-1]):
        tail += a
        tail *= t
    np.square(X, out=t)
    t *= -0.5
    np.exp(t, out=t)
    tail *= t
    tail *= 0.5
    # tail or 1 - tail by arithmetic: np.where takes five times as long on signs it cannot foresee.
    positive = (X > 0).astype(X.dtype)
    np.multiply(positive, -2, out=t)
    t += 1
    tail *= t
    tail += positive
    return tail
