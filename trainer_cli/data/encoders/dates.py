"""Dates and times as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.data.block import Block
from trainer_cli.data.encoders.choice import chosen_columns
from trainer_cli.data.encoders.datetimes import ORDERS, Order, is_either_way, is_short, moment
from trainer_cli.data.encoders.floats import Floats, is_missing
from trainer_cli.data.encoders.moments import Moments
from trainer_cli.data.encoders.numbers import CLIP, Missing
from trainer_cli.data.encoders.standard import standardised
from trainer_cli.data.encoders.state import damaged, stated_choice, stated_floats, stated_indexes, stated_names
from trainer_cli.data.encoders.state import stated_number as stated
from trainer_cli.data.faults import MAX_SHOWN, Faults, printable, refused, shown
from trainer_cli.errors import DataError, Problem
from trainer_cli.registry import registry

EXAMPLE = "expected a date such as 2024-01-31 or 2024-01-31 14:30"
INSTEAD = "categories.v1 or numbers.v1 may take it"
EPOCH = np.datetime64("1970-01-01", "us")
DAY = np.timedelta64(1, "D")


@registry.encoders("dates.v1")
class Dates:
    """Dates as numbers, (B, width) float32; 6 a column, or 8 if a training row has a time of day, then its flag if any.

    The numbers of a column: the days from the training rows' mean and the year, both divided by their deviation and no
    further from 0 than `clip` (0: no limit); the sine and cosine of the place in the year, month by month, and in the
    week; and, where there is a time, those of the hour in the day. A number that is constant in training is always 0.

    Taken are ISO dates, 2024-01-31 or 2024-01-31T14:30:00, with a space or a Z too, and other forms that can be read
    in one way only: 2024/01/31, 31.01.2024, 31 Jan 2024, Jan 31, 2024; also arrays of dates. An offset from UTC is not
    used. `order` takes dates such as 01/02/2024 as well; it is "day first" or "month first".
    With `missing = "mean"` a missing date is 0 in every number, and a column that misses one in training has a
    flag, 1 where it is missing; with "error" it is a DataError.
    """

    def __init__(
        self, columns: list[str], *, clip: float = CLIP, missing: Missing = "mean", order: Order | None = None
    ):
        if not 0 <= clip < np.inf:
            raise refused("clip", f"clip must be a number of deviations, 0 for no limit, got {clip}")
        self.columns = columns
        self.clip = float(clip)
        self.missing: Missing = missing
        self.order: Order | None = order
        self.reads: tuple[str, ...] = ()
        self.mean: Floats = np.zeros(0)
        self.scale: Floats = np.zeros(0)
        self.timed: tuple[int, ...] = ()
        self.flagged: tuple[int, ...] = ()
        self._moments = Moments()
        self._timed: set[int] = set()

    @property
    def width(self) -> int:
        return 6 * len(self.reads) + 2 * len(self.timed) + len(self.flagged)

    def choose(self, columns: tuple[str, ...]) -> None:
        self.reads = chosen_columns(self.columns, columns)
        self._moments, self._timed = Moments(), set()

    def fit(self, block: Block) -> None:
        days = self._days(block)
        self._timed |= set(np.flatnonzero((days % 1 > 0).any(axis=0)).tolist())
        self._moments.add(np.concatenate([days, years(days)], axis=1))

    def finish_fit(self) -> None:
        moments = self._moments
        for name, n in zip(self.reads, moments.n[: len(self.reads)], strict=True):
            if n == 0:
                raise refused("columns", f"column {name} has no date in any training row: leave it out")
        self.mean, self.scale = moments.mean, np.where(moments.squares == 0, 0.0, moments.scale)
        self.flagged = tuple(np.flatnonzero(moments.n[: len(self.reads)] < moments.n_rows).tolist())
        self.timed = tuple(sorted(self._timed))

    def encode(self, block: Block) -> Array:
        days = self._days(block)
        gaps = np.isnan(days)
        both = np.concatenate([days, years(days)], axis=1)
        linear = standardised(
            block, self.reads * 2, np.where(np.isnan(both), self.mean, both), self.mean, self.scale, self.clip
        )
        n, columns = len(self.reads), []
        for column in range(n):
            columns += [linear[:, column], linear[:, n + column], *circles(days[:, column], column in self.timed)]
        columns += [gaps[:, column] for column in self.flagged]
        return np.stack(columns, axis=1).astype(np.float32)

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        state: dict[str, Any] = {"columns": list(self.reads), "timed": list(self.timed), "flagged": list(self.flagged)}
        if self.order is not None:
            state["order"] = self.order
        return {**state, "missing": self.missing, "clip": self.clip}, {"mean": self.mean, "scale": self.scale}

    @classmethod
    def from_state(cls, state: dict[str, Any], arrays: Mapping[str, Array]) -> Dates:
        names, missing = stated_names(state, "columns"), stated_choice(state, "missing", ("mean", "error"))
        encoder = cls(list(names), clip=stated(state, "clip"), missing="mean" if missing == "mean" else "error")
        encoder.order = stated_order(state)
        encoder.reads = names
        encoder.timed = tuple(stated_indexes(state, "timed", len(names)).tolist())
        encoder.flagged = tuple(stated_indexes(state, "flagged", len(names)).tolist())
        encoder.mean = stated_floats(arrays, "mean", 2 * len(names))
        encoder.scale = stated_floats(arrays, "scale", 2 * len(names))
        if (encoder.scale < 0).any():
            raise damaged("scale", "numbers of at least 0", encoder.scale)
        return encoder

    def _days(self, block: Block) -> Floats:
        """Days since 1970 with their fractions, (B, k); NaN where missing."""
        faults = Faults()
        columns = [faults.attempt(lambda name: self._column(block, name), name) for name in self.reads]
        faults.check()
        return np.stack([column for column in columns if column is not None], axis=1)

    def _column(self, block: Block, name: str) -> Floats:
        values = block.values(name, self.reads)
        days = (
            of_array(block, name, values)
            if isinstance(values, np.ndarray)
            else of_texts(block, name, values, self.order)
        )
        gaps = np.flatnonzero(np.isnan(days))
        if len(gaps) and self.missing == "error":
            raise block.faulty(name, gaps, lambda row: 'the date is missing; missing = "mean" takes it')
        return days


def in_days(found: datetime) -> float:
    return found.toordinal() - 719163 + (found.hour * 3600 + found.minute * 60 + found.second) / 86400


def of_array(block: Block, name: str, values: Array) -> Floats:
    if values.ndim != 1 or values.dtype.kind != "M":
        message = f"expected dates, one a row, got {values.dtype} {values.shape}; numbers.v1 takes numbers"
        raise DataError(problems=[Problem(message, block.places.path, 0, printable(name))])
    days: Floats = (values.astype("datetime64[us]") - EPOCH) / DAY
    return days


def of_texts(block: Block, name: str, values: list[str], order: Order | None = None) -> Floats:
    read = {text: moment(text, order) for text in set(values)}
    wrong = [row for row, text in enumerate(values) if read[text] is None and not is_missing(text)]
    n_there = sum(not is_missing(text) for text in values)
    if len(wrong) == n_there > MAX_SHOWN and not is_either_way(values[wrong[0]]):
        message = f"the column holds text, not dates: {INSTEAD}"
        raise DataError(problems=[Problem(message, block.places.path, block.header_line, printable(name))])
    if wrong:
        raise block.faulty(name, wrong, lambda row: complaint(values[row], order))
    days = {text: np.nan if found is None else in_days(found) for text, found in read.items()}
    return np.fromiter((days[text] for text in values), np.float64, len(values))


def as_dates(days: Floats) -> Array:
    """Whole days as numpy's dates; 1970 where missing, which the caller sets to 0."""
    return np.floor(np.nan_to_num(days)).astype("datetime64[D]")


