"""A fall along a power of the steps that are left."""

from __future__ import annotations

import math

from trainer_cli.errors import ArgumentError
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import (
    require_at_least,
    require_numbers,
    require_warmup,
    require_whole,
    require_within,
)
from trainer_cli.schedules.schedule import Schedule, called
from trainer_cli.schedules.warmup import after_warmup


@registry.schedules("polynomial.v1")
def polynomial(
    initial_rate: float, total_steps: int, *, power: float = 1.0, warmup_steps: int = 0, min_rate: float = 0.0
) -> Schedule:
    """Rise linearly from 0 over `warmup_steps`, then fall as a power of what is left, to `min_rate` at `total_steps`.

    With p the part of the steps after the warm-up that is left, from 1 to 0, the rate is
    `min_rate + (initial_rate - min_rate) * p**power`; it stays at `min_rate`. Chen et al., "DeepLab", 2016,
    https://arxiv.org/abs/1606.00915, with power 0.9.

    >>> rates = polynomial(1.0, 10, power=2)
    >>> [round(rates(step), 2) for step in (0, 1, 5, 9, 10, 11)]
    [1.0, 0.81, 0.25, 0.01, 0.0, 0.0]
    """
    require_at_least("polynomial", 0, initial_rate=initial_rate)
    require_numbers("polynomial", power=power)
    require_whole("polynomial", total_steps=total_steps, warmup_steps=warmup_steps)
    require_within("polynomial", "min_rate", min_rate, "initial_rate", initial_rate)
    require_warmup("polynomial", warmup_steps, total_steps, "lower it")
    if power <= 0.0:
        raise ArgumentError(f"polynomial: power must be above 0, got {power}")
    n_steps = total_steps - warmup_steps

    def fall(step: int) -> float:
        if step >= n_steps:
            return min_rate
        return min_rate + (initial_rate - min_rate) * math.pow(1.0 - step / n_steps, power)

    settings = {"power": (power, 1.0), "warmup_steps": (warmup_steps, 0), "min_rate": (min_rate, 0.0)}
    text = called("polynomial", initial_rate, total_steps, **settings)
    return Schedule(after_warmup(initial_rate, warmup_steps, fall), text)
