"""What a text of a table writes: a number, a date, an amount of money, or just text."""

from __future__ import annotations

import math
import re
from typing import Literal

from trainer_cli.data.encoders.datetimes import is_either_way, moment
from trainer_cli.data.encoders.floats import is_missing, number

Spelling = Literal["missing", "whole", "number", "code", "truth", "date", "date?", "amount", "text"]

TRUTHS = frozenset({"true", "false", "yes", "no", "t", "f", "y", "n", "on", "off"})

# Digits behind a zero, as postal codes and article numbers have them: a number would lose the zero.
CODE = re.compile(r"0[0-9]+")
# Longer texts are no dates.
MAX_DATE = 40
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
    if is_missing(bare):
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
    if len(bare) <= MAX_DATE and moment(bare) is not None:
        return "date", None
    if is_either_way(bare):
        return "date?", None
    return ("amount" if AMOUNT.fullmatch(bare) else "text"), None
