"""How well scores put the rows that have a class before those that have not, whatever the threshold."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ShapeError
from trainer_cli.losses.loss import Truths
from trainer_cli.losses.truths import as_array, as_bits, as_flags, as_floats, as_guesses, as_weights, class_numbers
from trainer_cli.metrics.ordering import ordered
from trainer_cli.metrics.scratch import Floats
from trainer_cli.metrics.spill import Spill
from trainer_cli.metrics.ties import added_up, ties
from trainer_cli.registry import registry


class Ranking:
    """What the metrics of an order share: the rows are kept, in memory or in a file, and sorted at the end.

    Probabilities are (B, n) and truths class numbers (B,). Of two classes the second one is scored; of more, each
    against the rest, and the mean is taken over the classes for which the score is defined (NaN where there is none).
    With truths (B, n) that are flags each column is a class of its own; one column, (B, 1) or (B,), takes numbers 0
    and 1. A class that training never had (-1) is none of the classes: its rows are of the rest. Rows of weight 0 do
    not count, and a probability that is NaN makes the score NaN.
    """

    higher_is_better = True
    truths: Truths = "any"
    name = ""

    def __init__(self) -> None:
        self._kept = Spill()
        self._layout: tuple[int, bool] | None = None  # how many columns, and whether each has its own flag
        self._is_odd = False

    def update(self, probabilities: Array, truths: Any, weights: Array | None = None) -> None:
        guesses = as_floats(self.name, "probabilities", probabilities)
        guesses = as_guesses(self.name, guesses[:, None] if guesses.ndim == 1 else guesses)
        n_rows, n = guesses.shape
        weight = as_weights(self.name, weights, n_rows)
        weight = np.ones(n_rows) if weight is None else weight
        has_flags = n == 1 or as_array(self.name, truths).ndim == 2
        if n == 1:
            known = as_bits(self.name, truths, n_rows)[:, None]
        elif has_flags:
            known = as_flags(self.name, truths, guesses.shape)
        else:
            known = class_numbers(self.name, truths, guesses.shape)[:, None]
        self._lay_out((n, has_flags))
        self._is_odd |= bool(np.isnan(guesses).any())
        self._kept.add(np.concatenate([guesses, known, weight[:, None]], axis=1, dtype=np.float64)[weight > 0])

    def merge(self, other: Ranking) -> None:
        if other._layout is not None:
            self._lay_out(other._layout)
        self._is_odd |= other._is_odd
        self._kept.merge(other._kept)

    def result(self) -> float:
        if self._is_odd or self._layout is None:
            return math.nan
        n, has_flags = self._layout
        classes = (1,) if n == 2 and not has_flags else range(n)
        scores = [self.of(added_up(ties(ordered(self._rows(k))))) for k in classes]
        known = [score for score in scores if not math.isnan(score)]
        return math.fsum(known) / len(known) if known else math.nan

    def of(self, curve: Iterable[tuple[Floats, Floats, Floats]]) -> float:
        """The score of one class. Each block of the curve has, by falling score, rows (-score, weight of the class,
        weight of the rest), and the sums of the two weights before these rows and up to them."""
        raise NotImplementedError

    def _rows(self, k: int) -> Iterator[Floats]:
        assert self._layout is not None
        n, has_flags = self._layout
        for score, truth, weight in (block.T for block in self._kept.blocks((k, n + k if has_flags else n, -1))):
            has = truth == (1 if has_flags else k)
            yield np.stack([-score, np.where(has, weight, 0.0), np.where(has, 0.0, weight)], axis=1)

    def _lay_out(self, layout: tuple[int, bool]) -> None:
        if self._layout is not None and self._layout != layout:
            told = [f"{n} columns, {'flags' if flags else 'class numbers'}" for n, flags in (layout, self._layout)]
            raise ShapeError(f"{self.name}: all rows must be of one kind, got {told[0]} after {told[1]}")
        self._layout = layout


@registry.metrics("auc.v1")
class AUC(Ranking):
    """The area under the ROC curve: how often a row of the class scores above one of the rest, a tie being half.

    1 is perfect, 0.5 is what chance scores. NaN where all rows are of the class, or none is. Hanley and McNeil, "The
    meaning and use of the area under a receiver operating characteristic (ROC) curve" (1982); the mean over classes
    as in Provost and Domingos, "Well-trained PETs" (2000), each class counting the same.

    >>> tally = AUC()
    >>> tally.update(np.array([0.9, 0.6, 0.6, 0.2]), np.array([1, 1, 0, 0]))
    >>> tally.result()
    0.875
    """

    name = "auc"

    def of(self, curve: Iterable[tuple[Floats, Floats, Floats]]) -> float:
        area, totals = 0.0, np.zeros(2)
        for rows, before, upto in curve:
            area += float((rows[:, 2] * (before[:, 0] + rows[:, 1] / 2)).sum())
            totals = upto[-1]
        pairs = float(totals[0] * totals[1])
        return area / pairs if pairs else math.nan


@registry.metrics("average_precision.v1")
class AveragePrecision(Ranking):
    """The precision at each row of the class, going down the scores: its mean over these rows, by weight.

    `sum((R_i - R_(i-1)) * P_i)` over the different scores, with the recall R and the precision P of all rows that
    score as much or more; nothing is interpolated. 1 is perfect, the share of the class is what chance scores. NaN
    where no row is of the class. Salton and McGill, *Introduction to Modern Information Retrieval* (1983).

    >>> tally = AveragePrecision()
    >>> tally.update(np.array([0.9, 0.8, 0.1]), np.array([1, 0, 1]))
    >>> round(tally.result(), 4)
    0.8333
    """

    name = "average_precision"

    def of(self, curve: Iterable[tuple[Floats, Floats, Floats]]) -> float:
        total, of_class = 0.0, 0.0
        for rows, _, upto in curve:
            total += float((rows[:, 1] * upto[:, 0] / upto.sum(axis=1)).sum())
            of_class = float(upto[-1, 0])
        return total / of_class if of_class else math.nan
