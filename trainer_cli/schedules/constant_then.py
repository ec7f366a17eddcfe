"""One rate for some steps, then another schedule."""

from __future__ import annotations

from trainer_cli.errors import ArgumentError
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import require_numbers, require_whole
from trainer_cli.schedules.schedule import Schedule, as_schedule


@registry.schedules("constant_then.v1")
def constant_then(rate: float, steps: int, schedule: float | Schedule) -> Schedule:
    """Give `rate` for `steps` steps, then the values of `schedule` from its first one on.

    `schedule` is whatever `as_schedule` takes; its own position is neither used nor moved.

    >>> rates = constant_then(0.1, 2, [0.2, 0.3])
    >>> [rates(step) for step in range(5)]
    [0.1, 0.1, 0.2, 0.3, 0.3]
    """
    require_numbers("constant_then", rate=rate)
    require_whole("constant_then", steps=steps)
    steps, then = int(steps), as_schedule(schedule)
    if then.reads_scores:
        raise ArgumentError(f"constant_then: {then} follows the dev score, which does not reach a schedule in another")
    return Schedule(
        lambda step: rate if step < steps else then(step - steps), f"constant_then({rate}, {steps}, {then})"
    )
