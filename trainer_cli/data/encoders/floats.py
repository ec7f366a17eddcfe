"""Columns as finite float64, every value that is none located."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from trainer_cli.arrays import Array
from trainer_cli.data.block import Block
from trainer_cli.data.faults import MAX_SHOWN, printable, shown
from trainer_cli.errors import DataError, Problem

Floats = NDArray[np.float64]


# What stands for a missing value in many tables.
MISSING = frozenset({"na", "n/a", "nan", "null", "none", "nil", "missing", "-", "--", "?", "."})


def floats(block: Block, name: str, remedy: str = "", used: Collection[str] = ()) -> Floats:
    """A column as float64, (B,) or (B, ...) as it comes; empty, non-numeric and non-finite values are a DataError.

    `remedy` says what to do with a column of text; `used` are columns that cannot be meant by one that is missing.
    """
    values = block.values(name, used)
    if not isinstance(values, list):
        return _finite(block, name, values)
    try:
        # Whole columns at once; only where that fails is each value looked at.
        numbers = _parsed(values)
    except ValueError:
        numbers = None
    if numbers is None or not np.isfinite(numbers).all():
        raise _text_faults(block, name, values, remedy)
    return numbers


def number(text: str) -> float | None:
    """The number that a text writes, as every CSV reader takes it; None where it writes none.

    Python's own notation is stricter here: no underscores, no digits of other scripts.

    >>> number(" 1.5e3"), number("1_000"), number("")
    (1500.0, None, None)
    """
    try:
        return float(_parsed([text])[0])
    except ValueError:
        return None


def _parsed(texts: list[str]) -> Floats:
    joined = "".join(texts)
    if "_" in joined or not joined.isascii():
        raise ValueError("float() takes underscores and the digits of other scripts")
    return np.fromiter(map(float, texts), np.float64, len(texts))


def _finite(block: Block, name: str, values: Array) -> Floats:
    if values.dtype.kind not in "biuf":
        place = block.places.path
        raise DataError(problems=[Problem(f"expected numbers, got {values.dtype}", place, 0, printable(name))])
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise not_finite(block, name, numbers)
    return numbers


def not_finite(block: Block, name: str, numbers: Array) -> DataError:
    """The error that names the rows in which an array is not finite."""
    flat = numbers.reshape(len(numbers), -1)
    rows = np.flatnonzero(~np.isfinite(flat).all(axis=1))
    return block.faulty(
        name, rows, lambda row: f"expected a finite number, got {flat[row][~np.isfinite(flat[row])][0]}"
    )


def _text_faults(block: Block, name: str, values: list[str], remedy: str) -> DataError:
    numbers = map(number, values)
    rows = [row for row, value in enumerate(numbers) if value is None or not math.isfinite(value)]
    if len(rows) == len(values) > MAX_SHOWN and number(values[0].replace(",", ".")) is None:
        # One mistake, at the header: every block with such a column reports the same.
        what = "text" if any(map(str.strip, values)) else "nothing"
        message = f"the column holds {what}, not numbers{f': {remedy}' if remedy else ''}"
        return DataError(problems=[Problem(message, block.places.path, block.header_line, printable(name))])
    return block.faulty(name, rows, lambda row: _complaint(values[row]))


def _complaint(text: str) -> str:
    if not text.strip():
        return "the value is empty; fill it in or leave the column or row out"
    if text.strip().lower() in MISSING:
        return f"the value is missing, {shown(text)}; fill it in or leave the column or row out"
    if number(text) is not None:
        return f"expected a finite number, got {shown(text)}"
    point = text.strip().replace(",", ".")
    return f"expected a number, got {shown(text)}" + (f". Did you mean {point}?" if number(point) is not None else "")
