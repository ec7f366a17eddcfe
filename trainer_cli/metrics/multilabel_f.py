"""The balance of precision and recall of labels of which a row may have several."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.losses.loss import Truths
from trainer_cli.losses.truths import as_flags, as_guesses, as_weights
from trainer_cli.metrics.confusion import as_float, mean, ratio
from trainer_cli.metrics.exact_sum import ExactSum
from trainer_cli.metrics.scratch import Floats
from trainer_cli.metrics.spill import Spill
from trainer_cli.metrics.threshold import BEST, best_threshold, check_threshold
from trainer_cli.registry import registry

NAME = "multilabel_f"


@registry.metrics("multilabel_f.v1")
class MultilabelF:
    """The F score `2 * right / (true + taken)` of labels that are each true or not, and each taken from `threshold` on.

    `micro` counts all labels of all rows together, `macro` is the mean over the labels, `samples` the mean over the
    rows, by weight. A label that no row has and none is taken for, and a row without a label that is taken for none,
    have no score and are left out of the means, as with scikit-learn's `zero_division = nan`.

    Probabilities are (B, n), truths flags (B, n). `threshold = "best"` keeps the rows and finds the threshold with the
    highest micro score on them; it is told as the score `threshold`. NaN, in `best` alone, where a probability is.

    >>> tally = MultilabelF()
    >>> tally.update(np.array([[0.9, 0.2], [0.8, 0.6]]), np.array([[1, 1], [1, 0]]))
    >>> round(tally.result()["micro"], 4), tally.result()["macro"], round(tally.result()["samples"], 4)
    (0.6667, 0.5, 0.6667)
    """

    higher_is_better = True
    truths: Truths = "flags"

    def __init__(self, threshold: float | Literal["best"] = 0.5) -> None:
        check_threshold(NAME, threshold)
        self.threshold = threshold
        self.was_best = False  # the threshold was found on other rows; it is told as if it were found here
        self._counts: dict[int, list[ExactSum]] = {}  # of each label: right, true, taken
        self._of_rows, self._n_rows = ExactSum(), ExactSum()
        self._kept, self._true = Spill(), ExactSum()
        self._is_odd = False

    def update(self, probabilities: Array, truths: Any, weights: Array | None = None) -> None:
        guesses = as_guesses(NAME, probabilities)
        true = as_flags(NAME, truths, guesses.shape)
        weight = as_weights(NAME, weights, len(guesses))
        weight = np.ones(len(guesses)) if weight is None else weight
        if isinstance(self.threshold, str):
            self._keep(guesses, true, weight)
        else:
            self._count(guesses.astype(np.float64) >= self.threshold, true, weight)

    def _keep(self, guesses: Array, true: Array, weight: Array) -> None:
        self._is_odd |= bool(np.isnan(guesses).any())
        self._true.add(np.repeat(weight, true.sum(axis=1)))
        rows = np.concatenate([guesses, true, weight[:, None]], axis=1, dtype=np.float64)
        self._kept.add(rows[weight > 0])

    def _count(self, taken: Array, true: Array, weight: Array) -> None:
        right = taken & true
        for k in range(true.shape[1]):
            sums = self._counts.setdefault(k, [ExactSum(), ExactSum(), ExactSum()])
            for total, flags in zip(sums, (right, true, taken), strict=True):
                total.add(weight[flags[:, k]])
        n_right, n_all = right.sum(axis=1), true.sum(axis=1) + taken.sum(axis=1)
        has = n_all > 0
        self._of_rows.add_products(2 * n_right[has] / n_all[has], weight[has])
        self._n_rows.add(weight[has])

    def merge(self, other: MultilabelF) -> None:
        for k, theirs in other._counts.items():
            own = self._counts.setdefault(k, [ExactSum(), ExactSum(), ExactSum()])
            for total, more in zip(own, theirs, strict=True):
                total.merge(more)
        self._of_rows.merge(other._of_rows)
        self._n_rows.merge(other._n_rows)
        self._true.merge(other._true)
        self._kept.merge(other._kept)
        self._is_odd |= other._is_odd

    def result(self) -> dict[str, float]:
        if self.threshold == BEST:
            return self._result_at_best()
        parts = [tuple(total.value for total in sums) for sums in self._counts.values()]
        right, true, taken = (sum(column) for column in zip(*parts, strict=True)) if parts else (0, 0, 0)
        scores = [ratio(2 * right, true + taken) for right, true, taken in parts]
        return {
            "micro": as_float(ratio(Fraction(2 * right), Fraction(true + taken))),
            "macro": mean([(score, Fraction(1)) for score in scores]),
            "samples": as_float(ratio(self._of_rows.value, self._n_rows.value)),
        } | ({"threshold": float(self.threshold)} if self.was_best else {})

    def _result_at_best(self) -> dict[str, float]:
        found, threshold = MultilabelF(), self.best_threshold
        found.threshold = threshold
        n = self._kept.width // 2
        for rows in self._kept.blocks() if not math.isnan(threshold) else ():
            found.update(rows[:, :n], rows[:, n : 2 * n], rows[:, -1])
        return {**found.result(), "threshold": threshold}

    @property
    def best_threshold(self) -> float:
        """The threshold with the highest micro score on the rows so far (see `threshold.best_threshold`); NaN without
        rows."""
        n_true = float(self._true)

        def micro(sums: Floats) -> Floats:
            with np.errstate(invalid="ignore"):
                scores: Floats = 2 * sums[:, 0] / (n_true + sums.sum(axis=1))
            return scores

        return math.nan if self._is_odd else best_threshold(self._rows_by_flag(), micro)

    def _rows_by_flag(self) -> Iterator[Floats]:
        """A row (-probability, weight if the label is true, weight if not) for each label of each row."""
        n = self._kept.width // 2
        for k in range(n):
            for score, true, weight in (block.T for block in self._kept.blocks((k, n + k, -1))):
                yield np.stack([-score, weight * true, weight * (1 - true)], axis=1)
