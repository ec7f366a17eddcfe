"""Checks of a schedule's arguments, done where it is made: a wrong one is an ArgumentError of one sentence."""

from __future__ import annotations

import math
from numbers import Real
from typing import TypeGuard

from trainer_cli.errors import ArgumentError


def is_number(value: object) -> TypeGuard[float]:
    """Whether `value` is a finite number. True and False are none, though Python counts with them."""
    if type(value) is float:  # nearly always: asked for each of a million values of a replayed generator
        return math.isfinite(value)
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the largest float
        return False


def require_flags(owner: str, **values: object) -> None:
    """Refuse what is neither true nor false: the text "no" would count as true."""
    for name, value in values.items():
        if value not in (True, False) or not hasattr(value, "__index__"):
            raise ArgumentError(f"{owner}: {name} must be True or False, got {value!r}")


def require_numbers(schedule: str, **values: object) -> None:
    """Refuse an argument that is no finite number."""
    for name, value in values.items():
        if not is_number(value):
            raise ArgumentError(f"{schedule}: {name} must be a finite number, got {value!r}")


def require_at_least(schedule: str, limit: float, **values: float) -> None:
    """Refuse an argument that is no finite number or is below `limit`."""
    require_numbers(schedule, **values)
    for name, value in values.items():
        if value < limit:
            raise ArgumentError(f"{schedule}: {name} must be at least {limit}, got {value!r}")


def require_whole(schedule: str, **values: float) -> None:
    """Refuse an argument that is no whole number from 0 on."""
    require_at_least(schedule, 0, **values)
    for name, value in values.items():
        if value != int(value):
            raise ArgumentError(f"{schedule}: {name} must be a whole number, got {value!r}")


def require_within(schedule: str, name: str, value: float, limit_name: str, limit: float) -> None:
    """Refuse an argument below 0 or above another one."""
    require_at_least(schedule, 0, **{name: value})
    if value > limit:
        raise ArgumentError(f"{schedule}: {name} must be at most {limit_name}, got {value} and {limit}")


def require_warmup(schedule: str, warmup_steps: float, total_steps: float, remedy: str) -> None:
    """Refuse a warm-up that is longer than the whole."""
    if warmup_steps > total_steps:
        message = f"warmup_steps must be at most total_steps, got {warmup_steps} and {total_steps}: {remedy}"
        raise ArgumentError(f"{schedule}: {message}")
