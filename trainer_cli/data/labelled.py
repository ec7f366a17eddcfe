"""The rows of data that have a value to learn from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from trainer_cli.arrays import Ints
from trainer_cli.data.block import Block, Column, is_texts
from trainer_cli.data.encoders.floats import is_missing
from trainer_cli.data.encoders.gaps import SKIP
from trainer_cli.data.faults import printable
from trainer_cli.data.reader import Reader
from trainer_cli.errors import DataError, Problem


class LabelledReader:
    """A reader's rows without those that have nothing in `column`: an empty text or list, a word for it such as NA, a
    NaN.

    `is_gap` says which texts are none; of numbers there are more.
    The others keep their places and numbers. `n_left_out` is how many rows have been left out, by the pass that saw
    most of them. What else the reader has, such as its files and settings, this one has as well.
    """

    def __init__(self, reader: Reader, column: str, is_gap: Callable[[str], bool] = is_missing):
        self.reader = reader
        self.column = column
        self.is_gap = is_gap
        self.n_left_out = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["reader"], name)

    def columns(self) -> tuple[str, ...]:
        return self.reader.columns()

    def blocks(self) -> Iterator[Block]:
        """The rows with a target, block by block; DataError: none has one."""
        n_left_out = n_kept = 0
        path = ""
        for block in self.reader.blocks():
            rows = (
                present(block.columns[self.column], self.is_gap)
                if self.column in block.columns
                else np.arange(len(block))
            )
            n_left_out += len(block) - len(rows)
            n_kept += len(rows)
            self.n_left_out = max(self.n_left_out, n_left_out)
            path = path or block.places.path
            if len(rows):
                yield block if len(rows) == len(block) else block.take(rows)
        if n_left_out and not n_kept:
            message = f"none of the {n_left_out:,} rows has a value to learn from or to score by"
            raise DataError(problems=[Problem(message, path, 0, printable(self.column))])


def present(values: Column, is_gap: Callable[[str], bool] = is_missing) -> Ints:
    """The rows of a column that have a value.

    >>> present(["a", "", "NA", "b"]), present(np.array([1.0, np.nan])), present([[], ["a"]])
    (array([0, 3]), array([0]), array([1]))
    """
    if isinstance(values, np.ndarray):
        is_nan = np.isnan(values) if values.ndim == 1 and values.dtype.kind == "f" else np.zeros(len(values), bool)
        return np.flatnonzero(~is_nan)
    if not is_texts(values):
        return np.array([row for row, texts in enumerate(values) if texts], np.int64)
    return np.array([row for row, text in enumerate(values) if not is_gap(text)], np.int64)


def labelled(reader: Reader, target: object) -> Reader:
    """The reader as a target that knows its column wants it: with `missing = "skip"`, without rows that have none."""
    columns: tuple[str, ...] = getattr(target, "reads", ())
    is_skipped = columns and getattr(target, "missing", "") == SKIP
    return LabelledReader(reader, columns[0], getattr(target, "is_gap", is_missing)) if is_skipped else reader


def told(reader: Reader, where: str = "") -> list[str]:
    """How many rows have been left out, a line if there are any."""
    n = reader.n_left_out if isinstance(reader, LabelledReader) else 0
    return [f"{f'{where}: ' if where else ''}{n:,} row{'s' if n > 1 else ''} without a target left out"] if n else []
