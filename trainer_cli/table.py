"""The table of evaluations, a line at a time, as wide as there is room."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# A column without a rank always stays; of the others the one with the highest goes first where room is short.
ALWAYS = 0


@dataclass(frozen=True)
class Column:
    """One column: the row's entry it shows, its heading and width, and how dispensable it is."""

    key: str
    title: str
    width: int
    rank: int = ALWAYS

    def cell(self, row: Mapping[str, Any]) -> str:
        return shown(self.key, row.get(self.key)).rjust(self.width)


def columns(score_names: Sequence[str], width: int | None) -> list[Column]:
    """The columns that `width` holds: the step and the first score stay to the last, before them the losses."""
    found = [
        Column("epoch", "EPOCH", 5, rank=4),
        Column("step", "STEP", 7),
        Column("train_loss", "TRAIN LOSS", 10, rank=3),
    ]
    if not any(name.endswith(".loss") for name in score_names):  # several dev sets have one each
        found.append(Column("loss", "DEV LOSS", 8, rank=2 if score_names else ALWAYS))
    for index, name in enumerate(score_names):
        found.append(Column(name, name.upper(), max(8, len(name)), rank=5 if index else ALWAYS))
    found += [
        Column("learn_rate", "RATE", 8, rank=6),
        Column("batch_size", "BATCH", 6, rank=7),
        Column("seconds", "SECONDS", 8, rank=8),
    ]
    while width is not None and line_width(found) > width and any(column.rank for column in found):
        # Of columns of one rank the last one goes.
        found.remove(max(reversed(found), key=lambda column: column.rank))
    return found


def line_width(found: Sequence[Column]) -> int:
    return sum(column.width + 1 for column in found) + 1  # with the star of the best


def shown(key: str, value: Any) -> str:
    """A value as the table has it; a dash for none.

    >>> shown("loss", 0.5), shown("loss", 4.99e-07), shown("learn_rate", 0.002), shown("step", 7), shown("loss", None)
    ('0.5000', '4.99e-07', '0.002', '7', '-')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, int):
        return str(value)
    if key == "learn_rate":
        return f"{value:.2g}"
    if key == "seconds":
        return f"{value:.1f}"
    return score_text(value)


def score_text(value: float) -> str:
    """A loss or score in eight characters: four places, fewer of a large one, three digits of the smallest and largest.

    >>> score_text(0.5), score_text(11905.14994), score_text(1.2e9), score_text(4.99e-07)
    ('0.5000', '11905.15', '1.20e+09', '4.99e-07')
    """
    if not 0.001 <= abs(value) < 1e7 and value != 0:
        return f"{value:.2e}"
    n_digits = len(f"{abs(value):.0f}")
    return f"{value:.{max(0, min(4, 7 - n_digits))}f}"
