"""In which notation all texts of a column are numbers."""

from __future__ import annotations

import math

from trainer_cli.data.encoders.notation import NOTATIONS, Notation

# So many plain numbers with a point, which another notation may read otherwise, are kept until one is no plain number.
MAX_KEPT = 1000


class Amounts:
    """Takes in a column's numbers that are not plainly written, and the plain ones beside them."""

    def __init__(self) -> None:
        self._ranges: dict[Notation, tuple[float, float]] = dict.fromkeys(NOTATIONS, (math.inf, -math.inf))
        self._kept: list[str] = []
        self._plain = (math.inf, -math.inf)
        self._is_needed = False

    def add(self, text: str) -> None:
        """A number with something around or inside it."""
        self._is_needed = True
        self._narrow(text)
        for kept in self._kept:
            self._narrow(kept)
        self._kept.clear()

    def add_number(self, text: str, value: float) -> None:
        """A number as any reader takes it; without a point it is the same in every notation."""
        if "." not in text and "e" not in text.lower():
            self._plain = min(self._plain[0], value), max(self._plain[1], value)
        elif self._is_needed:
            self._narrow(text)
        elif len(self._kept) < MAX_KEPT:
            self._kept.append(text)

    @property
    def notation(self) -> Notation | None:
        """The first notation in which all were numbers; None if there is none."""
        return next(iter(self._ranges), None) if self._is_needed else None

    def range(self) -> tuple[float | None, float | None]:
        """The least and the greatest number in that notation."""
        if self.notation is None:
            return None, None
        low, high = self._ranges[self.notation]
        return min(low, self._plain[0]), max(high, self._plain[1])

    def _narrow(self, text: str) -> None:
        found = {}
        for notation, (low, high) in self._ranges.items():
            if (translated := notation.translated(text)) is not None:
                value = float(translated)
                found[notation] = min(low, value), max(high, value)
        self._ranges = found
