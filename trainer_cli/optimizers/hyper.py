"""Hyper-parameters that may change from step to step."""

from __future__ import annotations

import math
from typing import Any, Protocol, Self, overload

from trainer_cli.errors import ArgumentError
from trainer_cli.schedules.arguments import is_number
from trainer_cli.schedules.schedule import Schedule, as_schedule

Rate = float | Schedule


class Scheduled(Protocol):
    """An object with schedules and a position on them.

    `varying` names the hyper-parameters that were given as more than a number; `held` has those that were set by hand
    since, until the next step.
    """

    schedules: dict[str, Schedule]
    varying: set[str]
    held: dict[str, float]
    position: int


class Hyper:
    """An attribute that is set to a number or a schedule and read as the number in force, at least 0 and `below`.

    A number set over a schedule holds until the schedules go on, as in the reference. `of` makes this another name of
    the hyper-parameter called so.
    """

    def __init__(self, below: float = math.inf, *, of: str = ""):
        self.below = below
        self.name = of

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = self.name or name

    @overload
    def __get__(self, owner: None, owner_type: type) -> Self: ...

    @overload
    def __get__(self, owner: Scheduled, owner_type: type | None = None) -> float: ...

    def __get__(self, owner: Any, owner_type: type | None = None) -> Any:
        if owner is None:
            return self
        value = owner.held.get(self.name)
        return self.checked(owner.schedules[self.name](owner.position)) if value is None else value

    def __set__(self, owner: Scheduled, value: Rate) -> None:
        schedule = as_schedule(value)
        current = self.checked(schedule(owner.position))
        owner.held.pop(self.name, None)
        if not is_number(value):
            owner.varying.add(self.name)
        elif self.name in owner.varying:
            owner.held[self.name] = current
            return
        owner.schedules[self.name] = schedule

    def checked(self, value: float) -> float:
        if not (math.isfinite(value) and value >= 0):
            raise ArgumentError(f"{self.name} must be a finite number of at least 0, got {value:g}")
        if value >= self.below:
            raise ArgumentError(f"{self.name} must be below {self.below:g}, got {value:g}")
        return value
