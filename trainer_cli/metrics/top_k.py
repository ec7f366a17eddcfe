"""The share of rows whose class is among the k most probable."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError
from trainer_cli.losses.loss import Truths
from trainer_cli.losses.truths import as_guesses, as_weights, class_numbers
from trainer_cli.metrics.exact_sum import ExactSum
from trainer_cli.registry import registry

NAME = "top_k"


@registry.metrics("top_k.v1")
class TopK:
    """Rows whose class is among the `k` most probable ones, over all rows, by weight when there are weights.

    Probabilities are (B, n) of more than k classes, truths class numbers (B,) or one-hot rows (B, n). Of equally
    probable classes the first ones come first, so that k = 1 is accuracy. A row whose class has the probability NaN is
    wrong, and so is one whose class training never had (-1). ArgumentError: k is below 1, or not below n.

    >>> tally = TopK(k=2)
    >>> tally.update(np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]), np.array([1, 2]))
    >>> tally.result()
    0.5
    """

    higher_is_better = True
    truths: Truths = "classes"

    def __init__(self, k: int = 5) -> None:
        if k < 1:
            raise ArgumentError(f"{NAME}: k must be at least 1, got {k}")
        self.k = k
        self._right, self._total = ExactSum(), ExactSum()

    def update(self, probabilities: Array, truths: Any, weights: Array | None = None) -> None:
        guesses = as_guesses(NAME, probabilities)
        n_rows, n = guesses.shape
        if self.k >= n:
            raise ArgumentError(f"{NAME}: k must be below the number of classes, which is {n}: got {self.k}")
        true = class_numbers(NAME, truths, guesses.shape)
        weight = as_weights(NAME, weights, n_rows)
        weight = np.ones(n_rows) if weight is None else weight
        own = guesses[np.arange(n_rows), true][:, None]
        first = (guesses > own) | ((guesses == own) & (np.arange(n) < true[:, None]))
        right = (true >= 0) & ~np.isnan(own[:, 0]) & (np.count_nonzero(first, axis=1) < self.k)
        self._right.add(weight[right])
        self._total.add(weight)

    def merge(self, other: TopK) -> None:
        self._right.merge(other._right)
        self._total.merge(other._total)

    def result(self) -> float:
        total: Fraction = self._total.value
        return float(self._right.value / total) if total else float("nan")
