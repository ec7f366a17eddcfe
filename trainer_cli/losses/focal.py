"""Cross-entropy that looks away from what is already right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError
from trainer_cli.losses import class_weights as weighting
from trainer_cli.losses.log_probabilities import of_logits, of_probabilities
from trainer_cli.losses.loss import Link, Loss, Takes, Truths
from trainer_cli.losses.mean import row_mean, rows_mass
from trainer_cli.losses.truths import as_classes, as_guesses, as_weights
from trainer_cli.losses.unknown import without_unknown
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import is_number, require_flags

NAME = "Focal.v1"


@registry.losses(NAME)
class Focal(Loss):
    """The mean of `-(1 - p)**gamma * log(p)` over the rows, where p is the probability of the right class.

    Guesses are (B, n): probabilities, or with `from_logits` the logits of a softmax. Truths are class numbers (B,),
    one-hot rows (B, n), or texts that `names` puts in order; a row of number -1, whose class training never had, does
    not count. The gradient is the one of the logits, which a Softmax
    layer passes through: that of cross-entropy times `(1 - p)**gamma - gamma * p * (1 - p)**(gamma - 1) * log(p)`.
    With `gamma = 0` this is cross-entropy. `class_weights`, the paper's alpha, are those of
    `CategoricalCrossentropy.v4`.

    Lin et al., "Focal Loss for Dense Object Detection", 2017, https://arxiv.org/abs/1708.02002; there for two classes.

    >>> grad, value = Focal(gamma=2.0)(np.array([[0.5, 0.5], [0.1, 0.9]]), np.array([0, 1]))
    >>> round(value, 4)  # (0.25 * log(2) + 0.01 * -log(0.9)) / 2
    0.0872
    """

    truths: Truths = "classes"
    skips_unknown = True

    def __init__(
        self,
        *,
        gamma: float = 2.0,
        from_logits: bool = False,
        class_weights: weighting.Given = None,
        names: Sequence[str] | None = None,
    ):
        if not is_number(gamma) or gamma < 0.0:
            raise ArgumentError(f"{NAME}: gamma must be a finite number of at least 0, got {gamma!r}")
        self.gamma = float(gamma)
        require_flags(NAME, from_logits=from_logits)
        self.from_logits = from_logits
        self.class_weights = weighting.ClassWeights(NAME, class_weights, names)
        self.link: Link = "softmax" if from_logits else "none"
        self.takes: Takes = "logits" if from_logits else "probabilities"

    # What is not finite goes through without a warning: the caller stops at a loss of NaN or inf.
    @np.errstate(over="ignore", invalid="ignore")
    def __call__(self, guesses: Array, truths: Any, weights: Array | None = None) -> tuple[Array, float]:
        guesses = as_guesses(NAME, guesses)
        truths, weights = without_unknown(self.class_weights.numbered(truths), as_weights(NAME, weights, len(guesses)))
        classes = self._classes(truths, guesses.shape)
        self.class_weights.check(guesses.shape[1])
        weights = self.class_weights.of_rows(classes, weights)
        grad, log_p = of_logits(guesses) if self.from_logits else of_probabilities(NAME, guesses)
        rows = np.arange(len(guesses))
        log_right = log_p(guesses[rows, classes][:, None])[:, 0].astype(np.float64)
        values, factors = focal(log_right, self.gamma)
        grad[rows, classes] -= 1.0
        grad *= factors.astype(grad.dtype)[:, None]
        return row_mean(grad, values, weights, rows_mass(classes, weights))

    def fit(self, names: Sequence[str], counts: Sequence[int]) -> None:
        """Take in the classes of the training rows, for `class_weights` by name or "balanced"."""
        self.class_weights.fit(names, counts)

    def mass(self, truths: Any, weights: Array | None = None) -> float:
        """The number of rows, or the sum of their weights, those of their classes included."""
        truths, weights = without_unknown(self.class_weights.numbered(truths), weights)
        return rows_mass(truths, self.class_weights.of_rows(truths, weights))

    def _classes(self, truths: Any, shape: tuple[int, ...]) -> Array:
        found = as_classes(NAME, truths, shape)
        if found.ndim == 1:
            return found
        classes: Array = found.argmax(axis=1)
        if not (found.max(axis=1) == 1).all():
            raise ArgumentError(f"{NAME}: truths must be class numbers or one-hot rows, got rows with several classes")
        return classes


def focal(log_p: Array, gamma: float) -> tuple[Array, Array]:
    """The loss of each row, and what multiplies the gradient of its cross-entropy; log_p is (B,) float64."""
    p = np.exp(log_p)
    rest = -np.expm1(log_p)
    far = rest**gamma
    # -log(p) / (1 - p) goes to 1 as p does.
    ratio = np.divide(-log_p, rest, out=np.ones_like(rest), where=rest > 0.0)
    return far * -log_p, far * (1.0 + gamma * p * ratio)
