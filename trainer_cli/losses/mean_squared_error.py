"""The square of what is missing."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.losses.loss import Loss, Truths
from trainer_cli.losses.mean import element_mean, rows_mass
from trainer_cli.losses.truths import as_errors
from trainer_cli.registry import registry

NAME = "MeanSquaredError.v1"


@registry.losses(NAME)
class MeanSquaredError(Loss):
    """The mean of `(guess - truth)**2` over all numbers of all rows; its gradient is `2 * (guess - truth)` over both.

    Guesses and truths are (B, ...) alike; truths may be (B,) for guesses (B, 1). Rows count by their weight.

    >>> grad, value = MeanSquaredError()(np.array([[1.0], [4.0]]), np.array([2.0, 2.0]))
    >>> grad.tolist(), value
    ([[-1.0], [2.0]], 2.5)
    """

    truths: Truths = "numbers"

    # What is not finite goes through without a warning: the caller stops at a loss of NaN or inf.
    @np.errstate(over="ignore", invalid="ignore")
    def __call__(self, guesses: Array, truths: Any, weights: Array | None = None) -> tuple[Array, float]:
        error, weights = as_errors(NAME, guesses, truths, weights)
        return element_mean(2.0 * error, np.square(error, dtype=np.float64), weights)

    mass = staticmethod(rows_mass)
