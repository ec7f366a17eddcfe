"""Steps from one rate to the next."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from trainer_cli.errors import ArgumentError
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import require_numbers, require_whole
from trainer_cli.schedules.schedule import Schedule


@registry.schedules("piecewise.v1")
def piecewise(boundaries: Sequence[int], rates: Sequence[float]) -> Schedule:
    """Give `rates[0]` before step `boundaries[0]`, `rates[1]` from there to `boundaries[1]`, and so on.

    There is one rate more than boundaries, and boundaries grow. The last rate stays for ever.

    >>> steps = piecewise([2, 3], [1.0, 0.1, 0.01])
    >>> [steps(step) for step in range(5)]
    [1.0, 1.0, 0.1, 0.01, 0.01]
    """
    boundaries, rates = list(boundaries), list(rates)
    require_whole("piecewise", **{f"boundaries[{i}]": boundary for i, boundary in enumerate(boundaries)})
    require_numbers("piecewise", **{f"rates[{i}]": rate for i, rate in enumerate(rates)})
    if len(rates) != len(boundaries) + 1:
        raise ArgumentError(
            f"piecewise: there must be one rate more than boundaries, got {len(rates)} rates and {len(boundaries)} "
            "boundaries"
        )
    if any(earlier >= later for earlier, later in zip([0, *boundaries], boundaries, strict=False)):
        raise ArgumentError(f"piecewise: boundaries must grow and begin above 0, got {boundaries}")
    return Schedule(lambda step: rates[bisect_right(boundaries, step)], f"piecewise({boundaries}, {rates})")
