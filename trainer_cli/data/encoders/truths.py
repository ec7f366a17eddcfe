"""Truth values, which each format spells in its own way."""

from __future__ import annotations

from collections.abc import Sequence

# JSON and parquet have the first, Python, numpy and pandas write the second, spreadsheets and R the third.
WRITTEN = (("true", "True", "TRUE"), ("false", "False", "FALSE"))
SPELLINGS = {name: spellings for spellings in WRITTEN for name in spellings}


def numbered(names: Sequence[str], start: int = 0) -> dict[str, int]:
    """The numbers of names, from `start` on; a truth value has its number in every spelling that is no other name.

    >>> numbered(["False", "True"])["true"], numbered(["no", "yes"], 1), "true" in numbered(["yes"])
    (1, {'no': 1, 'yes': 2}, False)
    """
    found = {name: number for number, name in enumerate(names, start)}
    for name, number in tuple(found.items()):
        for spelling in SPELLINGS.get(name, ()):
            found.setdefault(spelling, number)
    return found
