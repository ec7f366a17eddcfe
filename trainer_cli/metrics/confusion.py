"""How often each class was taken for each other one, and the scores that follow from that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.losses.loss import Truths
from trainer_cli.losses.truths import as_guesses, as_weights, class_numbers
from trainer_cli.metrics.exact_sum import ExactSum
from trainer_cli.registry import registry


class Confusion:
    """Counts of rows by the class they have and the class that is most probable, by weight where there are weights.

    Probabilities are (B, n) of at least two classes, truths class numbers (B,) or one-hot rows (B, n). Of equally
    probable classes the first counts. A class that training never had (-1) is one more class, which no row is ever
    taken for: its rows are missed. Counts are exact: no order of merging changes a bit.
    """

    higher_is_better = True
    truths: Truths = "classes"
    name = "confusion"

    def __init__(self) -> None:
        self._rows = np.zeros((1, 0), np.int64)  # by class + 1, so that the unknown ones come first
        self._weights: dict[tuple[int, int], ExactSum] = {}

    def update(self, probabilities: Array, truths: Any, weights: Array | None = None) -> None:
        guesses = as_guesses(self.name, probabilities)
        n = guesses.shape[1]
        cells = (class_numbers(self.name, truths, guesses.shape) + 1) * n + self.taken(guesses)
        weights = as_weights(self.name, weights, len(guesses))
        self._rows = grown(self._rows, n)
        if weights is None:
            self._rows[: n + 1, :n] += np.bincount(cells, minlength=(n + 1) * n).reshape(n + 1, n)
            return
        for cell in np.unique(cells).tolist():
            self._weights.setdefault(divmod(cell, n), ExactSum()).add(weights[cells == cell])

    def taken(self, guesses: Array) -> Array:
        """The class that each row is taken for, (B,)."""
        classes: Array = guesses.argmax(axis=1)
        return classes

    def merge(self, other: Confusion) -> None:
        n = max(self._rows.shape[1], other._rows.shape[1])
        self._rows = grown(self._rows, n) + grown(other._rows, n)
        for cell, total in other._weights.items():
            self._weights.setdefault(cell, ExactSum()).merge(total)

    @property
    def counts(self) -> list[list[Fraction]]:
        """The rows (or their weight) of class i that were taken for class j, as `counts[i][j]`."""
        return self._counts()[1:]

    @property
    def unknown(self) -> list[Fraction]:
        """The rows (or their weight) of classes that training never had, by the class they were taken for."""
        return self._counts()[0]

    def _counts(self) -> list[list[Fraction]]:
        found = [[Fraction(int(count)) for count in row] for row in self._rows]
        for (i, j), total in self._weights.items():
            found[i][j] += total.value
        return found

    def parts(self) -> list[tuple[Fraction, Fraction, Fraction]]:
        """Of each class, and of the unknown ones at the end: the rows of it that were right, all rows that have it, and
        all that were taken for it."""
        unknown, *counts = self._counts()
        taken = [sum(column, Fraction(0)) for column in zip(unknown, *counts, strict=True)]
        known = [(row[k], sum(row, Fraction(0)), taken[k]) for k, row in enumerate(counts)]
        return [*known, (Fraction(0), sum(unknown, Fraction(0)), Fraction(0))]

    def result(self) -> Any:
        raise NotImplementedError


def grown(counts: Array, n: int) -> Array:
    """The counts in a table of at least n classes."""
    if counts.shape[1] >= n:
        return counts
    table = np.zeros((n + 1, n), np.int64)
    table[: len(counts), : counts.shape[1]] = counts
    return table


class ByClass(Confusion):
    """A score of each class, and its means: over the classes (`macro`), over all rows as if they were of one class
    (`micro`), and over the classes by their rows (`weighted`).

    A class for which the score is not defined, as recall is not for one without rows, does not count in a mean; NaN
    where none counts. Rows of classes that training never had are missed rows of one more class.
    """

    def of(self, right: Fraction, true: Fraction, taken: Fraction) -> tuple[Fraction, Fraction]:
        """The score of one class as numerator and denominator, from the rows of it that were right, all rows that have
        it, and all that were taken for it."""
        raise NotImplementedError

    def result(self) -> dict[str, float]:
        parts = self.parts()
        whole = self.of(*(sum(column, Fraction(0)) for column in zip(*parts, strict=True)))
        scores = [(ratio(*self.of(*part)), part[1]) for part in parts]
        return {
            "macro": mean([(score, Fraction(1)) for score, _ in scores]),
            "micro": as_float(ratio(*whole)),
            "weighted": mean(scores),
        }

    def by_class(self) -> list[float]:
        """The score of each class; NaN where it is not defined."""
        return [as_float(ratio(*self.of(*part))) for part in self.parts()[:-1]]


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


@registry.metrics("matthews.v1")
class Matthews(Confusion):
    """The correlation of truth and guess, from -1 to 1: 0 is what guessing scores, however rare a class is.

    `(c * s - sum(t_k * p_k)) / sqrt((s^2 - sum(p_k^2)) * (s^2 - sum(t_k^2)))` with s rows, c right ones, and t_k and
    p_k the rows that have and that were taken for class k. Gorodkin, "Comparing two K-category assignments by a
    K-category correlation coefficient" (2004). NaN where all rows are of one class, or all are taken for one.
    """

    name = "matthews"

    def result(self) -> float:
        parts = self.parts()
        true, taken = [part[1] for part in parts], [part[2] for part in parts]
        right, total = sum(part[0] for part in parts), sum(true)
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
