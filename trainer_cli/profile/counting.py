"""Whether whole numbers count the rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,14})", re.ASCII)


class Counting:
    """Takes in a column's values block by block; `step` is how much each is above that before it.

    Blocks may have been left out between others; None if the step is not the same everywhere, or not above 0.
    """

    def __init__(self) -> None:
        self.step: int | None = None
        self._last: int | None = None
        self._is_over = False

    def add(self, values: Sequence[str] | Sequence[int]) -> None:
        if self._is_over or not len(values):
            return
        # Most columns do not count, which the first three rows say already.
        head = whole_numbers(values[:3])
        is_none = head is None or (len(head) > 1 and common_step(head) is None)
        numbers = None if is_none else whole_numbers(values)
        step = common_step(numbers) if numbers and len(numbers) > 1 else self.step
        first = numbers[0] if numbers else None
        self._is_over = first is None or step is None or (self._last is not None and first < self._last + step)
        self._is_over |= self.step not in (None, step)
        self.step = None if self._is_over else step
        self._last = numbers[-1] if numbers else None


def whole_numbers(values: Iterable[str] | Iterable[int]) -> list[int] | None:
    """The numbers as whole ones; None if one is none, or is written with a zero before it."""
    found = [value.strip() if isinstance(value, str) else str(value) for value in values]
    return [int(text) for text in found] if all(map(WHOLE.fullmatch, found)) else None


def common_step(numbers: Sequence[int]) -> int | None:
    """How much each number is above that before it, where that is the same for all, and above 0.

    >>> common_step([5, 7, 9]), common_step([5, 7, 8]), common_step([3, 3])
    (2, None, None)
    """
    steps = np.diff(np.array(numbers, np.int64))
    return int(steps[0]) if steps.size and steps[0] > 0 and (steps == steps[0]).all() else None


def step_in_any_order(texts: Iterable[str]) -> int | None:
    """The same of numbers that are put in order first.

    >>> step_in_any_order(["9", "5", "7"]), step_in_any_order(["9", "5", "x"])
    (2, None)
    """
    numbers = whole_numbers(texts)
    return None if numbers is None else common_step(sorted(numbers))
