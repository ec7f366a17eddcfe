"""Values out of a few, as flags or as numbers for an embedding."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from trainer_cli.arrays import Array, Ints, Rows
from trainer_cli.data.block import Block
from trainer_cli.data.encoders.choice import chosen_columns
from trainer_cli.data.encoders.labels import in_order
from trainer_cli.data.encoders.state import damaged, stated_choice, stated_names
from trainer_cli.data.encoders.truths import numbered
from trainer_cli.data.encoders.vocabulary import Tally
from trainer_cli.data.faults import printable, refused
from trainer_cli.errors import DataError, Problem
from trainer_cli.registry import registry

Encoding = Literal["auto", "one-hot", "embedding"]

# What "auto" writes as flags: the hours of a day and the days of a month still are.
MAX_ONE_HOT = 32


@registry.encoders("categories.v1")
class Categories:
    """Categories as flags, (B, width) float32, or as numbers for an embedding, (B, k) int64 for k columns.

    The values of a column are those that `min_count` training rows or more have, of more than `max_values` the most
    frequent (of equally frequent ones the first by code points), numbered from 1: by number where all write one, else
    by code points. Any other value is unknown, number 0, and so is one that training never had. A missing value is an
    empty text: a value like any other. Texts are compared without the spaces around them, and a truth value is known
    in each of its spellings: `true`, `True` and `TRUE` are one where training had but one of them.

    `encoding = "one-hot"` gives a flag for each value of each column, all 0 for an unknown one; "embedding" gives the
    numbers; "auto" is one-hot if no column has more than `max_one_hot` values (32 if it is left out), else embedding.
    `sizes` has how many numbers each column takes, the unknown included.

    What is counted is exact up to `20 * max_values` different values a column; with more, memory stays bounded and
    counts may be too low by `rows / (10 * max_values)`, see `Tally`.
    """

    def __init__(
        self,
        columns: list[str],
        *,
        encoding: Encoding = "auto",
        min_count: int = 2,
        max_one_hot: int | None = None,
        max_values: int = 10_000,
    ):
        for name, value in (("min_count", min_count), ("max_values", max_values)):
            if value < 1:
                raise refused(name, f"{name} must be 1 or more, got {value}")
        if max_one_hot is not None and encoding != "auto":
            raise refused("max_one_hot", f'max_one_hot is for encoding = "auto"; {encoding} is what it would choose')
        if max_one_hot is not None and max_one_hot < 1:
            raise refused(
                "max_one_hot", f'max_one_hot must be 1 or more, got {max_one_hot}: encoding = "embedding" uses none'
            )
        self.columns = columns
        self.encoding: Encoding = encoding
        self.min_count = min_count
        self.max_one_hot = MAX_ONE_HOT if max_one_hot is None else max_one_hot
        self.max_values = max_values
        self.reads: tuple[str, ...] = ()
        self.values: tuple[tuple[str, ...], ...] = ()
        self._numbers: tuple[dict[str, int], ...] = ()
        self._tallies: tuple[Tally, ...] = ()

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many numbers each column takes, 0 for unknown included."""
        return tuple(len(values) + 1 for values in self.values)

    @property
    def n_ids(self) -> tuple[int, ...] | None:
        """`sizes` where the numbers are ids of an embedding's rows; None for flags."""
        return self.sizes if self.encoding == "embedding" else None

    @property
    def width(self) -> int:
        return sum(map(len, self.values)) if self.encoding == "one-hot" else len(self.values)

    def choose(self, columns: tuple[str, ...]) -> None:
        self.reads = chosen_columns(self.columns, columns)
        self._tallies = tuple(Tally(10 * self.max_values) for _ in self.reads)

    def fit(self, block: Block) -> None:
        for name, tally in zip(self.reads, self._tallies, strict=True):
            tally.add(self._texts(block, name))

    def finish_fit(self) -> None:
        self._settle(tuple(self._kept(name, tally) for name, tally in zip(self.reads, self._tallies, strict=True)))
        if self.encoding == "auto":
            self.encoding = "one-hot" if max(map(len, self.values)) <= self.max_one_hot else "embedding"

    def encode(self, block: Block) -> Array:
        columns = []
        for name, numbers in zip(self.reads, self._numbers, strict=True):
            texts = self._texts(block, name)
            columns.append(np.fromiter((numbers.get(text, 0) for text in texts), np.int64, len(texts)))
        return self._one_hot(columns) if self.encoding == "one-hot" else np.stack(columns, axis=1)

    def known(self, rows: Rows) -> dict[str, int]:
        """How many of some encoded rows have a known value, for each column."""
        assert isinstance(rows, np.ndarray)
        if self.encoding == "one-hot":
            ends = np.cumsum([len(values) for values in self.values])[:-1]
            counts = [int(np.count_nonzero(flags)) for flags in np.split(rows, ends, axis=1)]
        else:
            counts = np.count_nonzero(rows, axis=0).tolist()
        return dict(zip(self.reads, counts, strict=True))

    def vocabulary(self) -> dict[str, tuple[str, ...]]:
        """The values that are known, for each column."""
        return dict(zip(self.reads, self.values, strict=True))

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        state = {"columns": list(self.reads), "values": [list(values) for values in self.values]}
        return {**state, "encoding": self.encoding}, {}

    @classmethod
    def from_state(cls, state: dict[str, Any], arrays: Mapping[str, Array]) -> Categories:
        names, encoding = stated_names(state, "columns"), stated_choice(state, "encoding", ("one-hot", "embedding"))
        values = state.get("values")
        if not isinstance(values, list) or len(values) != len(names):
            raise damaged("values", f"{len(names)} lists of texts", values)
        encoder = cls(list(names), encoding="one-hot" if encoding == "one-hot" else "embedding")
        encoder.reads = names
        encoder._settle(tuple(stated_names({"values": each}, "values") for each in values))
        return encoder

    def _settle(self, values: tuple[tuple[str, ...], ...]) -> None:
        self.values = values
        self._numbers = tuple(numbered(each, 1) for each in values)

    def _kept(self, name: str, tally: Tally) -> tuple[str, ...]:
        found = tally.most_frequent(self.max_values, self.min_count)
        if not found:
            rule = f"no value of column {name} comes {self.min_count} times (min_count) in the training rows"
            raise refused("columns", f"{rule}: there is nothing to learn from it, leave it out")
        return in_order(found)

    def _one_hot(self, columns: list[Ints]) -> Array:
        """The flags of each column next to each other; number n of a column is its flag n - 1."""
        rows = np.zeros((len(columns[0]), self.width), np.float32)
        start = 0
        for numbers, values in zip(columns, self.values, strict=True):
            known = np.flatnonzero(numbers)
            rows[known, start + numbers[known] - 1] = 1.0
            start += len(values)
        return rows

    def _texts(self, block: Block, name: str) -> list[str]:
        values = block.values(name, self.reads)
        if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in "biuf":
            return [as_text(value) for value in values.tolist()]
        if isinstance(values, list):
            return [text.strip() for text in values]
        message = f"categories are texts or numbers, one a row; got {values.dtype} {values.shape}"
        raise DataError(problems=[Problem(message, block.places.path, 0, printable(name))])


def as_text(value: float | int | bool) -> str:
    """A number as a table writes it; a NaN is missing.

    >>> as_text(3.0), as_text(0.5), as_text(float("nan")), as_text(True)
    ('3', '0.5', '', 'True')
    """
    if isinstance(value, float):
        return "" if math.isnan(value) else str(int(value)) if value.is_integer() else repr(value)
    return str(value)
