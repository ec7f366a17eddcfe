"""Distance in a straight line."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.losses.loss import Loss, Truths
from trainer_cli.losses.mean import as_column, rows_mass
from trainer_cli.losses.truths import as_alike, as_outputs, as_weights
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import require_flags

FAILED = "Cannot calculate L2Distance"


@registry.losses("L2Distance.v1")
class L2Distance(Loss):
    """Squared distance of guesses from truths, both (B, ...), with Thinc's conventions.

    The gradient is `guesses - truths`, divided by B when `normalize` is set; the loss is the sum of the squared
    gradient. So a normalized loss is the sum of squares over B**2, not a mean, and the gradient is half of that of
    the sum of squares. Weights multiply the rows of the gradient, and their sum takes the place of B. No
    rows give an empty gradient.

    >>> L2Distance()(np.array([[1.0, 2.0], [8.0, 9.0]]), np.array([[1.0, 2.0], [10.0, 5.0]]))
    (array([[ 0.,  0.],
           [-1.,  2.]]), 5.0)
    """

    truths: Truths = "numbers"

    def __init__(self, *, normalize: bool = True):
        require_flags("L2Distance", normalize=normalize)
        self.normalize = normalize

    # What is not finite goes through without a warning: the caller stops at a loss of NaN or inf.
    @np.errstate(over="ignore", invalid="ignore")
    def __call__(self, guesses: Array, truths: Any, weights: Array | None = None) -> tuple[Array, float]:
        guesses = as_outputs(FAILED, guesses, least_size=0)
        truths = as_alike(FAILED, truths, guesses, may_be_flat=False)
        weights = as_weights(FAILED, weights, len(guesses))
        grad = guesses - truths
        if weights is not None:
            grad *= as_column(weights.astype(grad.dtype), grad.ndim)
        grad /= self.mass(truths, weights) or 1.0
        return grad, float(np.square(grad, dtype=np.float64).sum())

    def mass(self, truths: Any, weights: Array | None = None) -> float | None:
        """The number of rows, or the sum of their weights; None without `normalize`."""
        return rows_mass(truths, weights) if self.normalize else None

    def portion(self, value: float, share: float) -> float:
        """The loss is a sum of squares of a gradient that counts by its share: it counts by the share's square."""
        return value * share**2 if self.normalize else value
