"""Making a value that has no others inside what an annotation says; each raises a MismatchError where it is not."""

from __future__ import annotations

import enum
import math
import numbers
import typing
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

from trainer_cli.config.annotations import origin_of
from trainer_cli.config.call import Call
from trainer_cli.config.mismatch import MismatchError, refuse
from trainer_cli.errors import ArgumentError
from trainer_cli.schedules.schedule import Schedule, as_schedule


def to_bool(value: Any, annotation: Any, strict: bool) -> bool:
    if isinstance(value, bool):
        return value
    raise refuse(value, annotation)


def to_int(value: Any, annotation: Any, strict: bool) -> int:
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, numbers.Real) and not isinstance(value, bool) and not strict and float(value).is_integer():
        return int(float(value))
    raise refuse(value, annotation)


def to_float(value: Any, annotation: Any, strict: bool) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise refuse(value, annotation)
    if strict and isinstance(value, numbers.Integral):
        raise refuse(value, annotation)
    if not math.isfinite(value):
        raise MismatchError(f"expected a finite number, got {float(value)}")
    return float(value)


def to_str(value: Any, annotation: Any, strict: bool) -> str:
    if isinstance(value, str):
        return value
    raise refuse(value, annotation)


def to_none(value: Any, annotation: Any, strict: bool) -> None:
    if value is not None:
        raise refuse(value, annotation)


def to_literal(value: Any, annotation: Any, strict: bool) -> Any:
    for word in typing.get_args(annotation):
        if type(word) is type(value) and word == value:
            return word
    raise refuse(value, annotation)


def to_callable(value: Any, annotation: Any, strict: bool) -> Any:
    if callable(value):
        return value
    raise refuse(value, annotation)


def to_schedule(value: Any, annotation: Any, strict: bool) -> Any:
    """A Schedule, or a Call that makes one: a schedule has a position, so each use of the block gets its own."""
    if isinstance(value, Schedule):
        return value
    if strict or isinstance(value, bool | str | dict | None):
        raise refuse(value, annotation)
    if isinstance(value, list | tuple | int | float):
        try:
            as_schedule(value)
        except ArgumentError as err:
            raise MismatchError(str(err)) from None
    elif not isinstance(value, Iterable | numbers.Real):
        raise refuse(value, annotation)
    return Call(as_schedule, "a schedule", "", positional=(value,))


def to_class(value: Any, annotation: Any, strict: bool) -> Any:
    """Any other class: an instance passes, an Enum's value and a path's text are converted."""
    kind = origin_of(annotation)
    if not isinstance(kind, type):
        return value
    if isinstance(value, str) and issubclass(kind, PurePath) and not strict:
        return kind(value)
    if issubclass(kind, enum.Enum) and not isinstance(value, kind):
        return to_enum(value, kind)
    try:
        fits = isinstance(value, kind)
    except TypeError:  # a protocol that cannot be tested
        fits = not isinstance(value, bool | int | float | str | list | dict | None)
    if not fits:
        raise refuse(value, annotation)
    return value


def to_enum(value: Any, kind: type[enum.Enum]) -> enum.Enum:
    for member in kind:
        if (type(member.value) is type(value) and member.value == value) or member.name == value:
            return member
    raise refuse(value, kind)
