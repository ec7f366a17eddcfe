"""The newest rows held out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.data.block import Block
from trainer_cli.data.encoders.choice import chosen
from trainer_cli.data.encoders.floats import number
from trainer_cli.data.faults import Faults, shown
from trainer_cli.data.splits.split import DEV, TEST, Parts, check_shares, sizes, texts
from trainer_cli.registry import registry

NAIVE, AWARE = datetime(1970, 1, 1), datetime(1970, 1, 1, tzinfo=UTC)

# What a column of times may hold, and how a mistake names it.
NUMBERS, DATES, ZONED = "a number", "a date as 2026-03-31 or 2026-03-31T09:30", "a date with a zone, as ...T09:30+01:00"


@registry.splits("time.v1")
class TimeSplit:
    """Hold out the newest rows by `column`: the `test` share newest of all, and before these the `dev` share.

    The column holds numbers, or dates as ISO 8601 writes them, all with a time zone or all without. Rows of one time
    stay together, in the newer part: no row is trained on that is as new as one held out.
    """

    def __init__(self, column: str, dev: float = 0.1, test: float = 0.0):
        check_shares(dev, test)
        self.column = column
        self.dev = dev
        self.test = test

    def choose(self, columns: tuple[str, ...], target: tuple[str, ...]) -> None:
        chosen(self.column, columns, "column")

    def divide(self, blocks: Iterable[Block], seed: int) -> Parts:
        times = self._times(blocks)
        n_dev, n_test = sizes(len(times), self.dev, self.test)
        newest = np.sort(times)[::-1]
        parts: Parts = np.zeros(len(times), np.uint8)
        if n_dev:
            parts[times >= newest[n_dev + n_test - 1]] = DEV
        if n_test:
            parts[times >= newest[n_test - 1]] = TEST
        return parts

    def _times(self, blocks: Iterable[Block]) -> Array:
        """The times as numbers: the first row says of which kind all must be."""
        found: list[Array] = []
        faults, kind = Faults(), ""
        for block in blocks:
            values = block.column(self.column)
            if not isinstance(values, list) and values.ndim == 1 and values.dtype.kind in "iu":
                found.append(values)
                kind = kind or NUMBERS
                continue
            written = texts(block, self.column)
            kind = kind or kind_of(written[0])
            times = [TIMES[kind](text) for text in written]
            if wrong := [row for row, time in enumerate(times) if time is None]:
                faults.add_error(block.faulty(self.column, wrong, wrong_time(kind, written)))
            else:
                found.append(np.array(times))
        faults.check()
        return np.concatenate(found) if found else np.zeros(0)


def kind_of(text: str) -> str:
    """What a column of times holds, by its first value."""
    return next((kind for kind in (NUMBERS, ZONED) if TIMES[kind](text) is not None), DATES)


def wrong_time(kind: str, written: Sequence[str]) -> Callable[[int], str]:
    return lambda row: f"expected {kind}, as in the first row, got {shown(written[row])}"


def as_number(text: str) -> int | float | None:
    """The number that a text writes, whole ones to the last digit."""
    value = number(text)
    if value is None or not np.isfinite(value):
        return None
    return int(text) if text.strip().lstrip("+-").isdecimal() and abs(value) < 2**62 else value


def microseconds(text: str, since: datetime) -> int | None:
    """The microseconds from `since` to an ISO 8601 date; None if the text is none, or only one of them has a zone."""
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if (time.tzinfo is None) != (since.tzinfo is None):
        return None
    return (time - since) // timedelta(microseconds=1)


TIMES: dict[str, Callable[[str], int | float | None]] = {
    NUMBERS: as_number,
    DATES: lambda text: microseconds(text, NAIVE),
    ZONED: lambda text: microseconds(text, AWARE),
}
