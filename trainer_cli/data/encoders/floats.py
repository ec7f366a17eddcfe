"""Columns as finite float64, every value that is none located."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from trainer_cli.arrays import Array
from trainer_cli.data.block import Block
from trainer_cli.data.encoders.notation import PLAIN, Notation, fitting
from trainer_cli.data.faults import MAX_SHOWN, printable, shown
from trainer_cli.errors import DataError, Problem

Floats = NDArray[np.float64]


# What stands for a missing value in many tables.
MISSING = frozenset({"na", "n/a", "nan", "null", "none", "nil", "missing", "-", "--", "?", ".", "<na>"})
# What a spreadsheet writes where it has no value.
MISSING |= {"#n/a", "#na", "#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!"}
# Beside numbers these stand for one as well; among categories they may be a category.
UNKNOWN = frozenset({"unknown", "unbekannt"})


def floats(
    block: Block,
    name: str,
    remedy: str = "",
    used: Collection[str] = (),
    *,
    gaps: bool = False,
    filler: str = "",
    notation: Notation = PLAIN,
    lenient: bool = False,
) -> Floats:
    """A column as float64, (B,) or (B, ...) as it comes; empty, non-numeric and non-finite values are a DataError.

    With `gaps` a missing value (an empty text, a word for it such as NA, a NaN of an array) is NaN. `remedy` says what
    to do with a column of text, `filler` which encoder would take a missing value; `used` are columns that cannot be
    meant by one that is missing. `notation` says how texts write numbers. With `lenient` what is no finite number
    is NaN too, unless that is all there is.
    """
    values = block.values(name, used)
    if not notation.is_plain and isinstance(values, list):
        values = _translated(block, name, values, notation, lenient)
    if not isinstance(values, list):
        if lenient and values.dtype.kind == "f":
            values = np.where(np.isinf(values), np.nan, values)
        return _finite(block, name, values, gaps)
    # Whole columns at once; only where that fails is each value looked at.
    numbers = _parsed_or_none(values)
    if numbers is None and gaps:
        numbers = _parsed_or_none(["nan" if is_gap(text) else text for text in values])
    if lenient and (numbers is None or not _good(numbers, gaps).all()):
        numbers = _leniently(values)
    if numbers is None or not _good(numbers, gaps).all():
        raise _text_faults(block, name, values, remedy, gaps, filler)
    return numbers


def _leniently(texts: list[str]) -> Floats | None:
    """Texts as numbers, what writes no finite one as NaN; None for many texts none of which writes one."""
    found = [value if (value := number(text)) is not None and math.isfinite(value) else math.nan for text in texts]
    is_text = all(map(math.isnan, found)) and sum(not is_gap(text) for text in texts) > MAX_SHOWN
    return None if is_text else np.array(found)


def _translated(block: Block, name: str, texts: list[str], notation: Notation, lenient: bool) -> list[str]:
    """Texts with their numbers as Python writes them; DataError: one is no number in this notation."""
    found = [text if is_gap(text) else notation.translated(text) for text in texts]
    if lenient and any(text is not None for text in found):
        found = ["" if text is None else text for text in found]
    if wrong := [row for row, text in enumerate(found) if text is None]:
        rule = f"expected a number as {notation.said()} says"
        raise block.faulty(name, wrong, lambda row: f"{rule}, got {shown(texts[row])}")
    return [text for text in found if text is not None]


def is_missing(text: str) -> bool:
    """Whether a text stands for a missing value: nothing, or a word for it.

    >>> is_missing(" "), is_missing("N/A"), is_missing("0")
    (True, True, False)
    """
    plain = text.strip()
    return not plain or plain.lower() in MISSING


def is_gap(text: str) -> bool:
    """Whether a text stands for a missing number.

    >>> is_gap("unknown"), is_gap("#DIV/0!"), is_gap("unknown land")
    (True, True, False)
    """
    return is_missing(text) or text.strip().lower() in UNKNOWN


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


def _parsed_or_none(texts: list[str]) -> Floats | None:
    try:
        return _parsed(texts)
    except ValueError:
        return None


def _good(numbers: Floats, gaps: bool) -> NDArray[np.bool_]:
    """Where the numbers are finite, or with `gaps` missing."""
    good: NDArray[np.bool_] = ~np.isinf(numbers) if gaps else np.isfinite(numbers)
    return good


def _finite(block: Block, name: str, values: Array, gaps: bool) -> Floats:
    if values.dtype.kind not in "biuf":
        place = block.places.path
        raise DataError(problems=[Problem(f"expected numbers, got {values.dtype}", place, 0, printable(name))])
    numbers = values.astype(np.float64)
    if not _good(numbers, gaps).all():
        raise not_finite(
            block, name, np.nan_to_num(numbers, nan=0.0, posinf=np.inf, neginf=-np.inf) if gaps else numbers
        )
    return numbers


def not_finite(block: Block, name: str, numbers: Array) -> DataError:
    """The error that names the rows in which an array is not finite."""
    flat = numbers.reshape(len(numbers), -1)
    rows = np.flatnonzero(~np.isfinite(flat).all(axis=1))
    return block.faulty(
        name, rows, lambda row: f"expected a finite number, got {flat[row][~np.isfinite(flat[row])][0]}"
    )


def _text_faults(block: Block, name: str, values: list[str], remedy: str, gaps: bool, filler: str) -> DataError:
    numbers = [number(text) for text in values]
    rows = [
        row
        for row, value in enumerate(numbers)
        if (value is None or not math.isfinite(value)) and not (gaps and is_gap(values[row]))
    ]
    n_there = sum(not is_gap(text) for text in values) if gaps else len(values)
    if len(rows) == n_there > MAX_SHOWN and not fitting(values[rows[0]]):
        # One mistake, at the header: every block with such a column reports the same.
        what = "text" if any(map(str.strip, values)) else "nothing"
        message = f"the column holds {what}, not numbers{f': {remedy}' if remedy else ''}"
        return DataError(problems=[Problem(message, block.places.path, block.header_line, printable(name))])
    return block.faulty(name, rows, lambda row: _complaint(values[row], filler))


def _complaint(text: str, filler: str) -> str:
    rule = "fill it in or leave the column or row out" + (f"; {filler}" if filler else "")
    if not text.strip():
        return f"the value is empty; {rule}"
    if is_gap(text):
        return f"the value is missing, {shown(text)}; {rule}"
    if number(text) is not None:
        return f"expected a finite number, got {shown(text)}"
    point = text.strip().replace(",", ".")
    meant = f". Did you mean {point}?" if number(point) is not None else ""
    settings = next((f"{'' if meant else ';'} numbers.v1 reads it with {each.said()}" for each in fitting(text)), "")
    return f"expected a number, got {shown(text)}{meant}{settings}"
