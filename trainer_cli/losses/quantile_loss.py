"""Too high and too low, each at its own price."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError
from trainer_cli.losses.loss import Loss, Truths
from trainer_cli.losses.mean import element_mean, rows_mass
from trainer_cli.losses.truths import as_errors
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import is_number

NAME = "QuantileLoss.v1"


@registry.losses(NAME)
class QuantileLoss(Loss):
    """The mean of `quantile * e` where e = truth - guess is positive, of `(quantile - 1) * e` where it is negative.

    It is least where `quantile` of the truths lie below the guess: half of the mean distance for 0.5. Guesses and
    truths are (B, ...) alike, and the mean is over all numbers of all rows; truths may be (B,) for guesses (B, 1).
    The gradient of a guess that is right is 0. Rows count by their weight. Koenker & Bassett, "Regression Quantiles",
    1978, https://doi.org/10.2307/1913643.

    >>> grad, value = QuantileLoss(quantile=0.75)(np.array([[1.0], [1.0]]), np.array([[5.0], [0.0]]))
    >>> grad.tolist(), value  # (0.75 * 4 + 0.25 * 1) / 2
    ([[-0.375], [0.125]], 1.625)
    """

    truths: Truths = "numbers"

    def __init__(self, *, quantile: float = 0.5):
        if not is_number(quantile) or not 0.0 < quantile < 1.0:
            raise ArgumentError(f"{NAME}: quantile must lie between 0 and 1, got {quantile!r}")
        self.quantile = float(quantile)

    # What is not finite goes through without a warning: the caller stops at a loss of NaN or inf.
    @np.errstate(over="ignore", invalid="ignore")
    def __call__(self, guesses: Array, truths: Any, weights: Array | None = None) -> tuple[Array, float]:
        error, weights = as_errors(NAME, guesses, truths, weights)
        grad = np.where(error > 0.0, 1.0 - self.quantile, -self.quantile).astype(error.dtype)
        grad[error == 0.0] = 0.0
        grad[np.isnan(error)] = np.nan
        return element_mean(grad, grad.astype(np.float64) * error, weights)

    mass = staticmethod(rows_mass)
