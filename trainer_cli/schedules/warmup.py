"""The linear rise that several schedules begin with."""

from __future__ import annotations

from collections.abc import Callable


def after_warmup(rate: float, warmup_steps: float, then: Callable[[int], float]) -> Callable[[int], float]:
    """Rise from 0 to `rate` over `warmup_steps`, a line, then give the values of `then` from its step 0 on."""
    start = int(warmup_steps)
    return lambda step: rate * (step / start) if step < start else then(step - start)
