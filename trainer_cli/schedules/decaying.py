"""Decay with the inverse of time."""

from __future__ import annotations

from trainer_cli.errors import ArgumentError
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import require_at_least, require_numbers
from trainer_cli.schedules.schedule import Schedule, called


@registry.schedules("decaying.v1")
def decaying(base_rate: float, decay: float, *, t: int = 0) -> Schedule:
    """Fall as `base_rate / (1 + decay * (t + step))`; `t` is the time of step 0.

    >>> rates = decaying(0.1, 1.0)
    >>> rates(0), rates(1), rates(3)
    (0.1, 0.05, 0.025)
    """
    require_numbers("decaying", base_rate=base_rate, t=t)
    require_at_least("decaying", 0, decay=decay)
    if 1.0 + decay * t <= 0.0:
        raise ArgumentError(f"decaying: 1 + decay * t must be above 0, got decay {decay} and t {t}")
    return Schedule(
        lambda step: base_rate * (1.0 / (1.0 + decay * (t + step))), called("decaying", base_rate, decay, t=(t, 0))
    )
