"""One rate for ever."""

from __future__ import annotations

from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import require_numbers
from trainer_cli.schedules.schedule import Schedule


@registry.schedules("constant.v1")
def constant(rate: float) -> Schedule:
    """Give `rate` at every step.

    >>> constant(0.01)(1000)
    0.01
    """
    require_numbers("constant", rate=rate)
    return Schedule(lambda step: rate, f"constant({rate})")
