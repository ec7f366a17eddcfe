"""A stretch of rows as columns, each row knowing where it stands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard, cast

import numpy as np

from trainer_cli.arrays import Array, Ints
from trainer_cli.data.faults import MAX_SHOWN, FaultsError, printable, shown
from trainer_cli.errors import DataError, Problem
from trainer_cli.registry import QUOTED, nearest

# Numbers or images, texts, or tokens: a list of texts a row.
Values = Array | list[str]
Column = Values | list[list[str]]

BLOCK_ROWS = 4096
BLOCK_BYTES = 1 << 22


@dataclass(frozen=True)
class Places:
    """Where rows stand: a file and the line each begins at (from 1), or no lines where the file has none.

    `paths` are the files of rows that have one each, as images do; `before` tells how many rows of the data other
    files have before this one.
    `numbers` are those of the rows in the data, from 0, where they do not follow one another.
    """

    path: str
    lines: range | Ints | None = None
    paths: Sequence[str] | None = None
    before: int = 0
    numbers: Ints | None = None

    def place(self, row: int) -> tuple[str, int]:
        if self.paths is not None:
            return self.paths[row], 0
        return self.path, 0 if self.lines is None else int(self.lines[row])


@dataclass(frozen=True, slots=True)
class SentenceLines:
    """The lines of a sentence: the columns of each token's, and those of others, as comments are, each with the number
    of the token that it stands before."""

    tokens: list[list[str]]
    others: Sequence[tuple[int, list[str]]]


@dataclass(frozen=True)
class Block:
    """Consecutive rows as columns of one length: text as lists, numbers and images as arrays (rows first).

    A column of tokens has a list of texts in each row. Arrays of texts become lists.

    `places` says where the rows stand, for messages; `start` is the number of the first row in the data, from 0.
    `records` are the rows as their file has them, where that is more than columns of text can say; `lines` are those
    of rows that are sentences with a line a token; `categories` those of rows that are documents, each with its value.
    """

    columns: Mapping[str, Column]
    places: Places = field(default_factory=lambda: Places(""))
    start: int = 0
    records: Sequence[Mapping[str, Any]] | None = None
    lines: Sequence[SentenceLines] | None = None
    categories: Sequence[Mapping[str, float]] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", {name: _as_column(values) for name, values in self.columns.items()})
        lengths = {name: len(values) for name, values in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise DataError(f"the columns of a block must have the same length, got {lengths}")
        for name, values in self.columns.items():
            if not isinstance(values, np.ndarray) and not (is_texts(values) or is_tokens(values)):
                kind = type(values).__name__
                raise DataError(
                    f"a column is a list of texts or a numpy array, or has a list of texts a row, got {name} as {kind}"
                )

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def place(self, row: int) -> tuple[str, int]:
        """The file and line of the block's row `row`; line 0 where the file has no lines."""
        return self.places.place(row)

    def at(self, row: int) -> tuple[int, str, int]:
        """The number of the block's row `row` in its file, from 0, and its place."""
        return (int(self.numbers[row]) - self.places.before, *self.place(row))

    @property
    def numbers(self) -> range | Ints:
        """The numbers of the rows in the data, from 0."""
        numbers = self.places.numbers
        return range(self.start, self.start + len(self)) if numbers is None else numbers

    @property
    def header_line(self) -> int:
        """Where a mistake in a column as a whole stands; 0 where the file has no lines."""
        return 0 if self.places.lines is None else 1

    def problem(self, row: int, column: str, message: str) -> Problem:
        """A mistake in one value: `file.csv:17: age: ...`, or `file.npz: X[16]: ...` where there are no lines."""
        number, path, line = self.at(row)
        is_placed = line or self.places.paths is not None
        where = printable(column) + ("" if is_placed else f"[{number}]")
        return Problem(message, path, line, where)

    def faulty(self, column: str, rows: Sequence[int] | Ints, say: Callable[[int], str]) -> FaultsError:
        """The error for the values of a column in `rows`; `say(row)` tells what is wrong with one."""
        return FaultsError([self.problem(int(row), column, say(int(row))) for row in rows[:MAX_SHOWN]], len(rows))

    def column(self, name: str, used: Collection[str] = ()) -> Column:
        """The values of a column that training data had; without it a DataError, naming the nearest one not `used`."""
        if name not in self.columns:
            known = [column for column in self.columns if column not in used]
            message = f"the column is missing.{nearest(name, known, QUOTED)} The columns are {listing(self.columns)}"
            raise self._unfit(name, message)
        return self.columns[name]

    def values(self, name: str, used: Collection[str] = ()) -> Values:
        """A column of texts, numbers or arrays, as `column` finds it; tokens are a DataError."""
        found = self.column(name, used)
        if is_tokens(found):
            raise self._unfit(name, "the column has a list of texts in each row; tokens.v1 and tags.v1 take such ones")
        return cast(Values, found)

    def tokens(self, name: str, used: Collection[str] = ()) -> list[list[str]]:
        """A column of tokens, a list of texts a row, as `column` finds it; any other is a DataError."""
        found = self.column(name, used)
        if not is_tokens(found):
            kind = "text" if isinstance(found, list) else f"{found.dtype} {found.shape}"
            raise self._unfit(name, f"expected a list of texts in each row, got {kind}")
        return found

    def _unfit(self, name: str, message: str) -> DataError:
        return DataError(problems=[Problem(message, self.places.path, self.header_line, printable(name))])

    def without(self, names: Collection[str]) -> Block:
        """The block without some columns, so that features cannot see what is to be predicted."""
        kept = {name: values for name, values in self.columns.items() if name not in names}
        return Block(kept, self.places, self.start)

    def take(self, rows: Ints) -> Block:
        """Some of the rows, in that order; each keeps its place and number."""
        lines, paths = self.places.lines, self.places.paths
        columns = {name: pick(values, rows) for name, values in self.columns.items()}
        places = Places(
            self.places.path,
            None if lines is None else np.asarray(lines)[rows],
            None if paths is None else [paths[row] for row in rows.tolist()],
            self.places.before,
            np.asarray(self.numbers)[rows],
        )
        records = None if self.records is None else [self.records[row] for row in rows.tolist()]
        sentences = None if self.lines is None else [self.lines[row] for row in rows.tolist()]
        categories = None if self.categories is None else [self.categories[row] for row in rows.tolist()]
        return Block(columns, places, self.start, records, sentences, categories)


