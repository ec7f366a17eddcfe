"""One rise, one fall, and an end far below the start."""

from __future__ import annotations

import math

from trainer_cli.errors import ArgumentError
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import require_at_least, require_numbers, require_whole
from trainer_cli.schedules.schedule import Schedule, called


@registry.schedules("one_cycle.v1")
def one_cycle(
    max_rate: float, total_steps: int, *, cut_frac: float = 0.3, ratio: float = 25.0, final_ratio: float = 1e4
) -> Schedule:
    """Rise from `max_rate / ratio` to `max_rate` at `total_steps * cut_frac`, then fall to the end at `total_steps`.

    The end is `max_rate / ratio / final_ratio`; the rate stays there. Both ways are half cosines: between a and b the
    rate is `b + (a - b) * (1 + cos(pi * p)) / 2`, where p goes from 0 to 1. Smith & Topin, "Super-Convergence: Very
    Fast Training of Neural Networks Using Large Learning Rates", 2018, https://arxiv.org/abs/1708.07120; the paper
    goes in straight lines, up, down and far down.

    >>> rates = one_cycle(1.0, 10, cut_frac=0.4, ratio=5)
    >>> [round(rates(step), 3) for step in (0, 2, 4, 7, 10, 11)]
    [0.2, 0.6, 1.0, 0.5, 0.0, 0.0]
    """
    require_numbers("one_cycle", cut_frac=cut_frac)
    require_at_least("one_cycle", 0, max_rate=max_rate)
    require_whole("one_cycle", total_steps=total_steps)
    require_at_least("one_cycle", 1, ratio=ratio, final_ratio=final_ratio)
    if not 0.0 <= cut_frac <= 1.0:
        raise ArgumentError(f"one_cycle: cut_frac must lie between 0 and 1, got {cut_frac}")
    cut, start = total_steps * cut_frac, max_rate / ratio
    end = start / final_ratio

    def value_at(step: int) -> float:
        if step >= total_steps:
            return end
        if step < cut:
            return half_cosine(start, max_rate, step / cut)
        return half_cosine(max_rate, end, (step - cut) / (total_steps - cut))

    settings = {"cut_frac": (cut_frac, 0.3), "ratio": (ratio, 25.0), "final_ratio": (final_ratio, 1e4)}
    return Schedule(value_at, called("one_cycle", max_rate, total_steps, **settings))


def half_cosine(first: float, last: float, p: float) -> float:
    return last + (first - last) * 0.5 * (1.0 + math.cos(math.pi * p))
