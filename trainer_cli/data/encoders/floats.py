"""Columns as finite float64, every value that is none located."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer_cli.arrays import Array
from trainer_cli.data.block import Block
from trainer_cli.data.faults import MAX_SHOWN, Faults, printable, shown
from trainer_cli.errors import DataError, Problem

Floats = NDArray[np.float64]


def floats(block: Block, name: str) -> Floats:
    """A column as float64, (B,) or (B, ...) as it comes; empty, non-numeric and non-finite values are a DataError."""
    values = block.column(name)
    if not isinstance(values, list):
        return _finite(block, name, values)
    try:
        # Whole columns at once; only where that fails is each value looked at.
        numbers = _parsed(values)
    except ValueError:
        numbers = None
    if numbers is None or not np.isfinite(numbers).all():
        raise _text_faults(block, name, values)
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
    rows = np.flatnonzero(~np.isfinite(numbers.reshape(len(numbers), -1)).all(axis=1))
    faults = Faults()
    for row in rows[:MAX_SHOWN]:
        bad = numbers[row][~np.isfinite(numbers[row])].flat[0] if numbers.ndim > 1 else numbers[row]
        faults.add(block.problem(int(row), name, f"expected a finite number, got {bad}"))
    faults.total = len(rows)
    return faults.error()


def _text_faults(block: Block, name: str, values: list[str]) -> DataError:
    faults = Faults()
    for row, text in enumerate(values):
        value = number(text)
        if value is None and not text.strip():
            faults.add(block.problem(row, name, "the value is empty; fill it in or leave the column or row out"))
        elif value is None:
            faults.add(block.problem(row, name, f"expected a number, got {shown(text)}"))
        elif not np.isfinite(value):
            faults.add(block.problem(row, name, f"expected a finite number, got {shown(text)}"))
    return faults.error()
