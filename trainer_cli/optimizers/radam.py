"""Rectified Adam."""

from __future__ import annotations

import math

from trainer_cli.arrays import Array
from trainer_cli.ops import Ops
from trainer_cli.optimizers.hyper import Rate
from trainer_cli.optimizers.optimizer import Optimizer
from trainer_cli.optimizers.rule import Rates
from trainer_cli.registry import registry


@registry.optimizers("RAdam.v1")
def RAdam(
    learn_rate: Rate = 0.001,
    *,
    L2: Rate = 0.0,
    beta1: Rate = 0.9,
    beta2: Rate = 0.999,
    eps: Rate = 1e-8,
    grad_clip: Rate = 1.0,
    L2_is_weight_decay: bool = True,
    use_averages: bool = True,
) -> Optimizer:
    """Adam whose first steps are held back until the running square can be trusted (Liu et al. 2020, arXiv:1908.03265).

    With `rho_max = 2 / (1 - beta2) - 1` and `rho = rho_max - 2 t beta2^t / (1 - beta2^t)`: from rho >= 5 on the step is
    Adam's times `sqrt((rho - 4)(rho - 2) rho_max / ((rho_max - 4)(rho_max - 2) rho))`; before,
    `w -= learn_rate * m / (1 - beta1^t)`. As in thinc 8.1.7, t is one more than the number of updates, this one
    included (in the paper it is that number). Clipping, decay and averages as `Optimizer` says.
    """
    return Optimizer(
        learn_rate,
        rule=RAdamRule(),
        L2=L2,
        beta1=beta1,
        beta2=beta2,
        eps=eps,
        grad_clip=grad_clip,
        L2_is_weight_decay=L2_is_weight_decay,
        use_averages=use_averages,
    )


class RAdamRule:
    moments = ("m", "v")

    def __call__(
        self, ops: Ops, weights: Array, gradient: Array, moments: dict[str, Array], rates: Rates, n_updates: int
    ) -> None:
        m, v = moments["m"], moments["v"]
        t = n_updates + 1
        rho, rho_max = variance_degrees(rates.beta2, t)
        rate = rates.learn_rate / (1 - rates.beta1**t)
        if rho < 5:
            ops.momentum(weights, gradient, m, v, beta1=rates.beta1, beta2=rates.beta2, rate=rate)
            return
        rate *= math.sqrt((rho - 4) * (rho - 2) * rho_max / ((rho_max - 4) * (rho_max - 2) * rho))
        rate *= math.sqrt(1 - rates.beta2**t)
        ops.adam(weights, gradient, m, v, beta1=rates.beta1, beta2=rates.beta2, eps=rates.eps, rate=rate)


def variance_degrees(beta2: float, t: int) -> tuple[float, float]:
    """How many samples the running square averages over at `t`, and in the limit."""
    rho_max = 2 / (1 - beta2) - 1
    power = beta2**t
    return rho_max - 2 * t * power / (1 - power), rho_max
