"""How surprising the truth is to the model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.losses.loss import Truths
from trainer_cli.losses.truths import as_guesses, as_weights, check_probabilities, class_numbers
from trainer_cli.metrics.exact_sum import ExactSum
from trainer_cli.registry import registry

NAME = "log_loss"


@registry.metrics("log_loss.v1")
class LogLoss:
    """The mean of `-log(p)` over the rows, in nats, p being the probability of the row's class, by weight.

    Probabilities are (B, n), truths class numbers (B,) or one-hot rows (B, n). As in scikit-learn, a probability below
    the distance of 1 to the next number of its type counts as that distance. A class that training never had (-1) has
    the probability 0: 15.9 nats in float32.
    """

    higher_is_better = False
    truths: Truths = "classes"

    def __init__(self) -> None:
        self.total, self.weight = ExactSum(), ExactSum()

    def update(self, probabilities: Array, truths: Any, weights: Array | None = None) -> None:
        guesses = as_guesses(NAME, probabilities)
        check_probabilities(NAME, guesses)
        true = class_numbers(NAME, truths, guesses.shape)
        counts = as_weights(NAME, weights, len(guesses))
        counts = np.ones(len(guesses)) if counts is None else counts
        least = np.finfo(guesses.dtype).eps
        held = np.where(true >= 0, guesses[np.arange(len(guesses)), true], 0.0)
        picked = np.clip(held, least, 1 - least).astype(np.float64)
        self.total.add_products(-np.log(picked), counts)
        self.weight.add(counts)

    def merge(self, other: LogLoss) -> None:
        self.total.merge(other.total)
        self.weight.merge(other.weight)

    def result(self) -> float:
        weight = self.weight.value
        if not weight or not self.total.is_finite:
            return math.nan
        return float(self.total.value / weight)
