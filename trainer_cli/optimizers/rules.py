"""The update rules of the reference, between which `Optimizer` chooses."""

from __future__ import annotations

import math

from trainer_cli.arrays import Array
from trainer_cli.ops import Ops
from trainer_cli.ops.updates import Means
from trainer_cli.optimizers.rule import Part, Rates, Rule


class SGDRule(Rule):
    """`w -= learn_rate * g`."""

    def move(self, ops: Ops, part: Part, rates: Rates) -> None:
        ops.add_scaled(part.weights, part.gradient, scale=-rates.learn_rate)


class AdamRule(Rule):
    """See `Adam`."""

    moments = ("m", "v")
    clears = True

    def move(self, ops: Ops, part: Part, rates: Rates) -> None:
        t, (beta1, beta2) = part.n_updates, (rates.beta1, rates.beta2)
        rate = rates.learn_rate * math.sqrt(1 - beta2**t) / (1 - beta1**t)
        # As in the reference, the gains are taken in the weights' own precision: beta and gain add up to 1 there.
        means = Means(beta1, complement(beta1, part.weights), beta2, complement(beta2, part.weights))
        m, v = part.moments["m"], part.moments["v"]
        ops.adam(part.weights, part.gradient, m, v, means, eps=rates.eps, rate=rate)


class RAdamRule(Rule):
    """See `RAdam`."""

    moments = ("m", "v")
    clears = True

    def move(self, ops: Ops, part: Part, rates: Rates) -> None:
        m, v = part.moments["m"], part.moments["v"]
        means = Means(rates.beta1, 1 - rates.beta1, rates.beta2, 1 - rates.beta2)
        t = part.n_updates + 1
        rho, rho_max = variance_degrees(rates.beta2, t)
        rate = rates.learn_rate / (1 - rates.beta1**t)
        if rho < 5:
            ops.momentum(part.weights, part.gradient, m, v, means, rate=rate)
            return
        rate *= math.sqrt((rho - 4) * (rho - 2) * rho_max / ((rho_max - 4) * (rho_max - 2) * rho))
        rate *= math.sqrt(1 - rates.beta2**t)
        ops.adam(part.weights, part.gradient, m, v, means, eps=rates.eps, rate=rate)


def complement(beta: float, like: Array) -> float:
    """1 - beta in the precision of `like`."""
    number = like.dtype.type
    return float(number(1) - number(beta))


def variance_degrees(beta2: float, t: int) -> tuple[float, float]:
    """How many samples the running square averages over at `t`, and in the limit."""
    rho_max = 2 / (1 - beta2) - 1
    power = beta2**t
    return rho_max - 2 * t * power / (1 - power), rho_max
