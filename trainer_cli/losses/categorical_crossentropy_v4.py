"""How surprised a distribution over classes is by the right one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ragged
from trainer_cli.losses import class_weights as weighting
from trainer_cli.losses.log_probabilities import of_logits, of_probabilities
from trainer_cli.losses.loss import Link, Loss, Takes, Truths
from trainer_cli.losses.mean import row_mean, rows_mass
from trainer_cli.losses.smoothing import check_smoothing, share_of_others
from trainer_cli.losses.tokens import of_tokens, repeated
from trainer_cli.losses.truths import are_class_numbers, as_classes, as_guesses, as_weights
from trainer_cli.losses.unknown import without_unknown
from trainer_cli.ops import Ops
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import require_flags

NAME = "CategoricalCrossentropy.v4"


@registry.losses(NAME)
class CategoricalCrossentropyV4(Loss):
    """Cross-entropy in nats a sample: the mean of `-sum(y * log(p))` over the rows, or their mean by weight.

    Guesses are (B, n): probabilities, or with `from_logits` the logits that a softmax would take. Truths are class
    numbers (B,), one-hot rows or distributions (B, n), or texts that `names` puts in order; a row of number -1, whose
    class training never had, does not count. The gradient is in both cases the one of the logits, `(p - y) / mass`,
    where mass is B or the sum of the weights; a Softmax layer passes it through. Guesses and truths may be Ragged of
    the same lengths: each token counts as a row, by the weight of its row. From logits the loss is exact for any finite
    ones; from probabilities it is `-log(max(p, tiny))`, 87.3 at most in float32.

    `label_smoothing` takes that much from the right class and gives it in equal parts to the n - 1 others (Thinc's
    definition; Szegedy et al., 2016, https://arxiv.org/abs/1512.00567, give to all n). It must be below (n - 1) / n,
    where all classes are alike.

    `class_weights` multiply the weight of each row by that of its class: a list in the order of the classes, weights
    by name (1 for a class left out), or "balanced", by which each class of the training rows counts alike.

    >>> loss = CategoricalCrossentropyV4()
    >>> grad, value = loss(np.array([[0.5, 0.5], [0.25, 0.75]]), np.array([0, 1]))
    >>> grad
    array([[-0.25 ,  0.25 ],
           [ 0.125, -0.125]])
    >>> round(value, 4)  # (log(2) + log(4 / 3)) / 2
    0.4904
    """

    truths: Truths = "classes"
    skips_unknown = True

    def __init__(
        self,
        *,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        class_weights: weighting.Given = None,
        names: Sequence[str] | None = None,
    ):
        require_flags(NAME, from_logits=from_logits)
        self.from_logits = from_logits
        self.label_smoothing = check_smoothing(NAME, label_smoothing)
        self.class_weights = weighting.ClassWeights(NAME, class_weights, names)
        self.of_classes = Ops.crossentropy
        self.link: Link = "softmax" if from_logits else "none"
        self.takes: Takes = "logits" if from_logits else "probabilities"

    # What is not finite goes through without a warning: the caller stops at a loss of NaN or inf. A difference of
    # logits past the largest float is -inf and its probability 0, as it should be.
    @np.errstate(over="ignore", invalid="ignore")
    def __call__(self, guesses: Array | Ragged, truths: Any, weights: Array | None = None) -> tuple[Any, float]:
        if isinstance(guesses, Ragged):
            P, y, token_weights = of_tokens(NAME, guesses, truths, weights)
            grad, value = self.of_rows(P, y, token_weights) if len(P) else (P, 0.0)
            return guesses.like(grad), value
        return self.of_rows(guesses, truths, weights)

    def of_rows(self, guesses: Array, truths: Any, weights: Array | None) -> tuple[Array, float]:
        guesses = as_guesses(NAME, guesses)
        truths, weights = self.counted(guesses.shape, truths, weights)
        if self.from_logits and not self.label_smoothing and truths.ndim == 1:
            return row_mean(*self.of_classes(guesses, truths), weights, rows_mass(truths, weights))
        # Smoothed truths are `gold * y + other`, so they need not be written down.
        other = share_of_others(NAME, self.label_smoothing, guesses.shape[1])
        gold = 1.0 - self.label_smoothing - other
        grad, log_p = of_logits(guesses) if self.from_logits else of_probabilities(NAME, guesses)
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
        return row_mean(grad, nats, weights, rows_mass(truths, weights))

    def counted(self, shape: tuple[int, ...], truths: Any, weights: Array | None) -> tuple[Array, Array | None]:
        """Truths of guesses of this shape (B, n) as numbers, (B,) or (B, n), and the weights of rows; None: all alike.

        A row of number -1 is one of class 0 that weighs nothing.
        """
        weights = as_weights(NAME, weights, shape[0])
        if not are_class_numbers(truths, shape):
            truths, weights = without_unknown(self.class_weights.numbered(truths), weights)
            truths = as_classes(NAME, truths, shape)
        self.class_weights.check(shape[1])
        return truths, self.class_weights.of_rows(truths, weights)

    def use_ops(self, ops: Ops) -> None:
        self.of_classes = ops.crossentropy

    def fit(self, names: Sequence[str], counts: Sequence[int]) -> None:
        """Take in the classes of the training rows, for `class_weights` by name or "balanced"."""
        self.class_weights.fit(names, counts)

    def mass(self, truths: Any, weights: Array | None = None) -> float:
        """The number of rows, of ragged ones of tokens, or the sum of their weights, those of classes included."""
        if isinstance(truths, Ragged):
            truths, weights = truths.data, repeated(NAME, weights, truths)
        truths, weights = without_unknown(self.class_weights.numbered(truths), weights)
        return rows_mass(truths, self.class_weights.of_rows(truths, weights))
