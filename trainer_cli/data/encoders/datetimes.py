"""Dates and times of day as texts write them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal, get_args

Order = Literal["day first", "month first"]
ORDERS: tuple[Order, ...] = get_args(Order)

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
FULL_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip

CLOCK = r"(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d+)?)?"
TIME = rf"(?:[T ]\s*{CLOCK}(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?\s*(?:Z|[+-]\d\d:?\d\d)?)?"
DATES = (
    r"(?P<year>\d{4})-(?P<month>\d\d?)(?:-(?P<day>\d\d?))?",
    r"(?P<year>\d{4})/(?P<month>\d\d?)/(?P<day>\d\d?)",
    r"(?P<year>\d{4})\.(?P<month>\d\d?)\.(?P<day>\d\d?)",
    r"(?P<day>\d\d?)\.(?P<month>\d\d?)\.(?P<year>\d{4})",
    r"(?P<day>\d\d?)[ -](?P<word>[A-Za-z]{3,9})\.?,?[ -](?P<year>\d{4})",
    r"(?P<word>[A-Za-z]{3,9})\.? (?P<day>\d\d?),? (?P<year>\d{4})",
)
FORMS = tuple(re.compile(date + TIME, re.ASCII) for date in DATES)
# Dates of which each order reads the numbers in its own way.
ORDERED = {
    "day first": re.compile(r"(?P<day>\d\d?)([/-])(?P<month>\d\d?)\2(?P<year>\d{4})" + TIME, re.ASCII),
    "month first": re.compile(r"(?P<month>\d\d?)([/-])(?P<day>\d\d?)\2(?P<year>\d{4})" + TIME, re.ASCII),
}
SHORT = re.compile(r"\d\d?[/.-]\d\d?[/.-]\d\d(?:\D.*)?", re.ASCII)
EITHER_WAY = re.compile(r"\d\d?[/-]\d\d?[/-]\d{4}(?:\D.*)?|\d\d?[/.-]\d\d?[/.-]\d\d(?:\D.*)?", re.ASCII)


def moment(text: str, order: Order | None = None) -> datetime | None:
    """The date and time of day that a text writes, or None.

    Taken are ISO 8601, also with a space for its T and without a day (the month's first); the year first with slashes
    or dots; 31.1.2024, day first as everywhere where dots are used; 31 Jan 2024 and Jan 31, 2024. An offset from UTC is
    read and not used: the time counts as it stands. Hours of half a day have AM or PM behind them. With `order` dates
    such as 1/31/2024 or 31-1-2024 are taken, too.

    >>> moment("2024-01-31"), moment("31 Jan 2024 14:30")
    (datetime.datetime(2024, 1, 31, 0, 0), datetime.datetime(2024, 1, 31, 14, 30))
    >>> moment("01/02/2024"), moment("2024-02-30")
    (None, None)
    >>> moment("01/02/2024", "day first"), moment("01/31/2024", "day first")
    (datetime.datetime(2024, 2, 1, 0, 0), None)
    """
    text = text.strip()
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None) if text.isascii() else None
    except ValueError:
        pass
    for form in FORMS:
        if found := form.fullmatch(text):
            return _made(found.groupdict())
    found = ORDERED[order].fullmatch(text) if order else None
    return _made(found.groupdict()) if found else None


def is_short(text: str) -> bool:
    """Whether a text may be a date whose year has two digits.

    >>> is_short("1.2.24"), is_short("1.2.2024")
    (True, False)
    """
    return SHORT.fullmatch(text.strip()) is not None


def is_either_way(text: str) -> bool:
    """Whether a text may be a date of which nobody can tell the day from the month, or the century.

    >>> is_either_way("01/02/2024"), is_either_way("1.2.24"), is_either_way("tomorrow")
    (True, True, False)
    """
    return EITHER_WAY.fullmatch(text.strip()) is not None


def _made(parts: dict[str, str | None]) -> datetime | None:
    month = int(parts.get("month") or 0) or _month(parts.get("word") or "")
    hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
    try:
        hour = _of_half(hour, parts["half"])
        return datetime(int(parts["year"] or 0), month, int(parts["day"] or 1), hour, minute, second)
    except ValueError:  # no such day or time
        return None


def _of_half(hour: int, half: str | None) -> int:
    """The hour of the day, of one from 1 to 12 before noon (`a`) or after it (`p`). ValueError: there is none such.

    >>> _of_half(12, "a"), _of_half(1, "P"), _of_half(13, None)
    (0, 13, 13)
    """
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError("no hour of half a day")
    return hour % 12 + (12 if half in "pP" else 0)


def _month(word: str) -> int:
    """The number of a month by its English name or the first three letters of it, 0 for no month."""
    for names in (MONTHS, FULL_MONTHS):
        if word.lower() in names:
            return names.index(word.lower()) + 1
    return 9 if word.lower() == "sept" else 0
