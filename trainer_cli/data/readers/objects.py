"""JSON objects as columns: texts, tokens and numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from trainer_cli.data.block import Column
from trainer_cli.data.faults import shown
from trainer_cli.errors import ArgumentError, Problem
from trainer_cli.registry import nearest

Kind = Literal["text", "tokens", "numbers"]
Missing = Literal["error", "empty"]
EXPECTED = {"text": "a text or a number", "tokens": "a list of texts", "numbers": "a list of {} numbers"}


class UnfitError(Exception):
    """An object does not fit the ones before it."""


class Objects:
    """How the values of objects become those of columns. The first object's keys are the columns.

    A column's kind is that of its first value: a text, number, true, false or null makes it text, a list of texts (or
    an empty one) tokens, a list of numbers an array of rows of that length. `missing` says what becomes of a key that
    an object lacks: an error, or an empty value.
    """

    def __init__(self, missing: Missing):
        self.missing = missing
        self.kinds: dict[str, Kind] = {}
        self.lengths: dict[str, int] = {}
        self._converters: list[tuple[str, Callable[[Any], Any]]] = []

    def values(self, record: Mapping[str, Any]) -> list[Any]:
        """The object's values in the order of the columns; UnfitError: it has another form than the ones before."""
        if not self.kinds:
            self._begin(record)
        if record.keys() != self.kinds.keys():
            self._check_keys(record)
        found = [convert(record.get(name)) for name, convert in self._converters]
        if None in found:
            raise self._unfit(record, found.index(None))
        return found

    def columns(self, rows: Sequence[Sequence[Any]]) -> dict[str, Column]:
        """The columns of rows of values."""
        found: dict[str, Column] = {}
        for (name, kind), values in zip(self.kinds.items(), zip(*rows, strict=True), strict=True):
            found[name] = np.array(values, np.float64) if kind == "numbers" else list(values)
        return found

    def _begin(self, record: Mapping[str, Any]) -> None:
        self.kinds = {name: kind_of(value) for name, value in record.items()}
        for name, kind in self.kinds.items():
            if kind == "numbers":
                self.lengths[name] = len(record[name])
                self._converters.append((name, partial(as_numbers, length=len(record[name]))))
            else:
                self._converters.append((name, as_text if kind == "text" else as_tokens))

    def _check_keys(self, record: Mapping[str, Any]) -> None:
        for name in record:
            if name not in self.kinds:
                hint = nearest(name, list(self.kinds))
                raise UnfitError(f"the object has the key {shown(name)}, unlike the first one.{hint}")
        for name in self.kinds:
            if name not in record and self.missing == "error":
                remedy = 'missing = "empty" takes it as empty'
                raise UnfitError(f"the object lacks the key {shown(name)}, unlike the first one; {remedy}")

    def _unfit(self, record: Mapping[str, Any], position: int) -> UnfitError:
        name = list(self.kinds)[position]
        expected = EXPECTED[self.kinds[name]].format(self.lengths.get(name))
        return UnfitError(f"{name}: expected {expected}, got {shown(str(record.get(name)))}")


def checked_missing(missing: object) -> Missing:
    """What becomes of missing keys; ArgumentError: it is none of the words."""
    if missing == "error" or missing == "empty":
        return missing
    message = f'missing is "error" or "empty", got {missing!r}'
    raise ArgumentError(problems=[Problem(message, where="missing")])


def kind_of(value: Any) -> Kind:
    """The kind of a column whose first value this is."""
    if not isinstance(value, list):
        return "text"
    return "numbers" if value and as_numbers(value) is not None else "tokens"


def as_text(value: Any) -> str | None:
    """A value as a column of text has it; None for what cannot stand in one."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, int | float) else None


def as_tokens(value: Any) -> list[str] | None:
    """A list of texts, the empty one for null; None for what is no such list."""
    if value is None:
        return []
    return value if isinstance(value, list) and all(isinstance(text, str) for text in value) else None


def as_numbers(value: Any, length: int | None = None) -> list[float] | None:
    """A list of numbers, of some length; None for what is no such list, or no floats can hold."""
    if not isinstance(value, list) or not all(type(number) in (int, float) for number in value):
        return None
    if length is not None and len(value) != length:
        return None
    try:
        return list(map(float, value))
    except OverflowError:
        return None
