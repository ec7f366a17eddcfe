"""Up and down between two rates."""

from __future__ import annotations

import math

from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import require_at_least, require_numbers
from trainer_cli.schedules.schedule import Schedule


@registry.schedules("cyclic_triangular.v1")
def cyclic_triangular(min_lr: float, max_lr: float, period: int) -> Schedule:
    """Go linearly from `min_lr` up to `max_lr` in `period` steps and down again in as many, for ever.

    With time T = step + 1 and cycle c = floor(1 + T / (2 * period)), the rate is
    `min_lr + (max_lr - min_lr) * max(0, 1 - |T / period - 2 * c + 1|)`. Smith, "Cyclical Learning Rates for Training
    Neural Networks", 2015, https://arxiv.org/abs/1506.01186.

    >>> rates = cyclic_triangular(0.0, 1.0, 2)
    >>> [rates(step) for step in range(5)]
    [0.5, 1.0, 0.5, 0.0, 0.5]
    """
    require_numbers("cyclic_triangular", min_lr=min_lr, max_lr=max_lr)
    require_at_least("cyclic_triangular", 1, period=period)

    def value_at(step: int) -> float:
        time = step + 1
        cycle = math.floor(1 + time / (2 * period))
        return min_lr + (max_lr - min_lr) * max(0.0, 1 - abs(time / period - 2 * cycle + 1))

    return Schedule(value_at, f"cyclic_triangular({min_lr}, {max_lr}, {period})")
