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

    `varying` names the hyper-parameters that were given as more than a number. `numbers` has what is known without
    asking a schedule: the others, and what was set by hand until the schedules go on.
    """

    schedules: dict[str, Schedule]
    varying: set[str]
    numbers: dict[str, float]
    position: int


class Hyper:
    """An attribute that is set to a number or a schedule and read as the number in force, at least 0 and `below`; above
    0 if it is `divided_by`.

    A number set over a schedule holds until the schedules go on, as in the reference. `of` makes this another name of
    the hyper-parameter called so.
    """

    def __init__(self, below: float = math.inf, *, of: str = "", divided_by: bool = False):
        self.below = below
        self.divided_by = divided_by
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
        value = owner.numbers.get(self.name)
        return self._at(owner.schedules[self.name], owner.position) if value is None else value

    def __set__(self, owner: Scheduled, value: Rate) -> None:
        try:
            schedule = as_schedule(value)
        except ArgumentError as err:
            raise ArgumentError(f"{self.name}: {err}") from err
        current = self._at(schedule, owner.position)
        if is_number(value):
            owner.numbers[self.name] = current
        else:
            owner.numbers.pop(self.name, None)
            owner.varying.add(self.name)
        if not is_number(value) or self.name not in owner.varying:
            owner.schedules[self.name] = schedule

    def _at(self, schedule: Schedule, position: int) -> float:
        try:
            value = schedule(position)
        except ArgumentError as err:
            raise ArgumentError(f"{self.name}: {err}") from err
        return self.checked(value)

    def checked(self, value: float) -> float:
        """The value, if it may be one; else an ArgumentError."""
        if not (math.isfinite(value) and value >= 0):
            raise ArgumentError(f"{self.name} must be a finite number of at least 0, got {value:g}")
        if value == 0 and self.divided_by:
            raise ArgumentError(f"{self.name} must be above 0, or what has no gradient yet is divided by 0")
        if value >= self.below:
            raise ArgumentError(f"{self.name} must be below {self.below:g}, got {value:g}")
        return value
