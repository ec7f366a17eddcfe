"""JSON objects as columns: texts, tokens and numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from trainer_cli.data.block import Column
from trainer_cli.data.faults import shown
from trainer_cli.errors import ArgumentError, Problem
from trainer_cli.registry import nearest

Kind = Literal["text", "tokens", "numbers", "json"]
Missing = Literal["error", "empty"]
Record = Mapping[str, Any]
EXPECTED = {"text": "a text or a number", "tokens": "a list of texts", "numbers": "a list of {} numbers"}


# Objects in objects, deeper than any honest ones.
MAX_DEPTH = 50


class UnfitError(Exception):
    """An object does not fit the ones before it."""


class Objects:
    """How the values of objects become those of the columns `names`.

    A column's kind is that of its first value in `records`, the first objects: a list of texts (or an empty one) makes
    it tokens, a list of numbers an array of rows of that length, one with objects a text as JSON writes it, all else
    text. Values in an object have dotted names. `missing` says what becomes of a key
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
        if is_nested(record):
            record = unique(list(leaves(record)))
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
            convert, empty = AS[self.kinds[name]]  # type: ignore[assignment]
        return convert if name in self.uses else partial(lenient, convert, empty)

    def _check_keys(self, record: Record) -> None:
        unknown = (name for name in record if name not in self.kinds and not self._is_gap(record, name))
        late = () if self.is_open else unknown
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

    def _is_gap(self, record: Record, name: str) -> bool:
        """Whether null stands where other objects have an object."""
        return record[name] is None and any(each.startswith(f"{name}.") for each in self.kinds)

    def _unfit(self, record: Record, position: int) -> UnfitError:
        name = list(self.kinds)[position]
        expected = EXPECTED[self.kinds[name]].format(self.lengths.get(name))
        return UnfitError(f"{name}: expected {expected}, got {shown(str(record.get(name)))}")


def flat(record: Record) -> Record:
    """An object with the values of those in it under dotted names; of two values of one name the last. An empty object
    in it has none.

    >>> flat({"id": 7, "meta": {"lang": "en", "size": {"x": 1}}})
    {'id': 7, 'meta.lang': 'en', 'meta.size.x': 1}
    """
    return dict(leaves(record)) if is_nested(record) else record


def leaves(record: Record, before: str = "", depth: int = MAX_DEPTH) -> Iterator[tuple[str, Any]]:
    """The values in an object that are no objects, each with its dotted name; those too deep stay objects."""
    for name, value in record.items():
        if isinstance(value, dict) and depth:
            yield from leaves(value, f"{before}{name}.", depth - 1)
        else:
            yield before + name, value


def unique(pairs: Sequence[tuple[str, Any]]) -> Record:
    """Values by their names. UnfitError: two have one name."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise UnfitError(f"the name {shown(twice)} comes twice, as a key and as that of a value in an object")
    return found


def is_nested(record: Record) -> bool:
    return dict in map(type, record.values())


def keys_of(records: Iterable[Record]) -> tuple[str, ...]:
    """The names of the values in objects, in the order in which they first appear.

    One that is null wherever it appears, and elsewhere an object, is none.

    >>> keys_of([{"a": 1}, {"b": 2, "a": 3}]), keys_of([{"a": None}, {"a": {"b": 1}}])
    (('a', 'b'), ('a.b',))
    """
    is_null: dict[str, bool] = {}
    for record in map(flat, records):
        for name, value in record.items():
            is_null[name] = is_null.get(name, True) and value is None
    objects = {name[:at] for name in is_null for at, char in enumerate(name) if char == "."}
    return tuple(name for name, nothing in is_null.items() if not (nothing and name in objects))


def first_values(names: Sequence[str], records: Iterable[Record]) -> dict[str, Any]:
    """The first value of each name that is not null; an empty list is no value where others have objects in them."""
    found: dict[str, Any] = {}
    empty: dict[str, Any] = {}
    for record in map(flat, records):
        if len(found) == len(names):
            break
        there = {name: record[name] for name in names if name not in found and record.get(name) is not None}
        empty |= {name: value for name, value in there.items() if value == []}
        found |= {name: value for name, value in there.items() if value != []}
    return {**found, **{name: value for name, value in empty.items() if kind_of(found.get(name)) != "json"}}


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
    if any(isinstance(item, dict) for item in value):
        return "json"
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


def as_json(value: Any) -> str | None:
    """A value as a column of text has it, a list or an object as JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else as_text(value)


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


# How a column of a kind takes a value, and the one that it has for none.
AS: dict[Kind, tuple[Callable[[Any], Any], Any]] = {
    "text": (as_text, ""),
    "json": (as_json, ""),
    "tokens": (as_tokens, []),
}
