"""What a text of a table writes: a number, a date, an amount of money, or just text."""

from __future__ import annotations

import math
import re
from datetime import date
from typing import Literal

from trainer_cli.data.encoders.floats import MISSING, number

Spelling = Literal["missing", "whole", "number", "code", "truth", "date", "amount", "text"]

TRUTHS = frozenset({"true", "false", "yes", "no", "t", "f", "y", "n", "on", "off"})

# Digits behind a zero, as postal codes and article numbers have them: a number would lose the zero.
CODE = re.compile(r"0[0-9]+")
# 2024-02-29, perhaps with a time; other orders by their separator.
TIME = r"\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"
YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}})(?:[T ]{TIME})?", re.ASCII)
YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}})(?: {TIME})?", re.ASCII)
# $1,200.50, 12 %, 1.200,50 EUR, (300), 1,5: a number with something around or inside it that no encoder takes.
AMOUNT = re.compile(
    r"[-+(]?\s?(?:[A-Z]{3}|[$€£¥₹])?\s?[-+]?\d+(?:[.,' ]\d{3})*(?:[.,]\d+)?\s?(?:%|[A-Z]{3}|[$€£¥₹])?\)?", re.ASCII
)


def spelling(text: str) -> tuple[Spelling, float | None]:
    """How a text is spelt, and the number it writes, if it is one.

    >>> spelling("17"), spelling("1.5e3"), spelling(" NA ")
    (('whole', 17.0), ('whole', 1500.0), ('missing', None))
    >>> [spelling(text)[0] for text in ("02139", "yes", "2024-02-29", "$1,200", "to be")]
    ['code', 'truth', 'date', 'amount', 'text']
    """
    bare = text.strip()
    if not bare or bare.lower() in MISSING:
        return "missing", None
    value = number(bare) if bare[-1].isdigit() or bare[-1] == "." else None
    if value is not None and math.isfinite(value):
        if CODE.fullmatch(bare):
            return "code", value
        return ("whole" if value.is_integer() else "number"), value
    if bare.lower() in TRUTHS:
        return "truth", None
    if not any(map(str.isdigit, bare)):
        return "text", None
    if is_date(bare):
        return "date", None
    return ("amount" if AMOUNT.fullmatch(bare) else "text"), None


def is_date(text: str) -> bool:
    """Whether a text is a day that there is, in an order of year, month and day that is in use.

    >>> is_date("2024-02-29"), is_date("2023-02-29"), is_date("31/12/2024"), is_date("12/31/2024 10:30")
    (True, False, True, True)
    """
    if found := YEAR_FIRST.fullmatch(text):
        return is_day(found[1], found[3], found[4])
    if found := YEAR_LAST.fullmatch(text):
        return is_day(found[4], found[3], found[1]) or is_day(found[4], found[1], found[3])
    return False


def is_day(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True
