"""Compiled update rules over flat float32 arrays, in place: each reads and writes every number once.

Names and formulas are those of `updates`. Every constant is a float32, since one Python float would turn a loop to
float64. What is read goes into variables, and nothing is read after something was written: only then does the compiler
know at once that a loop can be vectorised, which is up to three times faster.
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
        w, g = weights[i], gradient[i]
        mean = b1 * m[i] + gain1 * g
        square = b2 * v[i] + gain2 * (g * g)
        weights[i] = w - (shrink * w + rate * (mean / (np.sqrt(square) + eps)))
        m[i] = mean
        v[i] = square
        gradient[i] = ZERO


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
        w, g = weights[i], gradient[i]
        mean = b1 * m[i] + gain1 * g
        square = b2 * v[i] + gain2 * (g * g)
        weights[i] = w - rate * mean
        m[i] = mean
        v[i] = square
        gradient[i] = ZERO


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
        w, g, mean = weights[i], gradient[i], m[i]
        u = b1 * mean + gain1 * g
        sign = ONE if u > ZERO else (-ONE if u < ZERO else ZERO)
        weights[i] = w - (shrink * w + rate * sign)
        m[i] = b2 * mean + gain2 * g


@compiled
def rmsprop(
    weights: Array, gradient: Array, v: Array, b2: np.float32, gain2: np.float32, eps: np.float32, rate: np.float32
) -> None:
    for i in range(weights.size):
        w, g = weights[i], gradient[i]
        square = b2 * v[i] + gain2 * (g * g)
        weights[i] = w - rate * (g / (np.sqrt(square) + eps))
        v[i] = square


@compiled
def adagrad(weights: Array, gradient: Array, v: Array, eps: np.float32, rate: np.float32) -> None:
    for i in range(weights.size):
        w, g = weights[i], gradient[i]
        square = v[i] + g * g
        weights[i] = w - rate * (g / (np.sqrt(square) + eps))
        v[i] = square


@compiled
def add_scaled(target: Array, source: Array, scale: np.float32) -> None:
    for i in range(target.size):
        target[i] += scale * source[i]


@compiled
def average(averages: Array, weights: Array, rate: np.float32) -> None:
    for i in range(averages.size):
        averages[i] -= (averages[i] - weights[i]) * rate
