"""What a split is, and what those of shares have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trainer_cli.arrays import Ints
from trainer_cli.data.block import Block, is_texts
from trainer_cli.data.faults import printable
from trainer_cli.errors import DataError, Problem, bad_argument

# The number of a part is its place here.
PARTS = ("train", "dev", "test")
TRAIN, DEV, TEST = range(3)

Parts = NDArray[np.uint8]

# How a whole number is written that is a float.
WHOLE = re.compile(r"-?[0-9]+(\.0*|(\.[0-9]+)?[eE]\+?[0-9]{1,3})")


class Split(Protocol):
    """Tells the rows to train on from those that are held out. One that a user registers needs these two methods."""

    def choose(self, columns: tuple[str, ...], target: tuple[str, ...]) -> None:
        """Settle which of the data's columns it looks at; `target` are those to predict. DataError: one is missing."""

    def divide(self, blocks: Iterable[Block], seed: int) -> Parts:
        """The part of every row, in their order: 0 is training, 1 dev, 2 test. A function of the rows and the seed."""


def check_shares(dev: float, test: float) -> None:
    """ArgumentError: `dev` and `test` are no shares of the rows that leave some for training."""
    rule = "a share of the rows, {} 0 and below 1, such as 0.1"
    if not 0 < dev < 1:
        raise bad_argument("dev", f"must be {rule.format('above')}, got {dev}")
    if not 0 <= test < 1:
        raise bad_argument("test", f"must be {rule.format('at least')}, got {test}")
    if dev + test >= 1:
        raise bad_argument("test", f"dev and test leave no rows to train on: {dev} + {test} must be below 1")


def sizes(n: int, dev: float, test: float) -> tuple[int, int]:
    """How many of `n` rows are dev and how many test: their shares, rounded to the nearest whole number."""
    return round(n * dev), round(n * test)


def held_out(n: int, dev: Ints, test: Ints) -> Parts:
    """The parts of `n` rows of which these are dev and test."""
    parts: Parts = np.zeros(n, np.uint8)
    parts[dev], parts[test] = DEV, TEST
    return parts


def keys(block: Block, name: str) -> list[str]:
    """A column's values as keys: a whole number is one key however it is written, NaN none (an empty text).

    A file of numbers may give 7, and another of the same ones, or a later part of it in which some are missing, 7.0.
    """
    return [key_of(text) for text in texts(block, name)]


def key_of(text: str) -> str:
    """
    >>> key_of("7.0"), key_of("-7."), key_of("1e+16"), key_of("007"), key_of("7.5"), key_of("nan")
    ('7', '-7', '10000000000000000', '007', '7.5', '')
    """
    if text == "nan":
        return ""
    if text.isdecimal() or not WHOLE.fullmatch(text):
        return text
    if "e" not in text.lower():
        whole = text.partition(".")[0]
        return "0" if whole == "-0" else whole
    value = float(text)
    return str(int(value)) if value.is_integer() else text


def texts(block: Block, name: str) -> Sequence[str]:
    """A column's values as texts: numbers as Python writes them. DataError: a row has no single value."""
    values = block.column(name)
    if isinstance(values, list):
        if is_texts(values):
            return values
    elif values.ndim == 1 and values.dtype.kind in "biuf":
        return [str(value) for value in values.tolist()]
    message = "a split takes one text or number a row, this column holds lists or arrays; random.v1 needs no column"
    raise DataError(problems=[Problem(message, block.places.path, block.header_line, printable(name))])
