"""Linear warm-up, then linear decline."""

from __future__ import annotations

from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import require_at_least, require_numbers, require_warmup
from trainer_cli.schedules.schedule import Schedule


@registry.schedules("warmup_linear.v1")
def warmup_linear(initial_rate: float, warmup_steps: int, total_steps: int) -> Schedule:
    """Rise linearly from 0 to `initial_rate` over `warmup_steps` updates, then fall linearly to 0 at `total_steps`.

    From `total_steps` on the rate is 0.

    >>> rates = warmup_linear(0.01, 2, 10)
    >>> [rates(step) for step in (0, 1, 2, 6, 10, 11)]
    [0.0, 0.005, 0.01, 0.005, 0.0, 0.0]
    """
    require_numbers("warmup_linear", initial_rate=initial_rate)
    require_at_least("warmup_linear", 0, warmup_steps=warmup_steps, total_steps=total_steps)
    require_warmup("warmup_linear", warmup_steps, total_steps, "lower it")
    decline = max(1.0, total_steps - warmup_steps)

    def value_at(step: int) -> float:
        factor = step / warmup_steps if step < warmup_steps else max(0.0, (total_steps - step) / decline)
        return factor * initial_rate

    return Schedule(value_at, f"warmup_linear({initial_rate}, {warmup_steps}, {total_steps})")
