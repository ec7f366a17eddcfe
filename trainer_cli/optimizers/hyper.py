"""Hyper-parameters that may change from step to step."""

from __future__ import annotations

import math
from typing import Protocol

from trainer_cli.errors import ArgumentError
from trainer_cli.schedules.schedule import Schedule, as_schedule

Rate = float | Schedule


class Scheduled(Protocol):
    """An object with schedules and a position on them."""

    schedules: dict[str, Schedule]
    position: int


class Hyper:
    """An attribute that is set to a number or a schedule and read as the number in force, at least 0 and `below`."""

    def __init__(self, below: float = math.inf):
        self.below = below

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, owner: Scheduled, owner_type: type | None = None) -> float:
        return owner.schedules[self.name](owner.position)

    def __set__(self, owner: Scheduled, value: Rate) -> None:
        schedule = as_schedule(value)
        current = schedule(owner.position)
        if not (math.isfinite(current) and current >= 0):
            raise ArgumentError(f"{self.name} must be a finite number of at least 0, got {current:g}")
        if current >= self.below:
            raise ArgumentError(f"{self.name} must be below {self.below:g}, got {current:g}")
        owner.schedules[self.name] = schedule
