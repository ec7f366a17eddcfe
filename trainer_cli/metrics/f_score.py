"""The balance of precision and recall of classes, at the most probable class or at a threshold."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from typing import Any, Literal

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError
from trainer_cli.losses.truths import as_guesses, as_weights, class_numbers
from trainer_cli.metrics.confusion import ByClass
from trainer_cli.metrics.exact_sum import ExactSum
from trainer_cli.metrics.scratch import Floats
from trainer_cli.metrics.spill import Spill
from trainer_cli.metrics.threshold import BEST, best_threshold, check_threshold
from trainer_cli.registry import registry

CLASSES = (0, 1, -1)  # the first, the second, and what training never had
# What is left of a sum by rounding counts as nothing.
ROUNDING = 1e-12


@registry.metrics("f_score.v1")
class FScore(ByClass):
    """The harmonic mean of precision and recall, `2 * right / (rows of the class + rows taken for it)`.

    Without a `threshold` a row is taken for its most probable class. With one, of two classes the second is taken from
    that probability on. `threshold = "best"` keeps the rows and finds the one that has the highest macro mean on
    them; it is told as the score `threshold`, and the other scores are those it gives; these are NaN
    where a probability is. Else a row with a NaN is a miss of its class, and taken for none.
    van Rijsbergen, *Information Retrieval* (1979), with beta = 1.

    >>> tally = FScore(threshold="best")
    >>> tally.update(np.array([[0.9, 0.1], [0.7, 0.3], [0.6, 0.4]]), np.array([0, 1, 1]))
    >>> round(tally.best_threshold, 4), tally.result()["macro"]
    (0.2, 1.0)
    """

    name = "f_score"

    def __init__(self, threshold: float | Literal["best"] | None = None) -> None:
        super().__init__()
        check_threshold(self.name, threshold)
        self.threshold = threshold
        self.was_best = False  # the threshold was found on other rows; it is told as if it were found here
        self._kept = Spill()
        self._sums = [ExactSum() for _ in CLASSES]
        self._is_odd = False

    def of(self, right: Fraction, true: Fraction, taken: Fraction) -> tuple[Fraction, Fraction]:
        return 2 * right, true + taken

    def update(self, probabilities: Array, truths: Any, weights: Array | None = None) -> None:
        guesses = as_guesses(self.name, probabilities)
        if self.threshold is not None and guesses.shape[1] != 2:
            rule = "threshold is for two classes"
            raise ArgumentError(f"{self.name}: {rule}, here are {guesses.shape[1]}: take it away")
        if self.threshold != BEST:
            super().update(guesses, truths, weights)
            return
        true = class_numbers(self.name, truths, guesses.shape)
        weight = as_weights(self.name, weights, len(guesses))
        weight = np.ones(len(guesses)) if weight is None else weight
        self._is_odd |= bool(np.isnan(guesses).any())
        for k, total in zip(CLASSES, self._sums, strict=True):
            total.add(weight[true == k])
        rows = np.concatenate([guesses, true[:, None], weight[:, None]], axis=1, dtype=np.float64)
        self._kept.add(rows[weight > 0])

    def taken(self, guesses: Array) -> Array:
        if not isinstance(self.threshold, float | int):
            return super().taken(guesses)
        return (guesses[:, 1].astype(np.float64) >= self.threshold).astype(np.int64)

    def merge(self, other: FScore) -> None:  # type: ignore[override]
        super().merge(other)
        self._is_odd |= other._is_odd
        self._kept.merge(other._kept)
        for own, theirs in zip(self._sums, other._sums, strict=True):
            own.merge(theirs)

    def result(self) -> dict[str, float]:
        if self.threshold != BEST:
            return super().result() | ({"threshold": float(self.threshold or 0)} if self.was_best else {})
        threshold = self.best_threshold
        return {**self._at(threshold).result(), "threshold": threshold}

    def by_class(self) -> list[float]:
        return super().by_class() if self.threshold != BEST else self._at(self.best_threshold).by_class()

    def _at(self, threshold: float) -> FScore:
        """What the rows that were kept score at a threshold; of NaN none counts."""
        found = FScore()
        found.threshold = threshold
        for rows in self._kept.blocks() if not math.isnan(threshold) else ():
            found.update(rows[:, :2], rows[:, 2].astype(np.int64), rows[:, 3])
        return found

    @property
    def best_threshold(self) -> float:
        """The threshold of two classes with the highest macro mean on the rows so far
        (see `threshold.best_threshold`); NaN without rows."""
        totals = np.array([float(total) for total in self._sums])
        return math.nan if self._is_odd else best_threshold(self._rows_by_class(), partial(macro, totals))

    def _rows_by_class(self) -> Iterator[Floats]:
        for score, true, weight in (block.T for block in self._kept.blocks((1, 2, 3))):
            yield np.stack([-score, *(np.where(true == k, weight, 0.0) for k in CLASSES)], axis=1)


def macro(totals: Floats, sums: Floats) -> Floats:
    """The macro mean of two classes for each row of `sums`, the weights by class of what is taken for the second one;
    `totals` are those of all rows."""
    taken = sums.sum(axis=1)
    left = totals.sum() - taken
    left[left < ROUNDING * totals.sum()] = 0.0
    right = np.maximum(totals[:2] - sums[:, :2], 0.0)
    with np.errstate(invalid="ignore"):
        scores = np.stack([2 * right[:, 0] / (totals[0] + left), 2 * sums[:, 1] / (totals[1] + taken)])
        n_classes = np.count_nonzero(~np.isnan(scores), axis=0) + (totals[2] > 0)
        found: Floats = np.nansum(scores, axis=0) / n_classes
    return found
