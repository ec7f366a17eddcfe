"""Columns that say which row it is, not what it is like."""

from __future__ import annotations

import re

from trainer_cli.profile.facts import ColumnFacts
from trainer_cli.profile.words import has_word, words_of

# What identifiers are called, as a word of the name: user_id, uuid, "Row Number".
ID_NAME = re.compile(
    r"(?:^|[^a-z])(?:id|ids|uuid|guid|index|idx|key|row ?(?:id|number|no|nr)"
    r"|phone|telephone|tel|telefon|mobile|fax|iban|isbn|issn|ssn|ean|sku|imei|vin)(?:$|[^a-z])|unnamed: \d+"
)
# The same as a last word: order_no, but not num_pages or "number of rooms".
ID_ENDING = re.compile(r"(?:^|[^a-z])(?:no|nr|num|number|nummer|numero|número|code|ref|reference)[^a-z0-9]*$")
# Whole numbers of such a name are a measure though they go up evenly: a time, an axis, a place in a list.
MEASURES = frozenset(
    (
        *("year", "quarter", "month", "week", "day", "date", "hour", "minute", "second", "time", "timestamp", "t"),
        *("jahr", "monat", "woche", "tag", "stunde", "zeit", "x", "y", "z", "age", "rank", "ranking", "position"),
        *("distance", "depth", "height", "length", "width", "size", "weight", "altitude", "angle", "latitude"),
        *("longitude", "temperature", "temp", "pressure", "speed", "voltage", "load", "frequency", "wavelength"),
        *("price", "dose", "concentration", "amount", "count", "level", "degree", "degrees"),
    )
)
# Fewer rows that go up evenly may have been measured so, unless the column is named as identifiers are.
MIN_ROWS = 50


def identity(facts: ColumnFacts) -> str:
    """Why whole numbers identify rows, or an empty text.

    >>> identity(ColumnFacts("order", "whole", 800, distinct=800, low=50001.0, high=50800.0, step=1))
    'it numbers the rows from 50001 on'
    >>> identity(ColumnFacts("year", "whole", 70, distinct=70, low=1950.0, high=2019.0, step=1))
    ''
    """
    if facts.kind not in ("whole", "amount"):  # +47 123 456 may be taken for an amount
        return ""
    if facts.step is not None and not has_word(facts.name, MEASURES):
        if facts.is_counting:
            return "it numbers the rows"
        if facts.n >= MIN_ROWS or is_named(facts):
            by = f", {facts.step} by {facts.step}" if facts.step > 1 else ""
            return f"it numbers the rows from {facts.low:.0f} on{by}"
    return "an identifier: hardly any value comes twice" if is_id(facts) else ""


def is_axis(facts: ColumnFacts) -> bool:
    """Whether numbers go up evenly, but from elsewhere than 0 or 1 and without the name of an identifier."""
    return facts.step is not None and not facts.is_counting and not is_named(facts)


def is_id(facts: ColumnFacts) -> bool:
    """Whether a column is named as identifiers are, and hardly any value comes twice."""
    return is_named(facts) and comes_once(facts)


def is_named(facts: ColumnFacts) -> bool:
    name = words_of(facts.name)
    return bool(ID_NAME.search(name) or ID_ENDING.search(name))


def comes_once(facts: ColumnFacts) -> bool:
    """Whether hardly any value comes twice."""
    return facts.distinct * 10 >= facts.present * 9


def is_wordless(facts: ColumnFacts) -> bool:
    """Whether texts hold no letter, as phone numbers do."""
    return not any(any(map(str.isalpha, text)) for text in list(facts.counts)[:100])
