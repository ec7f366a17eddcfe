"""Compiled update rules over flat float32 arrays, in place: each reads and writes every number once.

Names and formulas are those of `updates`. Every constant is a float32, since one Python float would turn a loop to
float64.
"""

from __future__ import annotations

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.ops.compiled import compiled

F = np.float32
ZERO, ONE = F(0), F(1)


@compiled
def adam(
    weights: Array,
    gradient: Array,
    m: Array,
    v: Array,
    b1: np.float32,
    gain1: np.float32,
    b2: np.float32,
    gain2: np.float32,
    eps: np.float32,
    rate: np.float32,
    shrink: np.float32,
) -> None:
    for i in range(weights.size):
        g = gradient[i]
        m[i] = b1 * m[i] + gain1 * g
        v[i] = b2 * v[i] + gain2 * (g * g)
        weights[i] -= shrink * weights[i] + rate * (m[i] / (np.sqrt(v[i]) + eps))


@compiled
def momentum(
    weights: Array,
    gradient: Array,
    m: Array,
    v: Array,
    b1: np.float32,
    gain1: np.float32,
    b2: np.float32,
    gain2: np.float32,
    rate: np.float32,
) -> None:
    for i in range(weights.size):
        g = gradient[i]
        m[i] = b1 * m[i] + gain1 * g
        v[i] = b2 * v[i] + gain2 * (g * g)
        weights[i] -= rate * m[i]


@compiled
def lion(
    weights: Array,
    gradient: Array,
    m: Array,
    b1: np.float32,
    gain1: np.float32,
    b2: np.float32,
    gain2: np.float32,
    rate: np.float32,
    shrink: np.float32,
) -> None:
    for i in range(weights.size):
        g = gradient[i]
        u = b1 * m[i] + gain1 * g
        sign = ONE if u > ZERO else (-ONE if u < ZERO else ZERO)
        weights[i] -= shrink * weights[i] + rate * sign
        m[i] = b2 * m[i] + gain2 * g


@compiled
def rmsprop(
    weights: Array, gradient: Array, v: Array, b2: np.float32, gain2: np.float32, eps: np.float32, rate: np.float32
) -> None:
    for i in range(weights.size):
        g = gradient[i]
        v[i] = b2 * v[i] + gain2 * (g * g)
        weights[i] -= rate * (g / (np.sqrt(v[i]) + eps))


@compiled
def adagrad(weights: Array, gradient: Array, v: Array, eps: np.float32, rate: np.float32) -> None:
    for i in range(weights.size):
        g = gradient[i]
        v[i] += g * g
        weights[i] -= rate * (g / (np.sqrt(v[i]) + eps))


@compiled
def add_scaled(target: Array, source: Array, scale: np.float32) -> None:
    for i in range(target.size):
        target[i] += scale * source[i]


@compiled
def average(averages: Array, weights: Array, rate: np.float32) -> None:
    for i in range(averages.size):
        averages[i] -= (averages[i] - weights[i]) * rate
