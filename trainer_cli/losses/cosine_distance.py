"""Distance in direction."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.losses.loss import Loss, Truths
from trainer_cli.losses.mean import as_column, rows_mass
from trainer_cli.losses.truths import as_alike, as_guesses, as_weights
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import require_flags

FAILED = "Cannot calculate CosineDistance"
# Added to every number, so that a row of zeros has a direction; as in Thinc.
TINY = 1e-8


@registry.losses("CosineDistance.v1")
class CosineDistance(Loss):
    """`1 - cos` of the angle between guesses and truths, both (B, n), added up over the rows.

    With g and y the row of guesses and truths, each plus 1e-8, the gradient is `cos * g / |g|**2 - y / (|g| * |y|)`.
    `normalize` divides it and the loss by B. With `ignore_zeros` a row whose truth is all zeros counts nothing, but in
    B. Weights multiply the rows, and their sum takes the place of B. No rows give an empty gradient.

    >>> grad, value = CosineDistance()(np.array([[0.0, 2.0]]), np.array([[8.0, 0.0]]))
    >>> np.round(grad, 6), round(value, 6)
    (array([[-0.5,  0. ]]), 1.0)
    """

    truths: Truths = "numbers"

    def __init__(self, *, normalize: bool = True, ignore_zeros: bool = False):
        require_flags("CosineDistance", normalize=normalize, ignore_zeros=ignore_zeros)
        self.normalize = normalize
        self.ignore_zeros = ignore_zeros

    # What is not finite goes through without a warning: the caller stops at a loss of NaN or inf.
    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def __call__(self, guesses: Array, truths: Any, weights: Array | None = None) -> tuple[Array, float]:
        guesses = as_guesses(FAILED, guesses, least_rows=0)
        truths = as_alike(FAILED, truths, guesses, may_be_flat=False)
        weights = as_weights(FAILED, weights, len(guesses))
        g, y = guesses + TINY, truths + TINY
        g_norm = np.linalg.norm(g, axis=1, keepdims=True)
        norms = g_norm * np.linalg.norm(y, axis=1, keepdims=True)
        cosine = (g * y).sum(axis=1, keepdims=True) / norms
        grad = cosine * (g / g_norm**2) - y / norms
        distances = np.abs(cosine[:, 0].astype(np.float64) - 1.0)
        if self.ignore_zeros:
            is_zero = ~truths.any(axis=1)
            grad[is_zero], distances[is_zero] = 0.0, 0.0
        if weights is not None:
            grad *= as_column(weights.astype(grad.dtype), 2)
            distances *= weights
        whole = (rows_mass(guesses, weights) or 1.0) if self.normalize else 1.0
        grad /= whole
        return grad, float(distances.sum()) / whole

    def mass(self, truths: Any, weights: Array | None = None) -> float | None:
        """The number of rows, or the sum of their weights; None without `normalize`."""
        return rows_mass(truths, weights) if self.normalize else None