def years(days: Floats) -> Floats:
    """The year of each, NaN where missing."""
    found = as_dates(days).astype("datetime64[Y]").astype(np.int64) + 1970
    return np.where(np.isnan(days), np.nan, found)


def circles(days: Floats, is_timed: bool) -> list[Array]:
    """Sine and cosine of month, weekday and, with a time, hour: next to each other are the last and the first.

    The month is 0 for January and goes on day by day; the week begins on Monday; 0 where the date is missing.
    """
    dates = as_dates(days)
    months = dates.astype("datetime64[M]")
    lengths = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
    in_month = (dates - months.astype("datetime64[D]")).astype(np.int64) / lengths
    turns = [(months.astype(np.int64) % 12 + in_month) / 12, (dates.astype(np.int64) + 3) % 7 / 7]
    turns += [np.nan_to_num(days) % 1] if is_timed else []
    there = ~np.isnan(days)
    return [there * wave(2 * np.pi * turn) for turn in turns for wave in (np.sin, np.cos)]


def complaint(text: str, order: Order | None = None) -> str:
    hint = ""
    if is_short(text):
        hint = "; of which century is it?"
    elif is_either_way(text):
        ways = " or ".join(f'"{each}"' for each in ORDERS)
        hint = f"; it is none with the {order}" if order else f"; order = {ways} says which number is the day"
    return f"{EXAMPLE}, got {shown(text)}{hint}"


def stated_order(state: Mapping[str, Any]) -> Order | None:
    """The order of a state; those written before there was one have none."""
    found = stated_choice(state, "order", ORDERS) if "order" in state else None
    return next((each for each in ORDERS if each == found), None)
