"""How long a sweep may take."""

from __future__ import annotations

import re

from trainer_cli.errors import ArgumentError

SPAN = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?")
# Trials are asked to stop, and made to, at these parts of the budget, so that it is kept within a twentieth.
ASKED, FORCED = 0.975, 1.01
MOST_AHEAD = 1.0  # seconds


def seconds_of(text: str) -> float:
    """A time such as 90, 90s, 10m or 1h30m in seconds. ArgumentError: it is none.

    >>> seconds_of("1h30m"), seconds_of("10m"), seconds_of("2.5")
    (5400.0, 600.0, 2.5)
    """
    found = SPAN.fullmatch(text.strip())
    seconds = (
        sum(float(part or 0) * unit for part, unit in zip(found.groups(), (3600, 60, 1), strict=True)) if found else 0.0
    )
    if not 0 < seconds < float("inf"):
        raise ArgumentError(f"--budget takes a time such as 90s, 10m or 1h30m, got {text!r}")
    return seconds


def shown(seconds: float) -> str:
    """
    >>> shown(0.34), shown(75), shown(5400)
    ('0.3 s', '1 min 15 s', '1 h 30 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def asked_at(budget: float) -> float:
    """After how many seconds trials are asked to save and stop."""
    return max(budget * ASKED, budget - MOST_AHEAD)


def forced_at(budget: float) -> float:
    """After how many seconds those that have not stopped are ended."""
    return budget * FORCED
