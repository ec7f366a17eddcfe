"""How far predicted numbers are from the truth: mean squared and absolute errors, and the share that is explained."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.losses.loss import Truths
from trainer_cli.losses.truths import as_alike, as_weights
from trainer_cli.metrics.exact_sum import ExactSum
from trainer_cli.metrics.pairs import one_a_row
from trainer_cli.registry import registry


class ErrorTally:
    """What the metrics of numbers share: sums over rows, each by its weight, exact whatever the batches.

    Outputs and truths are (B, 1) or (B,), in standard deviations where the target is standardised; `unit` is one of
    these in the column's own unit, and the scores are told in it.
    """

    higher_is_better = False
    truths: Truths = "numbers"
    name = ""

    def __init__(self) -> None:
        self.unit = 1.0
        self.weight, self.sums = ExactSum(), {key: ExactSum() for key in self.kept()}

    def kept(self) -> tuple[str, ...]:
        """The sums that are kept, by what `factors` calls them."""
        return ("error",)

    def factors(self, error: Array, truth: Array) -> dict[str, tuple[Array, ...]]:
        """What is summed of each row by name, as factors of a product; `error` is guess - truth."""
        raise NotImplementedError

    def update(self, outputs: Array, truths: Any, weights: Array | None = None) -> None:
        guesses = one_a_row(self.name, outputs)
        truth = as_alike(self.name, truths, guesses).reshape(-1)
        weight = as_weights(self.name, weights, len(guesses))
        counts = () if weight is None else (weight,)
        self.weight.add(np.ones(len(guesses)) if weight is None else weight)
        with np.errstate(over="ignore", invalid="ignore"):
            for key, factors in self.factors(guesses.reshape(-1) - truth, truth).items():
                self.sums[key].add_products(*factors, *counts)

    def merge(self, other: ErrorTally) -> None:
        self.weight.merge(other.weight)
        for key, each in self.sums.items():
            each.merge(other.sums[key])

    def mean(self, key: str) -> float:
        """The mean over the rows by weight; NaN of none."""
        total, weight = self.sums[key], self.weight.value
        if not weight:
            return math.nan
        return float(total.value / weight) if total.is_finite else float(total)

    def result(self) -> float:
        raise NotImplementedError


@registry.metrics("rmse.v1")
class RootMeanSquaredError(ErrorTally):
    """The root of the mean squared error, `sqrt(mean((guess - truth)^2))`, in the column's own unit."""

    name = "rmse"

    def factors(self, error: Array, truth: Array) -> dict[str, tuple[Array, ...]]:
        return {"error": (error, error)}

    def result(self) -> float:
        return math.sqrt(self.mean("error")) * self.unit


@registry.metrics("mae.v1")
class MeanAbsoluteError(ErrorTally):
    """The mean absolute error, `mean(|guess - truth|)`, in the column's own unit."""

    name = "mae"

    def factors(self, error: Array, truth: Array) -> dict[str, tuple[Array, ...]]:
        return {"error": (np.abs(error),)}

    def result(self) -> float:
        return self.mean("error") * self.unit


@registry.metrics("r2.v1")
class R2(ErrorTally):
    """The coefficient of determination, `1 - sum((guess - truth)^2) / sum((truth - mean)^2)`.

    1 is perfect, 0 is what the mean of these truths scores, and below it is worse. NaN where all truths are equal or
    there is one row: nothing is to be explained.
    """

    name = "r2"
    higher_is_better = True

    def kept(self) -> tuple[str, ...]:
        return "error", "truth", "square"

    def factors(self, error: Array, truth: Array) -> dict[str, tuple[Array, ...]]:
        return {"error": (error, error), "truth": (truth,), "square": (truth, truth)}

    def result(self) -> float:
        if not all(each.is_finite for each in self.sums.values()) or not self.weight.value:
            return math.nan
        error, truth, square = (self.sums[key].value for key in ("error", "truth", "square"))
        total = square - truth * truth / self.weight.value
        return float(1 - error / total) if total else math.nan
