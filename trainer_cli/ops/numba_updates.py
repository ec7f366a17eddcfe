"""The rules of `updates` with kernels for float32 arrays, the same to the bit; any other array goes to numpy."""

from __future__ import annotations

from trainer_cli.arrays import Array
from trainer_cli.ops import update_kernels, updates
from trainer_cli.ops.fit import F, flat
from trainer_cli.ops.updates import Means


def adam(
    weights: Array,
    gradient: Array,
    m: Array,
    v: Array,
    means: Means,
    *,
    eps: float,
    rate: float,
    shrink: float = 0.0,
) -> None:
    if not flat(weights, gradient, m, v):
        return updates.adam(weights, gradient, m, v, means, eps=eps, rate=rate, shrink=shrink)
    b1, gain1, b2, gain2 = map(F, means)
    return update_kernels.adam(weights, gradient, m, v, b1, gain1, b2, gain2, F(eps), F(rate), F(shrink))


def momentum(weights: Array, gradient: Array, m: Array, v: Array, means: Means, *, rate: float) -> None:
    if not flat(weights, gradient, m, v):
        return updates.momentum(weights, gradient, m, v, means, rate=rate)
    b1, gain1, b2, gain2 = map(F, means)
    return update_kernels.momentum(weights, gradient, m, v, b1, gain1, b2, gain2, F(rate))


def lion(weights: Array, gradient: Array, m: Array, means: Means, *, rate: float, shrink: float = 0.0) -> None:
    if not flat(weights, gradient, m):
        return updates.lion(weights, gradient, m, means, rate=rate, shrink=shrink)
    b1, gain1, b2, gain2 = map(F, means)
    return update_kernels.lion(weights, gradient, m, b1, gain1, b2, gain2, F(rate), F(shrink))


def rmsprop(weights: Array, gradient: Array, v: Array, *, beta2: float, gain2: float, eps: float, rate: float) -> None:
    if not flat(weights, gradient, v):
        return updates.rmsprop(weights, gradient, v, beta2=beta2, gain2=gain2, eps=eps, rate=rate)
    return update_kernels.rmsprop(weights, gradient, v, F(beta2), F(gain2), F(eps), F(rate))


def adagrad(weights: Array, gradient: Array, v: Array, *, eps: float, rate: float) -> None:
    if not flat(weights, gradient, v):
        return updates.adagrad(weights, gradient, v, eps=eps, rate=rate)
    return update_kernels.adagrad(weights, gradient, v, F(eps), F(rate))


def add_scaled(target: Array, source: Array, *, scale: float) -> None:
    if not flat(target, source):
        return updates.add_scaled(target, source, scale=scale)
    return update_kernels.add_scaled(target, source, F(scale))


def average(averages: Array, weights: Array, *, decay: float) -> None:
    if not flat(averages, weights):
        return updates.average(averages, weights, decay=decay)
    return update_kernels.average(averages, weights, F(1 - decay))
