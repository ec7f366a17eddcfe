"""Whether a probability means what it says."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.losses.loss import Truths
from trainer_cli.losses.truths import (
    as_bits,
    as_floats,
    as_guesses,
    as_weights,
    check_probabilities,
    class_numbers,
)
from trainer_cli.metrics.exact_sum import ExactSum
from trainer_cli.registry import registry

NAME = "calibration_error"


@registry.metrics("calibration_error.v1")
class CalibrationError:
    """How far the probability of the guess is from how often it is right, by `n_bins` equal stretches of probability.

    `sum(n_b / n * |right_b / n_b - mean probability in b|)` over the bins `((b - 1) / n_bins, b / n_bins]` of the most
    probable class's probability, rows counting by weight: the expected calibration error of Guo, Pleiss, Sun and
    Weinberger, "On Calibration of Modern Neural Networks" (2017). 0 is perfect. Probabilities are (B, n), truths class
    numbers (B,) or one-hot rows (B, n); for one column numbers 0 and 1, and the guess is 1 from 0.5 on. A row whose
    class training never had (-1) is wrong. NaN where a probability is.

    >>> tally = CalibrationError()
    >>> tally.update(np.array([[0.8, 0.2], [0.8, 0.2]]), np.array([0, 1]))
    >>> round(tally.result(), 4)
    0.3
    """

    higher_is_better = False
    truths: Truths = "classes"

    def __init__(self, n_bins: int = 15) -> None:
        if n_bins < 1:
            raise ArgumentError(f"{NAME}: n_bins must be at least 1, got {n_bins}")
        self.n_bins = n_bins
        self._edges = np.arange(1, n_bins) / n_bins
        self._weight = ExactSum()
        # Of each bin the weight of right rows less that of all by their probability.
        self._gaps = [ExactSum() for _ in range(n_bins)]

    def update(self, probabilities: Array, truths: Any, weights: Array | None = None) -> None:
        guesses = as_floats(NAME, "probabilities", probabilities)
        guesses = as_guesses(NAME, guesses[:, None] if guesses.ndim == 1 else guesses)
        check_probabilities(NAME, guesses)
        confidence, right = _judged(guesses.astype(np.float64), truths)
        weight = as_weights(NAME, weights, len(guesses))
        weight = np.ones(len(guesses)) if weight is None else weight
        self._weight.add(weight)
        bins = self._edges.searchsorted(confidence)
        for index in np.unique(bins).tolist():
            here = bins == index
            self._gaps[index].add(weight[here & right])
            self._gaps[index].add_products(confidence[here], -weight[here])

    def merge(self, other: CalibrationError) -> None:
        if other.n_bins != self.n_bins:
            raise ShapeError(f"{NAME}: tallies of {self.n_bins} and {other.n_bins} bins cannot be merged")
        self._weight.merge(other._weight)
        for own, theirs in zip(self._gaps, other._gaps, strict=True):
            own.merge(theirs)

    def result(self) -> float:
        weight = self._weight.value
        if not weight or not all(gap.is_finite for gap in self._gaps):
            return math.nan
        return float(sum((abs(gap.value) for gap in self._gaps), Fraction(0)) / weight)


def _judged(guesses: Array, truths: Any) -> tuple[Array, Array]:
    """The probability of each row's guess, and whether it is right: (B,) each."""
    n_rows, n = guesses.shape
    if n == 1:
        p = guesses[:, 0]
        return np.where(p >= 0.5, p, 1 - p), (p >= 0.5) == as_bits(NAME, truths, n_rows)
    taken = guesses.argmax(axis=1)
    return guesses[np.arange(n_rows), taken], taken == class_numbers(NAME, truths, guesses.shape)
