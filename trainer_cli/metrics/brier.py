"""How far probabilities are from what happened, squared."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
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

NAME = "brier"


@registry.metrics("brier.v1")
class Brier:
    """The mean of `sum((p_k - y_k)^2)` over the classes k, y being 1 for the row's class and 0 for the others.

    It goes from 0 to 2, and of two classes half of it is taken, from 0 to 1, as in scikit-learn: `(p - y)^2` of either.
    Probabilities are (B, n), truths class numbers (B,) or one-hot rows (B, n); for one column numbers 0 and 1. A class
    that training never had (-1) is one more class with the probability 0. Brier, "Verification of forecasts expressed
    in terms of probability" (1950).

    >>> tally = Brier()
    >>> tally.update(np.array([[0.5, 0.5], [0.0, 1.0]]), np.array([0, 1]))
    >>> tally.result()
    0.125
    """

    higher_is_better = False
    truths: Truths = "classes"

    def __init__(self) -> None:
        self._total, self._weight = ExactSum(), ExactSum()

    def update(self, probabilities: Array, truths: Any, weights: Array | None = None) -> None:
        guesses = as_floats(NAME, "probabilities", probabilities)
        guesses = as_guesses(NAME, guesses[:, None] if guesses.ndim == 1 else guesses)
        check_probabilities(NAME, guesses)
        guesses = guesses.astype(np.float64)
        weight = as_weights(NAME, weights, len(guesses))
        weight = np.ones(len(guesses)) if weight is None else weight
        self._total.add_products(_squares(guesses, truths), weight)
        self._weight.add(weight)

    def merge(self, other: Brier) -> None:
        self._total.merge(other._total)
        self._weight.merge(other._weight)

    def result(self) -> float:
        weight = self._weight.value
        if not weight or not self._total.is_finite:
            return math.nan
        return float(self._total.value / weight)


def _squares(guesses: Array, truths: Any) -> Array:
    """What each row adds, (B,)."""
    n_rows, n = guesses.shape
    if n == 1:
        flat: Array = np.square(guesses[:, 0] - as_bits(NAME, truths, n_rows))
        return flat
    true = class_numbers(NAME, truths, guesses.shape)
    happened = true[:, None] == np.arange(n)
    squares: Array = np.square(guesses - happened).sum(axis=1) + (true < 0)
    return squares / 2 if n == 2 else squares
