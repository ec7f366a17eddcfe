"""Exponential growth or fall up to a limit."""

from __future__ import annotations

from trainer_cli.errors import ArgumentError
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import require_numbers
from trainer_cli.schedules.schedule import Schedule


@registry.schedules("compounding.v1")
def compounding(start: float, stop: float, compound: float, *, t: float = 0.0) -> Schedule:
    """Go from `start` to `stop` by the factor `compound` a step, then stay: `start * compound**step`, clipped.

    Thinc multiplies step by step; the power is the same number up to rounding, and needs no steps before. `t` is
    part of the reference's signature and, as there, changes nothing. A `compound` that leads away from `stop` is an
    ArgumentError.

    >>> sizes = compounding(1.0, 16.0, 2.0)
    >>> [sizes(step) for step in (0, 1, 2, 100)]
    [1.0, 2.0, 4.0, 16.0]
    """
    require_numbers("compounding", start=start, stop=stop, compound=compound, t=t)
    falls = start > stop
    if compound <= 0.0:
        raise ArgumentError(f"compounding: compound must be above 0, got {compound}")
    if start * (compound - 1.0) * (-1 if falls else 1) < 0.0:
        raise ArgumentError(f"compounding: compound {compound} leads away from stop {stop} when start is {start}")

    def value_at(step: int) -> float:
        try:
            value = start * compound**step
        except OverflowError:
            return stop if start else 0.0
        return max(value, stop) if falls else min(value, stop)

    return Schedule(value_at, f"compounding({start}, {stop}, {compound})")
