"""How often each class was taken for each other one, and the scores that follow from that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.losses.loss import Truths
from trainer_cli.losses.truths import as_classes, as_guesses, as_weights
from trainer_cli.metrics.exact_sum import ExactSum
from trainer_cli.registry import registry


class Confusion:
    """Counts of rows by the class they have and the class that is most probable, by weight where there are weights.

    Probabilities are (B, n) of at least two classes, truths class numbers (B,) or one-hot rows (B, n). Of equally
    probable classes the first counts. Counts are exact: no order of merging changes a bit.
    """

    higher_is_better = True
    truths: Truths = "classes"
    name = "confusion"

    def __init__(self) -> None:
        self._rows = np.zeros((0, 0), np.int64)
        self._weights: dict[tuple[int, int], ExactSum] = {}

    def update(self, probabilities: Array, truths: Any, weights: Array | None = None) -> None:
        guesses = as_guesses(self.name, probabilities)
        n = guesses.shape[1]
        classes = as_classes(self.name, truths, guesses.shape)
        true = classes if classes.ndim == 1 else classes.argmax(axis=1)
        taken = guesses.argmax(axis=1)
        weights = as_weights(self.name, weights, len(guesses))
        if self._rows.shape[0] < n:
            self._rows = grown(self._rows, n)
        if weights is None:
            self._rows[:n, :n] += np.bincount(true * n + taken, minlength=n * n).reshape(n, n)
            return
        for cell in np.unique(true * n + taken).tolist():
            here = (true * n + taken) == cell
            self._weights.setdefault(divmod(cell, n), ExactSum()).add(weights[here])

    def merge(self, other: Confusion) -> None:
        n = max(len(self._rows), len(other._rows))
        self._rows = grown(self._rows, n) + grown(other._rows, n)
        for cell, total in other._weights.items():
            self._weights.setdefault(cell, ExactSum()).merge(total)

    @property
    def counts(self) -> list[list[Fraction]]:
        """The rows (or their weight) of class i that were taken for class j, as `counts[i][j]`."""
        found = [[Fraction(int(count)) for count in row] for row in self._rows]
        for (i, j), total in self._weights.items():
            found[i][j] += total.value
        return found

    def result(self) -> Any:
        raise NotImplementedError


def grown(counts: Array, n: int) -> Array:
    """The counts in a table of n classes."""
    table = np.zeros((n, n), np.int64)
    table[: len(counts), : len(counts)] = counts
    return table


class ByClass(Confusion):
    """A score of each class, and its means: over the classes (`macro`), over all rows as if they were of one class
    (`micro`), and over the classes by their rows (`weighted`).

    A class for which the score is not defined, as recall is not for one without rows, does not count in a mean; NaN
    where none counts.
    """

    def of(self, right: Fraction, true: Fraction, taken: Fraction) -> tuple[Fraction, Fraction]:
        """The score of one class as numerator and denominator, from the rows of it that were right, all rows that have
        it, and all that were taken for it."""
        raise NotImplementedError

    def parts(self) -> list[tuple[Fraction, Fraction, Fraction]]:
        counts = self.counts
        n = range(len(counts))
        return [(counts[k][k], sum(counts[k], Fraction(0)), sum((counts[i][k] for i in n), Fraction(0))) for k in n]

    def result(self) -> dict[str, float]:
        parts = self.parts()
        whole = self.of(*(sum(column, Fraction(0)) for column in zip(*parts, strict=True))) if parts else None
        scores = [(ratio(*self.of(*part)), part[1]) for part in parts]
        return {
            "macro": mean([(score, Fraction(1)) for score, _ in scores]),
            "micro": as_float(ratio(*whole)) if whole else math.nan,
            "weighted": mean(scores),
        }

    def by_class(self) -> list[float]:
        """The score of each class; NaN where it is not defined."""
        return [as_float(ratio(*self.of(*part))) for part in self.parts()]


@registry.metrics("precision.v1")
class Precision(ByClass):
    """Of the rows that were taken for a class, the share that has it."""

    name = "precision"

    def of(self, right: Fraction, true: Fraction, taken: Fraction) -> tuple[Fraction, Fraction]:
        return right, taken


@registry.metrics("recall.v1")
class Recall(ByClass):
    """Of the rows that have a class, the share that was taken for it."""

    name = "recall"

    def of(self, right: Fraction, true: Fraction, taken: Fraction) -> tuple[Fraction, Fraction]:
        return right, true


@registry.metrics("f_score.v1")
class FScore(ByClass):
    """The harmonic mean of precision and recall, `2 * right / (rows of the class + rows taken for it)`.

    van Rijsbergen, *Information Retrieval* (1979), with beta = 1.
    """

    name = "f_score"

    def of(self, right: Fraction, true: Fraction, taken: Fraction) -> tuple[Fraction, Fraction]:
        return 2 * right, true + taken


@registry.metrics("matthews.v1")
class Matthews(Confusion):
    """The correlation of truth and guess, from -1 to 1: 0 is what guessing scores, however rare a class is.

    `(c * s - sum(t_k * p_k)) / sqrt((s^2 - sum(p_k^2)) * (s^2 - sum(t_k^2)))` with s rows, c right ones, and t_k and
    p_k the rows that have and that were taken for class k. Gorodkin, "Comparing two K-category assignments by a
    K-category correlation coefficient" (2004). NaN where all rows are of one class, or all are taken for one.
    """

    name = "matthews"

    def result(self) -> float:
        counts = self.counts
        true, taken = [sum(row) for row in counts], [sum(column) for column in zip(*counts, strict=True)]
        right, total = sum(counts[k][k] for k in range(len(counts))), sum(true)
        covariance = right * total - sum(t * p for t, p in zip(true, taken, strict=True))
        variances = (total**2 - sum(p * p for p in taken)) * (total**2 - sum(t * t for t in true))
        return float(covariance) / math.sqrt(variances) if variances else math.nan


def ratio(numerator: Fraction, denominator: Fraction) -> Fraction | None:
    return numerator / denominator if denominator else None


def as_float(value: Fraction | None) -> float:
    return math.nan if value is None else float(value)


def mean(scores: Sequence[tuple[Fraction | None, Fraction]]) -> float:
    """The mean of the scores that are defined, by weight."""
    known = [(score, weight) for score, weight in scores if score is not None]
    total = sum((weight for _, weight in known), Fraction(0))
    return as_float(ratio(sum((score * weight for score, weight in known), Fraction(0)), total))
