"""Type annotations: brought to one form, named in words, compared."""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import inspect
import types
import typing
from pathlib import PurePath
from typing import Any

from trainer_cli.config.words import alternatives
from trainer_cli.schedules.schedule import Schedule

LISTS = (
    list,
    collections.abc.Sequence,
    collections.abc.MutableSequence,
    collections.abc.Iterable,
    collections.abc.Collection,
)
SETS = (set, frozenset, collections.abc.Set, collections.abc.MutableSet)
DICTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
SILENT = (object, inspect.Signature.empty)
FUNCTIONS: tuple[Any, ...] = (collections.abc.Callable,)
PLAIN = (bool, int, float, str, types.NoneType)
WORDS: dict[Any, tuple[str, str]] = {
    bool: ("true or false", "truth values"),
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("a text", "texts"),
    types.NoneType: ("null", "nulls"),
}


def plain_type(annotation: Any) -> Any:
    """The annotation without what does not matter here; Any for what says nothing about a value."""
    if annotation is None:
        return types.NoneType
    if typing.get_origin(annotation) in (typing.Annotated, typing.ClassVar, typing.Final):
        return plain_type(typing.get_args(annotation)[0])
    if hasattr(annotation, "__supertype__"):
        return plain_type(annotation.__supertype__)
    if hasattr(annotation, "__value__"):  # a `type X = ...` of Python 3.12
        return plain_type(annotation.__value__)
    if isinstance(annotation, typing.TypeVar | str | typing.ForwardRef) or annotation in SILENT:
        return Any
    return annotation


def is_union(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (typing.Union, types.UnionType)


def members_of(annotation: Any) -> tuple[Any, ...]:
    """The alternatives of a union, or the annotation alone.

    >>> members_of(int | None)
    (<class 'int'>, <class 'NoneType'>)
    """
    annotation = plain_type(annotation)
    if not is_union(annotation):
        return (annotation,)
    return tuple(inner for member in typing.get_args(annotation) for inner in members_of(member))


def origin_of(annotation: Any) -> Any:
    return typing.get_origin(annotation) or annotation


def name_type(annotation: Any) -> str:
    """
    >>> from typing import Literal
    >>> name_type(int | Literal["auto"] | None), name_type(list[float]), name_type(Schedule)
    ('a whole number, "auto" or null', 'a list of numbers', 'a Schedule')
    """
    return alternatives([name for member in members_of(annotation) for name in names_of(member)])


def names_of(annotation: Any) -> list[str]:
    """One annotation that is no union; the members of a Literal or Enum each for themselves."""
    origin = origin_of(annotation)
    if annotation in WORDS:
        return [WORDS[annotation][0]]
    if origin is typing.Literal:
        return [quoted(value) for value in typing.get_args(annotation)]
    if origin is collections.abc.Callable:
        return ["a function"]
    if origin in LISTS or origin is tuple or origin in SETS:
        return [f"a list{elements(annotation)}"]
    if origin in DICTS:
        return ["a section or {...}"]
    if isinstance(origin, type) and issubclass(origin, enum.Enum):
        return [quoted(member.value) for member in origin]
    if isinstance(origin, type) and issubclass(origin, PurePath):
        return ["a path"]
    name = getattr(origin, "__name__", str(origin))
    return [f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"]


def quoted(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def elements(annotation: Any) -> str:
    """What a list is of, where that has a short name."""
    inner = [plain_type(each) for each in typing.get_args(annotation) if each is not ...]
    is_fixed = origin_of(annotation) is tuple and len(inner) == len(typing.get_args(annotation)) > 0
    fixed = f" {len(inner)}" if is_fixed else ""
    if inner and all(each == inner[0] for each in inner) and inner[0] in WORDS:
        return f" of{fixed} {WORDS[inner[0]][1]}"
    return f" of{fixed}" if fixed else ""


def dataclass_of(annotation: Any) -> type | None:
    """The one dataclass among the alternatives that a section can be, or None."""
    found = [each for each in members_of(annotation) if isinstance(each, type) and dataclasses.is_dataclass(each)]
    takes_dicts = any(origin_of(member) in DICTS for member in members_of(annotation))
    return found[0] if len(found) == 1 and not takes_dicts else None


def dataclass_inside(annotation: Any) -> Any:
    """What the items of a list or the values of a dict are annotated as, if that is a dataclass; else Any."""
    for member in members_of(annotation):
        inner = typing.get_args(member)
        if origin_of(member) in (*LISTS, tuple, *DICTS) and inner:
            item = inner[1] if origin_of(member) in DICTS else inner[0]
            return item if dataclass_of(item) else Any
    return Any


def can_fit(returns: Any, annotation: Any) -> bool:
    """Whether a function annotated `-> returns` could give what `annotation` asks for; True where nobody can tell."""
    return any(one_fits(one, other) for one in members_of(returns) for other in members_of(annotation))


def one_fits(returns: Any, annotation: Any) -> bool:
    given, wanted = origin_of(returns), origin_of(annotation)
    if Any in (given, wanted) or not (isinstance(given, type) and isinstance(wanted, type)):
        return True
    if is_protocol(given) or is_protocol(wanted):
        return True
    if wanted is Schedule:
        return given in (int, float, Schedule) or is_iterable(given)
    if given in (int, float) and wanted in (int, float):
        return True
    if wanted in PLAIN or given in PLAIN:
        is_text = given is str and issubclass(wanted, PurePath | enum.Enum)
        return is_text or issubclass(given, wanted) or issubclass(wanted, given)
    if is_iterable(given) and wanted in (*LISTS, *SETS, tuple):
        return True
    return issubclass(given, wanted) or issubclass(wanted, given) or origin_of(annotation) in FUNCTIONS


def is_protocol(kind: type) -> bool:
    return bool(getattr(kind, "_is_protocol", False))


def is_iterable(kind: type) -> bool:
    return issubclass(kind, collections.abc.Iterable) and kind is not str
