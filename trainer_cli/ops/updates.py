"""Update rules over flat arrays in numpy, in blocks that stay in the cache and allocate nothing of the arrays' size."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trainer_cli.arrays import Array

BLOCK = 16_384  # elements: five float32 arrays of a block fit a 512 KB second-level cache


def blocks(*arrays: Array) -> Iterator[tuple[Array, ...]]:
    for start in range(0, arrays[0].size, BLOCK):
        yield tuple(array[start : start + BLOCK] for array in arrays)


def adam(
    weights: Array, gradient: Array, m: Array, v: Array, *, beta1: float, beta2: float, eps: float, rate: float
) -> None:
    """`m = b1 m + (1-b1) g`, `v = b2 v + (1-b2) g^2`, `w -= rate * m / (sqrt(v) + eps)` (Kingma and Ba 2015).

    The caller folds the bias corrections into `rate`, as in the paper's section 2.
    """
    for w, g, m_, v_ in blocks(weights, gradient, m, v):
        moments(g, m_, v_, beta1, beta2)
        step = np.sqrt(v_)
        step += eps
        np.divide(m_, step, out=step)
        step *= rate
        w -= step


def momentum(weights: Array, gradient: Array, m: Array, v: Array, *, beta1: float, beta2: float, rate: float) -> None:
    """Both moments as in `adam`, `w -= rate * m`: RAdam's step while its variance is intractable (Liu et al. 2020)."""
    for w, g, m_, v_ in blocks(weights, gradient, m, v):
        moments(g, m_, v_, beta1, beta2)
        w -= rate * m_


def moments(g: Array, m: Array, v: Array, beta1: float, beta2: float) -> None:
    # 1 - beta is taken in the arrays' own precision: a running mean's two weights then add up to 1 there.
    one, b1, b2 = g.dtype.type(1), g.dtype.type(beta1), g.dtype.type(beta2)
    m *= b1
    m += (one - b1) * g
    v *= b2
    square = g * g
    square *= one - b2
    v += square


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
