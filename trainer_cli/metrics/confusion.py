"""How often each class was taken for each other one, and the scores that follow from that."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.losses.loss import Truths
from trainer_cli.losses.truths import as_guesses, as_weights, class_numbers
from trainer_cli.metrics.exact_sum import ExactSum
from trainer_cli.registry import registry

NONE = -1
Number = TypeVar("Number", float, Fraction)


class Confusion:
    """Counts of rows by the class they have and the class that is most probable, by weight where there are weights.

    Probabilities are (B, n) of at least two classes, truths class numbers (B,) or one-hot rows (B, n). Of equally
    probable classes the first counts. A class that training never had (-1) is one more class, which no row is ever
    taken for: its rows are missed. A row with a NaN is taken for no class: it is missed as well, as accuracy counts it.
    Counts are exact, of the pairs of classes that there are: no order of merging changes a bit.
    """

    higher_is_better = True
    truths: Truths = "classes"
    name = "confusion"

    def __init__(self) -> None:
        self._n = 0
        self._rows: Counter[tuple[int, int]] = Counter()  # by class and the one taken for, -1: unknown, or none
        self._weights: dict[tuple[int, int], ExactSum] = {}

    def update(self, probabilities: Array, truths: Any, weights: Array | None = None) -> None:
        guesses = as_guesses(self.name, probabilities)
        n = guesses.shape[1]
        true = class_numbers(self.name, truths, guesses.shape)
        taken = np.where(np.isnan(guesses).any(axis=1), NONE, self.taken(guesses))
        weights = as_weights(self.name, weights, len(guesses))
        self._n = max(self._n, n)
        numbers, counts = np.unique((true + 1) * (n + 1) + taken + 1, return_counts=True)
        cells = [(number // (n + 1) - 1, number % (n + 1) - 1) for number in numbers.tolist()]
        if weights is None:
            self._rows.update(dict(zip(cells, counts.tolist(), strict=True)))
            return
        by_cell = np.split(weights[np.lexsort((taken, true))], np.cumsum(counts)[:-1])
        for cell, part in zip(cells, by_cell, strict=True):
            self._weights.setdefault(cell, ExactSum()).add(part)

    def taken(self, guesses: Array) -> Array:
        """The class that each row without a NaN is taken for, (B,)."""
        classes: Array = guesses.argmax(axis=1)
        return classes

    def merge(self, other: Confusion) -> None:
        self._n = max(self._n, other._n)
        self._rows.update(other._rows)
        for cell, total in other._weights.items():
            self._weights.setdefault(cell, ExactSum()).merge(total)

    @property
    def cells(self) -> dict[tuple[int, int], Fraction]:
        """The rows (or their weight) of class i that were taken for class j, where there are any: -1 are the classes
        that training never had, or none taken."""
        found = {cell: Fraction(count) for cell, count in self._rows.items()}
        for cell, total in self._weights.items():
            found[cell] = found.get(cell, Fraction(0)) + total.value
        return found

    def parts(self) -> list[tuple[Fraction, Fraction, Fraction]]:
        """Of each class, and of the unknown ones at the end: the rows of it that were right, all rows that have it, and
        all that were taken for it."""
        right, true, taken = ([Fraction(0)] * (self._n + 1) for _ in range(3))
        for (i, j), rows in self.cells.items():
            true[i] += rows  # -1 is the last one
            if j != NONE:
                taken[j] += rows
            if i == j != NONE:
                right[i] += rows
        return list(zip(right, true, taken, strict=True))

    def result(self) -> Any:
        raise NotImplementedError


class ByClass(Confusion):
    """A score of each class, and its means: over the classes (`macro`), over all rows as if they were of one class
    (`micro`), and over the classes by their rows (`weighted`).

    A class for which the score is not defined, as recall is not for one without rows, does not count in a mean; NaN
    where none counts. A class without rows that a row was taken for all the same is not absent: that row is wrong, so
    precision and F are 0 and count, as in scikit-learn; one that no row was taken for either has none of the scores.
    Rows of classes that training never had are missed rows of one more class.
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
    K-category correlation coefficient" (2004). NaN where all rows are of one class, or all are taken for one. Rows
    with a NaN are taken for one more class, which no row has.
    """

    name = "matthews"

    def result(self) -> float:
        parts = self.parts()
        true, taken = [part[1] for part in parts], [part[2] for part in parts]
        right, total = sum(part[0] for part in parts), sum(true)
        none = total - sum(taken)  # they are one more guess, which is never right
        covariance = right * total - sum(t * p for t, p in zip(true, taken, strict=True))
        variances = (total**2 - sum(p * p for p in (*taken, none))) * (total**2 - sum(t * t for t in true))
        return float(covariance) / math.sqrt(variances) if variances else math.nan


def ratio(numerator: Number, denominator: Number) -> Number | None:
    return numerator / denominator if denominator else None


def as_float(value: float | Fraction | None) -> float:
    return math.nan if value is None else float(value)


def mean(scores: Sequence[tuple[Fraction | None, Fraction]]) -> float:
    """The mean of the scores that are defined, by weight."""
    known = [(score, weight) for score, weight in scores if score is not None]
    total = sum((weight for _, weight in known), Fraction(0))
    return as_float(ratio(sum((score * weight for score, weight in known), Fraction(0)), total))
