"""How surprised a distribution over classes is by the right one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError
from trainer_cli.losses.loss import Link, Loss, Takes
from trainer_cli.losses.truths import ROUNDING, as_classes, as_guesses, as_weights
from trainer_cli.registry import registry

NAME = "CategoricalCrossentropy.v4"


@registry.losses(NAME)
class CategoricalCrossentropyV4(Loss):
    """Cross-entropy in nats a sample: the mean of `-sum(y * log(p))` over the rows, or their mean by weight.

    Guesses are (B, n): probabilities, or with `from_logits` the logits that a softmax would take. Truths are class
    numbers (B,), or one-hot rows or distributions (B, n). The gradient is in both cases the one of the logits,
    `(p - y) / mass`, where mass is B or the sum of the weights; a Softmax layer passes it through. From logits the
    loss is exact for any finite ones; from probabilities it is `-log(max(p, tiny))`, 87.3 at most in float32.

    `label_smoothing` takes that much from the right class and gives it in equal parts to the n - 1 others (Thinc's
    definition; Szegedy et al., 2016, https://arxiv.org/abs/1512.00567, give to all n). It must be below (n - 1) / n,
    where all classes are alike.

    >>> loss = CategoricalCrossentropyV4()
    >>> grad, value = loss(np.array([[0.5, 0.5], [0.25, 0.75]]), np.array([0, 1]))
    >>> grad
    array([[-0.25 ,  0.25 ],
           [ 0.125, -0.125]])
    >>> round(value, 4)  # (log(2) + log(4 / 3)) / 2
    0.4904
    """

    def __init__(self, *, from_logits: bool = False, label_smoothing: float = 0.0):
        if not 0.0 <= label_smoothing < 1.0:
            raise ArgumentError(f"{NAME}: label_smoothing must be at least 0 and below 1, got {label_smoothing!r}")
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.link: Link = "softmax" if from_logits else "none"
        self.takes: Takes = "logits" if from_logits else "probabilities"

    # What is not finite goes through without a warning: the caller stops at a loss of NaN or inf. A difference of
    # logits past the largest float is -inf and its probability 0, as it should be.
    @np.errstate(over="ignore", invalid="ignore")
    def __call__(self, guesses: Array, truths: Any, weights: Array | None = None) -> tuple[Array, float]:
        guesses = as_guesses(NAME, guesses)
        truths = as_classes(NAME, truths, guesses.shape)
        weights = as_weights(NAME, weights, len(guesses))
        # Smoothed truths are `gold * y + other`, so they need not be written down.
        gold, other = self._smoothing(guesses.shape[1])
        grad, log_p = self._softmax(guesses) if self.from_logits else self._probabilities(guesses)
        if truths.ndim == 1:
            rows = np.arange(len(guesses))
            nats = log_p(guesses[rows, truths][:, None])[:, 0] * -gold
            grad[rows, truths] -= gold
        else:
            nats = np.einsum("ij,ij->i", truths, log_p(guesses), dtype=np.float64) * -gold
            grad -= gold * truths.astype(grad.dtype)
        if other:
            nats -= other * log_p(guesses).sum(axis=1, dtype=np.float64)
            grad -= other
        return _mean(grad, nats, weights, self.mass(truths, weights))

    def mass(self, truths: Any, weights: Array | None = None) -> float:
        """The number of rows, or the sum of their weights."""
        return float(len(truths) if weights is None else np.sum(weights, dtype=np.float64))

    def _smoothing(self, n_classes: int) -> tuple[float, float]:
        if not self.label_smoothing:
            return 1.0, 0.0
        if self.label_smoothing >= (n_classes - 1) / n_classes:
            limit = f"below {(n_classes - 1) / n_classes:.6g}" if n_classes > 1 else "0"
            raise ArgumentError(
                f"{NAME}: label_smoothing must be {limit} for {n_classes} classes, got {self.label_smoothing}"
            )
        other = self.label_smoothing / (n_classes - 1)
        return 1.0 - self.label_smoothing - other, other

    def _probabilities(self, guesses: Array) -> tuple[Array, Callable[[Array], Array]]:
        """A copy of the guesses, and what gives the log of some of them (B, k)."""
        low, high = guesses.min(), guesses.max()
        if low < 0.0 or high > 1.0 + ROUNDING:
            raise ArgumentError(
                f"{NAME}: guesses must be probabilities in [0, 1], got values from {low:.6g} to {high:.6g}. "
                "For a model that ends in logits, set from_logits = true"
            )
        tiny = float(np.finfo(guesses.dtype).tiny)
        return guesses.copy(), lambda picked: np.log(np.maximum(picked, tiny))

    def _softmax(self, guesses: Array) -> tuple[Array, Callable[[Array], Array]]:
        """The softmax of the guesses, and what gives the log of it at some of them (B, k).

        Sums and logs are float64: `top - picked` is then finite and exact for logits of any size, and a loss far
        below float32's rounding at 1 is still right.
        """
        top = guesses.max(axis=1, keepdims=True)
        p = np.exp(guesses - top)
        total = p.sum(axis=1, keepdims=True, dtype=np.float64)
        p /= total.astype(p.dtype)
        return p, lambda picked: (picked - top.astype(np.float64)) - np.log(total)


def _mean(grad: Array, nats: Array, weights: Array | None, mass: float) -> tuple[Array, float]:
    """The mean over the rows; the gradient is changed in place. Rows that all weigh nothing have no say: zeros."""
    if weights is None:
        grad /= mass
        return grad, float(nats.sum(dtype=np.float64)) / mass
    shares = weights.astype(np.float64) / (mass or 1.0)
    grad *= shares.astype(grad.dtype)[:, None]
    return grad, float(nats @ shares)
