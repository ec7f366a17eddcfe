"""The probability from which on a class is taken: given, or the best one for rows that were seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from trainer_cli.errors import ArgumentError
from trainer_cli.metrics.ordering import ordered
from trainer_cli.metrics.scratch import Floats
from trainer_cli.metrics.ties import added_up, ties

BEST = "best"


def check_threshold(name: str, value: float | str | None) -> None:
    """ArgumentError: the value is neither a number from 0 to 1 nor "best"."""
    if value is None or value == BEST or (isinstance(value, float | int) and 0 <= value <= 1):
        return
    raise ArgumentError(f'{name}: threshold must be a number from 0 to 1, or "best", got {value!r}')


def best_threshold(blocks: Iterable[Floats], score: Callable[[Floats], Floats]) -> float:
    """The threshold with the highest score; NaN where no threshold has one.

    `blocks` are rows (-probability, counts...), in any order. `score` takes the counts (n, ...) of all rows whose
    probability is at least a threshold, summed, for n thresholds. All that tell some rows apart are tried, and those
    that take all rows or none. Between two neighbouring probabilities the threshold is their middle, as a float32 if
    one lies between them, so that it parts them in either precision. Of thresholds that score the same, the one that is
    nearest to 0.5 is taken, then the higher one.
    """
    best = (-math.inf, -math.inf, math.nan)
    for above, below, sums in _cuts(blocks):
        scores = score(sums)
        if not len(scores) or np.isnan(scores).all():
            continue
        highest = float(np.nanmax(scores))
        for i in np.flatnonzero(scores == highest) if highest >= best[0] else ():
            value = between(float(above[i]), float(below[i]))
            best = max(best, (highest, -from_a_half(value), value))
    return best[2]


def _cuts(blocks: Iterable[Floats]) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Between neighbouring probabilities, from the highest: the one above, the one below, the sums of all above."""
    last: Floats | None = None
    sums: Floats = np.zeros((1, 0))
    for rows, before, upto in added_up(ties(ordered(blocks))):
        probability = -rows[:, 0]
        if last is None:
            last = np.array([just_above(float(probability[0]))])
        yield np.concatenate([last, probability[:-1]]), probability, before
        last, sums = probability[-1:], upto[-1:]
    if last is not None:
        yield last, np.zeros(1), sums


def from_a_half(threshold: float) -> float:
    """
    >>> from_a_half(0.25), from_a_half(0.75)
    (0.25, 0.25)
    """
    return abs(threshold - 0.5)


def just_above(probability: float) -> float:
    """What no row reaches: 1, or the next float32 above where a row has that."""
    return 1.0 if probability < 1.0 else float(np.nextafter(np.float32(probability), np.float32(np.inf)))


def between(above: float, below: float) -> float:
    """
    >>> between(0.75, 0.25), between(0.3, 0.3 - 1e-17)
    (0.5, 0.3)
    """
    middle = float(np.float32((above + below) / 2))
    return middle if below < middle <= above else above
