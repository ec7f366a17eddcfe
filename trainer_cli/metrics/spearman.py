"""Whether guesses rise where the truths do."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.losses.loss import Truths
from trainer_cli.metrics.exact_sum import ExactSum
from trainer_cli.metrics.ordering import ordered
from trainer_cli.metrics.pairs import as_pairs
from trainer_cli.metrics.scratch import Floats
from trainer_cli.metrics.spill import Spill
from trainer_cli.metrics.ties import added_up, ties
from trainer_cli.registry import registry

NAME = "spearman"


@registry.metrics("spearman.v1")
class Spearman:
    """The correlation of the ranks of guesses and truths, from -1 to 1; equal numbers share the mean of their ranks.

    Outputs and truths are (B, 1) or (B,). A row of weight w counts as w rows. NaN where all guesses or all truths are
    equal, and where one is NaN. Spearman, "The proof and measurement of association between two things" (1904).

    >>> tally = Spearman()
    >>> tally.update(np.array([1.0, 2.0, 9.0]), np.array([0.1, 0.2, 0.3]))
    >>> tally.result()
    1.0
    """

    higher_is_better = True
    truths: Truths = "numbers"

    def __init__(self) -> None:
        self._kept, self._weight = Spill(), ExactSum()
        self._low, self._high = np.full(2, np.inf), np.full(2, -np.inf)  # of guesses and of truths
        self._is_odd = False

    def update(self, outputs: Array, truths: Any, weights: Array | None = None) -> None:
        rows = np.stack(as_pairs(NAME, outputs, truths, weights), axis=1)
        self._is_odd |= bool(np.isnan(rows).any())
        self._weight.add(rows[:, 2])
        rows = rows[rows[:, 2] > 0]
        self._see(rows[:, :2].min(axis=0, initial=np.inf), rows[:, :2].max(axis=0, initial=-np.inf))
        self._kept.add(rows)

    def merge(self, other: Spearman) -> None:
        self._is_odd |= other._is_odd
        self._weight.merge(other._weight)
        self._see(other._low, other._high)
        self._kept.merge(other._kept)

    def _see(self, low: Floats, high: Floats) -> None:
        self._low, self._high = np.minimum(self._low, low), np.maximum(self._high, high)

    def result(self) -> float:
        if self._is_odd or (self._low >= self._high).any():  # also of no rows
            return math.nan
        middle, sums = float(self._weight.value / 2), np.zeros(3)
        by_guess = (rows[:, (1, 0, 2)] for rows in ranked(self._kept.blocks()))
        for truth, guess, weight in (rows.T for rows in ranked(by_guess)):
            x, y = guess - middle, truth - middle  # the mean rank is the middle
            sums += [(weight * x * x).sum(), (weight * y * y).sum(), (weight * x * y).sum()]
        spread = math.sqrt(sums[0] * sums[1])
        return max(-1.0, min(1.0, float(sums[2]) / spread)) if spread else math.nan


def ranked(blocks: Iterable[Floats]) -> Iterator[Floats]:
    """The rows (number, anything, weight) in order, each number replaced by its rank: the weight of all rows below it
    and half of that of the rows that have it."""
    rows, ranks = Spill(), Spill()
    for groups, below, upto in added_up(ties(_kept(ordered(blocks), rows))):
        ranks.add(np.concatenate([groups[:, :1], (below + upto) / 2], axis=1))
    table, more = np.empty((0, 2)), ranks.blocks()
    for block in rows.blocks():
        while not len(table) or table[-1, 0] < block[-1, 0]:
            table = np.concatenate([table, next(more)])
        places = table[:, 0].searchsorted(block[:, 0])
        yield np.concatenate([table[places, 1:], block[:, 1:]], axis=1)
        table = table[places[-1] :]


def _kept(blocks: Iterable[Floats], rows: Spill) -> Iterator[Floats]:
    """The numbers and weights of the blocks, whose rows are kept on the way."""
    for block in blocks:
        rows.add(block)
        yield block[:, (0, 2)]
