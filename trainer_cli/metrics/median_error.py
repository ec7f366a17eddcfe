"""The middle of the absolute errors."""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.losses.loss import Truths
from trainer_cli.metrics.exact_sum import ExactSum, exact
from trainer_cli.metrics.ordering import ordered
from trainer_cli.metrics.pairs import as_pairs
from trainer_cli.metrics.spill import Spill
from trainer_cli.registry import registry

NAME = "median_error"


@registry.metrics("median_error.v1")
class MedianError:
    """The median of `|guess - truth|`, in the column's own unit: no outlier moves it.

    Outputs and truths are (B, 1) or (B,). Of an even number of rows it is the mean of the two in the middle. With
    weights it is the error up to which half of the weight lies, and where that is met exactly, the mean with the next
    one (Hyndman and Fan, "Sample quantiles in statistical packages", 1996, definition 2). NaN where an error is.

    >>> tally = MedianError()
    >>> tally.update(np.array([1.0, 2.0, 30.0]), np.array([1.5, 2.0, 3.0]))
    >>> tally.result()
    0.5
    """

    higher_is_better = False
    truths: Truths = "numbers"

    def __init__(self) -> None:
        self.unit = 1.0
        self._kept, self._weight = Spill(), ExactSum()
        self._is_odd = False

    def update(self, outputs: Array, truths: Any, weights: Array | None = None) -> None:
        guess, truth, weight = as_pairs(NAME, outputs, truths, weights)
        with np.errstate(over="ignore", invalid="ignore"):
            error = np.abs(guess - truth)
        self._is_odd |= bool(np.isnan(error).any())
        self._weight.add(weight)
        self._kept.add(np.stack([error, weight], axis=1)[weight > 0])

    def merge(self, other: MedianError) -> None:
        self._is_odd |= other._is_odd
        self._weight.merge(other._weight)
        self._kept.merge(other._kept)

    def result(self) -> float:
        return math.nan if self._is_odd or not self._kept.n else self._middle() * self.unit

    def _middle(self) -> float:
        """Half of the weight is met or not exactly: sums that are rounded would miss ties."""
        left, lower = self._weight.value / 2, math.nan
        for error, weight in (block.T for block in ordered(self._kept.blocks())):
            if not math.isnan(lower):
                return float(lower + error[0]) / 2
            if (total := exact(weight)) < left:
                left -= total
                continue
            i = bisect_left(range(1, len(weight)), left, key=lambda n: exact(weight[:n]))
            lower = float(error[i])
            if exact(weight[: i + 1]) > left:
                return lower
            if i + 1 < len(error):
                return float(lower + error[i + 1]) / 2
        return lower
