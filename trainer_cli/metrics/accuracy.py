"""The share of rows whose likeliest class is the right one."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ints
from trainer_cli.losses.loss import Truths
from trainer_cli.losses.truths import as_bits, as_floats, as_guesses, as_weights, class_numbers
from trainer_cli.metrics.exact_sum import exact
from trainer_cli.registry import registry

NAME = "accuracy"


@registry.metrics("accuracy.v1")
class Accuracy:
    """Right rows over all rows, both by weight when there are weights; NaN of no rows.

    A guess is the column with the largest probability, the first of equals, or what `taken_by` says, as a run with a
    tuned threshold does; with one column it is 1 from 0.5 on.
    Truths are class numbers (B,) or one-hot rows (B, n), for one column numbers 0 and 1. A row with a NaN is wrong, and
    so is one whose class training never had (-1).

    Counts are fractions, which floats convert to exactly: neither how the rows are cut nor in which order they come
    changes a bit of the result.

    >>> tally = Accuracy()
    >>> tally.update(np.array([[0.9, 0.1], [0.3, 0.7], [0.6, 0.4]]), np.array([0, 1, 1]))
    >>> round(tally.result(), 4)
    0.6667
    """

    higher_is_better = True
    truths: Truths = "classes"

    def __init__(self) -> None:
        self.taken_by: Callable[[Array], Ints] | None = None
        self.correct = Fraction(0)
        self.total = Fraction(0)

    def update(self, probabilities: Array, truths: Any, weights: Array | None = None) -> None:
        guesses = as_floats(NAME, "probabilities", probabilities)
        if guesses.ndim == 1:
            guesses = guesses[:, None]
        guesses = as_guesses(NAME, guesses)
        weights = as_weights(NAME, weights, len(guesses))
        right = _right(guesses, truths, self.taken_by)
        if weights is None:
            self.correct += int(np.count_nonzero(right))
            self.total += len(right)
        else:
            self.correct += exact(weights[right])
            self.total += exact(weights)

    def merge(self, other: Accuracy) -> None:
        self.correct += other.correct
        self.total += other.total

    def result(self) -> float:
        return float(self.correct / self.total) if self.total else float("nan")


def _right(guesses: Array, truths: Any, taken_by: Callable[[Array], Ints] | None) -> Array:
    """Which rows are right: (B,) of bool."""
    n_rows, n_columns = guesses.shape
    right: Array
    if n_columns == 1:
        right = ((guesses[:, 0] >= 0.5) == as_bits(NAME, truths, n_rows)) & ~np.isnan(guesses[:, 0])
        return right
    classes = class_numbers(NAME, truths, guesses.shape)
    picked = taken_by(guesses) if taken_by else guesses.argmax(axis=1)
    right = (picked == classes) & ~np.isnan(guesses[np.arange(n_rows), picked])
    return right