def pick(values: Column, rows: Ints) -> Column:
    """Some values of a column."""
    return values[rows] if isinstance(values, np.ndarray) else [values[row] for row in rows.tolist()]


def _as_column(values: Any) -> Any:
    """An array of texts as the list of them, all else as it is."""
    if not isinstance(values, np.ndarray) or values.ndim != 1 or values.dtype.kind not in "UOT":
        return values
    texts = values.tolist()
    return texts if all(isinstance(text, str) for text in texts) else values


def is_texts(values: object) -> TypeGuard[list[str]]:
    """Whether a column is a list of texts. The first one alone is looked at."""
    return isinstance(values, list) and all(isinstance(value, str) for value in values[:1])


def is_tokens(values: object) -> TypeGuard[list[list[str]]]:
    """Whether a column has a list of texts in each row. Of the texts the first one alone is looked at.

    >>> is_tokens([["a", "b"], []]), is_tokens(["a b"]), is_tokens([["a"], "b"])
    (True, False, False)
    """
    if not isinstance(values, list) or not values or not all(isinstance(row, list) for row in values):
        return False
    return is_texts(next((row for row in values if row), []))


def listing(names: Collection[str], limit: int = 12) -> str:
    """Names for a message, cut to the first ones: `"a", "b" and 3 more`."""
    first = ", ".join(shown(name) for name in list(names)[:limit])
    return first + (f" and {len(names) - limit} more" if len(names) > limit else "")
