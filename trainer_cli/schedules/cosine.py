"""Half a cosine down, as often as wanted."""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import pairwise

from trainer_cli.errors import ArgumentError
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import require_at_least, require_warmup, require_whole, require_within
from trainer_cli.schedules.schedule import Schedule, called
from trainer_cli.schedules.warmup import after_warmup


@registry.schedules("cosine.v1")
def cosine(
    initial_rate: float,
    total_steps: int,
    *,
    warmup_steps: int = 0,
    warmup: float = 0.0,
    min_rate: float = 0.0,
    restarts: int = 0,
    growth: float = 1.0,
) -> Schedule:
    """Rise linearly from 0 over `warmup_steps`, then fall along half a cosine to `min_rate` at `total_steps`, and stay.

    `warmup` is the same as a share of `total_steps`, to whole steps: it fits whatever their number; give one of both.

    In a period of T steps the rate at its step t is `min_rate + (initial_rate - min_rate) * (1 + cos(pi * t / T)) / 2`.
    With `restarts` the steps after the warm-up are cut into `restarts + 1` periods, each `growth` times as long as the
    one before (to whole steps), and each begins at `initial_rate` again. Loshchilov & Hutter, "SGDR: Stochastic
    Gradient Descent with Warm Restarts", 2017, https://arxiv.org/abs/1608.03983.

    >>> rates = cosine(1.0, 10, warmup_steps=2)
    >>> [round(rates(step), 3) for step in (0, 1, 2, 6, 10, 11)]
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.0]
    >>> cosine(1.0, 10, warmup=0.2)(1)
    0.5
    >>> rates = cosine(1.0, 6, restarts=1, growth=2.0)
    >>> [round(rates(step), 3) for step in range(7)]
    [1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 0.0]
    """
    require_at_least("cosine", 0, initial_rate=initial_rate)
    require_whole("cosine", total_steps=total_steps, warmup_steps=warmup_steps, restarts=restarts)
    require_within("cosine", "min_rate", min_rate, "initial_rate", initial_rate)
    n_before = warmup_length(total_steps, warmup_steps, warmup)
    if growth != 1.0 and not restarts:
        raise ArgumentError(f"cosine: growth has no effect without restarts, got {growth}")
    starts = period_starts(int(total_steps - n_before), int(restarts) + 1, growth)

    def fall(step: int) -> float:
        if step >= starts[-1]:
            return min_rate
        period = bisect_right(starts, step)
        start, stop = starts[period - 1], starts[period]
        return min_rate + (initial_rate - min_rate) * 0.5 * (1.0 + math.cos(math.pi * (step - start) / (stop - start)))

    text = called(
        "cosine",
        initial_rate,
        total_steps,
        warmup_steps=(warmup_steps, 0),
        warmup=(warmup, 0.0),
        min_rate=(min_rate, 0.0),
        restarts=(restarts, 0),
        growth=(growth, 1.0),
    )
    return Schedule(after_warmup(initial_rate, n_before, fall), text)


def warmup_length(total_steps: float, warmup_steps: float, warmup: float) -> int:
    """The steps of the warm-up, of which one of both says how many there are."""
    require_at_least("cosine", 0, warmup=warmup)
    if warmup > 1:
        raise ArgumentError(f"cosine: warmup is a share of total_steps, at most 1, got {warmup}")
    if warmup and warmup_steps:
        raise ArgumentError(f"cosine: give warmup_steps or warmup, not both, got {warmup_steps} and {warmup}")
    remedy = "lower it, or give warmup, a share of total_steps, in its place"
    require_warmup("cosine", warmup_steps, total_steps, remedy)
    return round(warmup * total_steps) if warmup else int(warmup_steps)


def period_starts(n_steps: int, n_periods: int, growth: float) -> list[int]:
    """The first step of each period, and the end of the last; each period is `growth` times the one before.

    >>> period_starts(700, 3, 2.0)
    [0, 100, 300, 700]
    """
    require_at_least("cosine", 1, growth=growth)
    starts = [0, n_steps]
    if 1 < n_periods <= n_steps:
        starts = [round(n_steps * part_before(k, n_periods, growth)) for k in range(n_periods + 1)]
    if n_periods > 1 and (n_periods > n_steps or any(start == stop for start, stop in pairwise(starts))):
        raise ArgumentError(
            f"cosine: each of {n_periods} periods must have a step, got {n_steps} steps after the warm-up"
            + (f" and growth {growth}" if growth != 1.0 else "")
        )
    return starts


def part_before(k: int, n_periods: int, growth: float) -> float:
    """Which part of all periods the first k are: `(growth**k - 1) / (growth**n_periods - 1)`."""
    if growth == 1.0:
        return k / n_periods
    # In powers below 1, which cannot overflow, and exact for a growth near 1.
    log = math.log(growth)
    return math.exp((k - n_periods) * log) * math.expm1(-k * log) / math.expm1(-n_periods * log)
