"""Squares near the truth, straight lines far from it."""

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

NAME = "Huber.v1"


@registry.losses(NAME)
class Huber(Loss):
    """The mean of `e**2 / 2` where |e| <= delta and of `delta * (|e| - delta / 2)` beyond, for e = guess - truth.

    So a row that is far off pulls with a gradient of `delta` at most. Guesses and truths are (B, ...) alike, and the
    mean is over all numbers of all rows; truths may be (B,) for guesses (B, 1). Rows count by their weight. Huber,
    "Robust Estimation of a Location Parameter", 1964, https://doi.org/10.1214/aoms/1177703732.

    >>> grad, value = Huber(delta=1.0)(np.array([[0.5], [3.0]]), np.array([[0.0], [0.0]]))
    >>> grad.tolist(), value  # (0.125 + 2.5) / 2
    ([[0.25], [0.5]], 1.3125)
    """

    truths: Truths = "numbers"

    def __init__(self, *, delta: float = 1.0):
        if not is_number(delta) or delta <= 0.0:
            raise ArgumentError(f"{NAME}: delta must be a finite number above 0, got {delta!r}")
        self.delta = float(delta)

    # What is not finite goes through without a warning: the caller stops at a loss of NaN or inf.
    @np.errstate(over="ignore", invalid="ignore")
    def __call__(self, guesses: Array, truths: Any, weights: Array | None = None) -> tuple[Array, float]:
        error, weights = as_errors(NAME, guesses, truths, weights)
        grad = np.clip(error, -self.delta, self.delta)
        # With g the clipped error both cases are g * (e - g / 2).
        return element_mean(grad, grad.astype(np.float64) * (error - 0.5 * grad), weights)

    mass = staticmethod(rows_mass)
