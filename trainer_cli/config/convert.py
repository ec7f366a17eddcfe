"""Checking a value against the annotation of where it goes, and making it what the annotation says."""

from __future__ import annotations

import collections.abc
import dataclasses
import numbers
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from trainer_cli.config.annotations import (
    DICTS,
    LISTS,
    SETS,
    can_fit,
    is_union,
    members_of,
    name_type,
    origin_of,
    plain_type,
)
from trainer_cli.config.call import Call
from trainer_cli.config.conversions import (
    to_bool,
    to_callable,
    to_class,
    to_float,
    to_int,
    to_literal,
    to_none,
    to_schedule,
    to_str,
)
from trainer_cli.config.mismatch import MismatchError, refuse
from trainer_cli.config.words import say
from trainer_cli.schedules.schedule import Schedule


def convert(value: Any, annotation: Any, strict: bool = False) -> Any:
    """Return `value` as `annotation` wants it, or raise a MismatchError that says what was expected.

    A whole float is taken for an int, an int for a float, a list for a tuple or set, a text for a Path or an Enum, and
    numbers, lists and iterators for a Schedule; a text is never taken for a number, nor True for an int. With `strict`
    only what needs no conversion passes. A `Call`, a block not yet called, passes unless what its function returns can
    never fit.

    >>> convert([1, 2.0], tuple[int, ...]), convert("relu", typing.Literal["relu", "tanh"]), convert(3, float)
    ((1, 2), 'relu', 3.0)
    """
    annotation = plain_type(annotation)
    if annotation is Any:
        return value
    if isinstance(value, Call):
        return expect(value, annotation)
    if is_union(annotation):
        return convert_union(value, annotation, strict)
    conversion = CONVERSIONS.get(origin_of(annotation))
    if conversion is not None:
        return conversion(value, annotation, strict)
    return to_class(value, annotation, strict)


def expect(call: Call, annotation: Any) -> Call:
    """Let a block pass if what it returns can fit; what it did return is converted once it was called."""
    if not can_fit(call.returns, annotation):
        raise MismatchError(f"expected {name_type(annotation)}, but {call.name} returns {name_type(call.returns)}")
    return dataclasses.replace(call, expects=annotation)


def convert_union(value: Any, annotation: Any, strict: bool) -> Any:
    """Take the first member that fits as it is, else the first that the value can be converted to."""
    members = members_of(annotation)
    if isinstance(value, numbers.Real) and int in members and float not in members:
        members = tuple(member for member in members if member is not Schedule)  # which would take 2.5 as well
    for exactly in (True,) if strict else (True, False):
        for member in members:
            try:
                return convert(value, member, exactly)
            except MismatchError:
                continue
    alike = [member for member in members if origin_of(member) in containers_like(value)]
    if len(alike) == 1:
        return convert(value, alike[0])
    raise refuse(value, annotation)


def containers_like(value: Any) -> tuple[Any, ...]:
    if isinstance(value, dict):
        return DICTS
    return (*LISTS, *SETS, tuple, Schedule) if isinstance(value, list) else ()


def to_list(value: Any, annotation: Any, strict: bool) -> Any:
    """Lists, and what is annotated as some other kind of sequence or iterable."""
    if isinstance(value, list):
        return convert_items(value, item_type(annotation), strict)
    if isinstance(value, Iterable) and not isinstance(value, str) and isinstance(value, origin_of(annotation)):
        return value
    if isinstance(value, tuple) and not strict:
        return convert_items(value, item_type(annotation), strict)
    raise refuse(value, annotation)


def to_tuple(value: Any, annotation: Any, strict: bool) -> tuple[Any, ...]:
    if not isinstance(value, tuple if strict else tuple | list):
        raise refuse(value, annotation)
    inner = typing.get_args(annotation)
    if not inner or inner[-1] is ...:
        return tuple(convert_items(value, inner[0] if inner else Any, strict))
    if len(inner) != len(value):
        raise refuse(value, annotation)
    return tuple(
        convert_inside(item, each, f"[{i}]", strict) for i, (item, each) in enumerate(zip(value, inner, strict=True))
    )


def to_set(value: Any, annotation: Any, strict: bool) -> Any:
    if not isinstance(value, set | frozenset if strict else set | frozenset | list | tuple):
        raise refuse(value, annotation)
    items = convert_items(list(value), item_type(annotation), strict)
    try:
        found = set(items)
    except TypeError:
        raise MismatchError(f"a set cannot hold lists or sections, got {say(value)}") from None
    if len(found) < len(items):
        raise MismatchError(f"expected each value once, got {say(value)}")
    return frozenset(found) if origin_of(annotation) is frozenset else found


def to_dict(value: Any, annotation: Any, strict: bool) -> Any:
    if not isinstance(value, collections.abc.Mapping):
        raise refuse(value, annotation)
    keys, values = typing.get_args(annotation) or (Any, Any)
    return {to_key(key, keys): convert_inside(each, values, f".{key}", strict) for key, each in value.items()}


def to_key(key: Any, annotation: Any) -> Any:
    """Keys are texts in a config; where whole numbers are wanted, `"3"` is one."""
    if plain_type(annotation) is int and isinstance(key, str) and key.removeprefix("-").isdecimal():
        return int(key)
    return convert_inside(key, annotation, f".{key}", False)


def item_type(annotation: Any) -> Any:
    return (typing.get_args(annotation) or (Any,))[0]


def convert_items(values: Sequence[Any], annotation: Any, strict: bool) -> list[Any]:
    return [convert_inside(value, annotation, f"[{i}]", strict) for i, value in enumerate(values)]


def convert_inside(value: Any, annotation: Any, where: str, strict: bool) -> Any:
    try:
        return convert(value, annotation, strict)
    except MismatchError as err:
        raise MismatchError(str(err), where + err.where) from None


CONVERSIONS: dict[Any, Callable[[Any, Any, bool], Any]] = {
    bool: to_bool,
    int: to_int,
    float: to_float,
    str: to_str,
    types.NoneType: to_none,
    typing.Literal: to_literal,
    tuple: to_tuple,
    collections.abc.Callable: to_callable,
    Schedule: to_schedule,
    **dict.fromkeys(LISTS, to_list),
    **dict.fromkeys(SETS, to_set),
    **dict.fromkeys(DICTS, to_dict),
}
