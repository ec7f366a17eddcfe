"""JSON objects as columns: texts, tokens and numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from trainer_cli.data.block import Column
from trainer_cli.data.faults import shown
from trainer_cli.errors import ArgumentError, Problem
from trainer_cli.registry import nearest

Kind = Literal["text", "tokens", "numbers"]
Missing = Literal["error", "empty"]
Record = Mapping[str, Any]
EXPECTED = {"text": "a text or a number", "tokens": "a list of texts", "numbers": "a list of {} numbers"}


class UnfitError(Exception):
    """An object does not fit the ones before it."""


class Objects:
    """How the values of objects become those of the columns `names`.

    A column's kind is that of its first value in `records`, the first objects: a list of texts (or an empty one) makes
    it tokens, a list of numbers an array of rows of that length, all else text. `missing` says what becomes of a key
    that an object lacks: an error, or an empty value (NaN among numbers). Another key than `names` is an error unless
    `is_open`. Where `uses` is given, the values of other columns may be anything; what does not fit is empty.
    """

    def __init__(
        self,
        names: Sequence[str],
        records: Iterable[Record],
        missing: Missing,
        *,
        is_open: bool = False,
        uses: Collection[str] | None = None,
    ):
        self.missing = missing
        self.is_open = is_open
        self.uses = frozenset(names if uses is None else uses)
        values = first_values(names, records)
        self.kinds = {name: kind_of(values.get(name)) for name in names}
        self.lengths = {name: len(values[name]) for name, kind in self.kinds.items() if kind == "numbers"}
        self._converters = [(name, self._converter(name)) for name in names]

    def values(self, record: Record) -> list[Any]:
        """The object's values in the order of the columns; UnfitError: it has another form than the ones before."""
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

    def _converter(self, name: str) -> Callable[[Any], Any]:
        if self.kinds[name] == "numbers":
            gap = [math.nan] * self.lengths[name] if self.missing == "empty" else None
            convert, empty = partial(as_numbers, length=self.lengths[name], gap=gap), [math.nan] * self.lengths[name]
        else:
            convert, empty = (as_text, "") if self.kinds[name] == "text" else (as_tokens, [])  # type: ignore[assignment]
        return convert if name in self.uses else partial(lenient, convert, empty)

    def _check_keys(self, record: Record) -> None:
        late = () if self.is_open else (name for name in record if name not in self.kinds)
        for name in late:
            hint = nearest(name, list(self.kinds))
            if self.missing == "error":
                raise UnfitError(f"the object has the key {shown(name)}, unlike the first one.{hint}")
            rule = f"the key {shown(name)} is not among those of the first objects, which settle the columns.{hint}"
            raise UnfitError(f"{rule} Name the columns to read, as columns = [...] does")
        for name in self.kinds:
            if name not in record and self.missing == "error" and name in self.uses:
                remedy = 'missing = "empty" takes it as empty'
                raise UnfitError(f"the object lacks the key {shown(name)}, unlike the first one; {remedy}")

    def _unfit(self, record: Record, position: int) -> UnfitError:
        name = list(self.kinds)[position]
        expected = EXPECTED[self.kinds[name]].format(self.lengths.get(name))
        return UnfitError(f"{name}: expected {expected}, got {shown(str(record.get(name)))}")


def keys_of(records: Iterable[Record]) -> tuple[str, ...]:
    """The keys of objects, in the order in which they first appear.

    >>> keys_of([{"a": 1}, {"b": 2, "a": 3}])
    ('a', 'b')
    """
    return tuple(dict.fromkeys(name for record in records for name in record))


def first_values(names: Sequence[str], records: Iterable[Record]) -> dict[str, Any]:
    """The first value of each name that is not null."""
    found: dict[str, Any] = {}
    for record in records:
        if len(found) == len(names):
            break
        found |= {name: record[name] for name in names if name not in found and record.get(name) is not None}
    return found


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


def lenient(convert: Callable[[Any], Any], empty: Any, value: Any) -> Any:
    """A value as a column has it, the empty one for what does not fit."""
    found = convert(value)
    return empty if found is None else found


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


def as_numbers(value: Any, length: int | None = None, gap: list[float] | None = None) -> list[float] | None:
    """A list of numbers, of some length, `gap` for null; None for what is no such list, or no floats can hold."""
    if value is None:
        return gap
    if not isinstance(value, list) or not all(type(number) in (int, float) for number in value):
        return None
    if length is not None and len(value) != length:
        return None
    try:
        return list(map(float, value))
    except OverflowError:
        return None
