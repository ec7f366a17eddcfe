"""Cross-entropy of labels that are each true or not."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.losses.loss import Link, Loss, Takes, Truths
from trainer_cli.losses.mean import element_mean, rows_mass
from trainer_cli.losses.truths import as_alike, as_outputs, as_weights, check_truths_within_unit
from trainer_cli.registry import registry

NAME = "BinaryCrossentropy.v1"


@registry.losses(NAME)
class BinaryCrossentropy(Loss):
    """The mean of `-y * log(p) - (1 - y) * log(1 - p)` over all labels of all rows, for p = sigmoid(guess).

    Guesses are logits (B, n), one for each label; several labels of a row may be true. Truths are 0, 1 or a
    probability between, (B, n), or (B,) for one label. The gradient is `(p - y) / (B * n)`. Computed as
    `max(z, 0) - z * y + log(1 + exp(-|z|))`, which is exact for any finite logit z.

    >>> grad, value = BinaryCrossentropy()(np.array([[0.0, 0.0]]), np.array([[1, 0]]))
    >>> grad, round(value, 4)
    (array([[-0.25,  0.25]]), 0.6931)
    """

    truths: Truths = "flags"
    link: Link = "sigmoid"
    takes: Takes = "logits"

    # What is not finite goes through without a warning: the caller stops at a loss of NaN or inf.
    @np.errstate(over="ignore", invalid="ignore")
    def __call__(self, guesses: Array, truths: Any, weights: Array | None = None) -> tuple[Array, float]:
        guesses = as_outputs(NAME, guesses)
        truths = as_alike(NAME, truths, guesses)
        check_truths_within_unit(NAME, truths)
        weights = as_weights(NAME, weights, len(guesses))
        small = np.exp(-np.abs(guesses))  # at most 1
        p = np.where(guesses >= 0.0, 1.0, small) / (1.0 + small)
        values = np.maximum(guesses, 0.0) - guesses * truths + np.log1p(small)
        return element_mean(p - truths, values, weights)

    mass = staticmethod(rows_mass)
