"""Update rules over flat arrays in numpy, in blocks that stay in the cache and allocate nothing of the arrays' size.

`shrink` is what weight decay takes from the weights, `learn_rate * weight_decay` of each.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from trainer_cli.arrays import Array

BLOCK = 16_384  # elements: five float32 arrays of a block fit a 512 KB second-level cache


class Means(NamedTuple):
    """Two running means, `m = beta1 m + gain1 g` and `v = beta2 v + gain2 g^2`: a gain is 1 - beta but for rounding."""

    beta1: float
    gain1: float
    beta2: float
    gain2: float


def blocks(*arrays: Array) -> Iterator[tuple[Array, ...]]:
    for start in range(0, arrays[0].size, BLOCK):
        yield tuple(array[start : start + BLOCK] for array in arrays)


def adam(
    weights: Array, gradient: Array, m: Array, v: Array, means: Means, *, eps: float, rate: float, shrink: float = 0.0
) -> None:
    """`m = b1 m + gain1 g`, `v = b2 v + gain2 g^2`, `w -= shrink w + rate * m / (sqrt(v) + eps)` (Kingma and Ba 2015).

    The caller folds the bias corrections into `rate`, as in the paper's section 2. The gradient is zero afterwards.
    """
    for w, g, m_, v_ in blocks(weights, gradient, m, v):
        mean(m_, g, means.beta1, means.gain1)
        mean(v_, g * g, means.beta2, means.gain2)
        step = np.sqrt(v_)
        step += eps
        np.divide(m_, step, out=step)
        step *= rate
        if shrink:
            step += shrink * w
        w -= step
        g.fill(0)


def momentum(weights: Array, gradient: Array, m: Array, v: Array, means: Means, *, rate: float) -> None:
    """Both moments as in `adam`, `w -= rate * m`: RAdam's step while its variance is intractable (Liu et al. 2020).

    The gradient is zero afterwards.
    """
    for w, g, m_, v_ in blocks(weights, gradient, m, v):
        mean(m_, g, means.beta1, means.gain1)
        mean(v_, g * g, means.beta2, means.gain2)
        w -= rate * m_
        g.fill(0)


def lion(weights: Array, gradient: Array, m: Array, means: Means, *, rate: float, shrink: float = 0.0) -> None:
    """`w -= shrink w + rate * sign(b1 m + gain1 g)`, then `m = b2 m + gain2 g` (Chen et al. 2023)."""
    for w, g, m_ in blocks(weights, gradient, m):
        u = means.beta1 * m_
        u += means.gain1 * g
        step = np.subtract(u > 0, u < 0, dtype=u.dtype)  # np.sign is ten times slower
        step *= rate
        if shrink:
            step += shrink * w
        w -= step
        mean(m_, g, means.beta2, means.gain2)


def rmsprop(weights: Array, gradient: Array, v: Array, *, beta2: float, gain2: float, eps: float, rate: float) -> None:
    """`v = b2 v + gain2 g^2`, `w -= rate * g / (sqrt(v) + eps)` (Tieleman and Hinton 2012)."""
    for w, g, v_ in blocks(weights, gradient, v):
        mean(v_, g * g, beta2, gain2)
        scaled_step(w, g, v_, eps, rate)


def adagrad(weights: Array, gradient: Array, v: Array, *, eps: float, rate: float) -> None:
    """`v += g^2`, `w -= rate * g / (sqrt(v) + eps)` (Duchi et al. 2011)."""
    for w, g, v_ in blocks(weights, gradient, v):
        v_ += g * g
        scaled_step(w, g, v_, eps, rate)


def mean(m: Array, x: Array, beta: float, gain: float) -> None:
    m *= beta
    m += gain * x


def scaled_step(w: Array, g: Array, v: Array, eps: float, rate: float) -> None:
    step = np.sqrt(v)
    step += eps
    np.divide(g, step, out=step)
    step *= rate
    w -= step


def add_scaled(target: Array, source: Array, *, scale: float) -> None:
    """`t += scale * s`: gradient descent, weight decay, L2."""
    for t, s in blocks(target, source):
        t += scale * s


def average(averages: Array, weights: Array, *, decay: float) -> None:
    """`a -= (1 - decay) * (a - w)`."""
    for a, w in blocks(averages, weights):
        difference = a - w
        difference *= 1 - decay
        a -= difference
