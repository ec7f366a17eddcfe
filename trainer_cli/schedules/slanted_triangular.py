"""A short rise and a long fall."""

from __future__ import annotations

from trainer_cli.errors import ArgumentError
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import require_at_least, require_numbers
from trainer_cli.schedules.schedule import Schedule, called


@registry.schedules("slanted_triangular.v1")
def slanted_triangular(
    max_rate: float, num_steps: int, *, cut_frac: float = 0.1, ratio: float = 32, decay: float = 1.0, t: float = 0.0
) -> Schedule:
    """Rise linearly to `max_rate` until `cut = int(num_steps * cut_frac)`, then fall to `max_rate / ratio`.

    With time T = step + 1 + t: p = T / cut before the cut, then 1 - (T - cut) / (cut * (1 / cut_frac - 1)); the rate
    is `max_rate * (1 + p * (ratio - 1)) / ratio`. As in the reference the line goes on falling after `num_steps`,
    below zero in the end, and `decay` changes nothing. Howard & Ruder, "Universal Language Model Fine-tuning for
    Text Classification", 2018, https://arxiv.org/abs/1801.06146.

    >>> rates = slanted_triangular(1.0, 20, ratio=10)
    >>> [round(rates(step), 3) for step in (0, 1, 2, 19)]
    [0.55, 1.0, 0.95, 0.1]
    """
    require_numbers("slanted_triangular", max_rate=max_rate, num_steps=num_steps, cut_frac=cut_frac, decay=decay)
    require_at_least("slanted_triangular", 0, t=t)
    require_at_least("slanted_triangular", 1, ratio=ratio)
    cut = int(num_steps * cut_frac)
    if not 0.0 < cut_frac < 1.0 or cut < 1:
        raise ArgumentError(
            "slanted_triangular: cut_frac must lie between 0 and 1 and num_steps * cut_frac be at least 1, "
            f"got {cut_frac} and {num_steps} steps"
        )
    fall = cut * (1 / cut_frac - 1)

    def value_at(step: int) -> float:
        time = t + step + 1
        p = time / cut if time < cut else 1 - (time - cut) / fall
        return max_rate * (1 + p * (ratio - 1)) * (1 / ratio)

    text = called("slanted_triangular", max_rate, num_steps, cut_frac=(cut_frac, 0.1), ratio=(ratio, 32), t=(t, 0.0))
    return Schedule(value_at, text)
