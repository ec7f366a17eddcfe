"""Cross-entropy with the reference's conventions: its gradient, and the sum of the squared gradient as the loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.losses.labels import class_number, numbers_of, texts_in
from trainer_cli.losses.loss import Loss, Takes, Truths
from trainer_cli.losses.mean import as_column, rows_mass
from trainer_cli.losses.smoothing import check_smoothing, share_of_others
from trainer_cli.losses.truths import as_array, as_classes, as_guesses, as_weights, check_probabilities
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import require_flags

NAME = "CategoricalCrossentropy"
FAILED = f"Cannot calculate {NAME}"


@registry.losses("CategoricalCrossentropy.v3")
class CategoricalCrossentropy(Loss):
    """The gradient of cross-entropy with respect to the logits, `p - y`, and the sum of its squares as the loss.

    Guesses p are (B, n), each value in [0, 1]. Truths y are class numbers (B,), rows of numbers in [0, 1] (B, n), or
    texts that `names` puts in order. `normalize` divides the gradient by B, so the loss by B**2. Thinc's conventions;
    for cross-entropy in nats see `CategoricalCrossentropy.v4`.

    A row whose truth is `missing_value` has no gradient; in (B, n) its largest value tells the truth. A text that
    begins with `neg_prefix` says what the class is not: the row has a gradient for that class alone, towards 0.
    `label_smoothing` takes that much from the right class and gives it in equal parts to the others (Szegedy et al.,
    2016, https://arxiv.org/abs/1512.00567, give to all); truths are then one class a row.

    Weights multiply the rows of the gradient, and their sum takes the place of B. No rows give an empty gradient.

    >>> loss = CategoricalCrossentropy(names=["cat", "dog"], missing_value="?")
    >>> grad, value = loss(np.array([[0.5, 0.5], [0.25, 0.75]]), ["dog", "?"])
    >>> grad
    array([[ 0.25, -0.25],
           [ 0.  ,  0.  ]])
    >>> value
    0.125
    """

    truths: Truths = "classes"
    takes: Takes = "probabilities"

    def __init__(
        self,
        *,
        normalize: bool = True,
        names: Sequence[str] | None = None,
        missing_value: str | int | None = None,
        neg_prefix: str | None = None,
        label_smoothing: float = 0.0,
    ):
        if not isinstance(neg_prefix, str | None):
            raise ArgumentError(f"{NAME}: neg_prefix must be a text, got {neg_prefix!r}")
        if not isinstance(missing_value, str | int | np.integer | None) or isinstance(missing_value, bool):
            raise ArgumentError(f"{NAME}: missing_value must be a text or a class number, got {missing_value!r}")
        require_flags(NAME, normalize=normalize)
        self.normalize = normalize
        self.names = names
        self.missing_value = missing_value if isinstance(missing_value, str | None) else int(missing_value)
        self.neg_prefix = neg_prefix
        self.label_smoothing = check_smoothing(NAME, label_smoothing)
        self._numbers = numbers_of(NAME, names)

    # What is not finite goes through without a warning: the caller stops at a loss of NaN or inf.
    @np.errstate(over="ignore", invalid="ignore")
    def __call__(self, guesses: Array, truths: Any, weights: Array | None = None) -> tuple[Array, float]:
        guesses = as_guesses(FAILED, guesses, least_rows=0)
        check_probabilities(FAILED, guesses)
        if self.names and len(self.names) != guesses.shape[1]:
            raise ShapeError(f"{FAILED}: guesses of shape {guesses.shape} do not fit {len(self.names)} names")
        weights = as_weights(FAILED, weights, len(guesses))
        labels = self._labels(truths, guesses.shape)
        grad = self._from_rows(guesses, labels) if labels.truths.ndim == 2 else self._from_classes(guesses, labels)
        grad[labels.is_missing] = 0.0
        if weights is not None:
            grad *= as_column(weights.astype(grad.dtype), 2)
        if self.normalize:
            grad /= rows_mass(guesses, weights) or 1.0
        return grad, float(np.square(grad, dtype=np.float64).sum())

    def mass(self, truths: Any, weights: Array | None = None) -> float | None:
        """The number of rows, those without a truth included, or the sum of their weights; None if not normalized."""
        return rows_mass(truths, weights) if self.normalize else None

    def portion(self, value: float, share: float) -> float:
        """The loss is a sum of squares of a gradient that counts by its share: it counts by the share's square."""
        return value * share**2 if self.normalize else value

    def _from_rows(self, guesses: Array, labels: Labels) -> Array:
        if self.label_smoothing:
            raise ArgumentError(
                f"{FAILED}: label_smoothing is for one class a row, got truths of shape {labels.truths.shape}"
            )
        grad: Array = guesses - labels.truths.astype(guesses.dtype)
        return grad

    def _from_classes(self, guesses: Array, labels: Labels) -> Array:
        # In the reference smoothed truths are float32, whatever the guesses are.
        other = np.float32(share_of_others(FAILED, self.label_smoothing, guesses.shape[1]))
        right = np.float32(1.0 - self.label_smoothing)
        rows, classes = np.arange(len(guesses)), labels.truths
        grad: Array = guesses - guesses.dtype.type(other)
        grad[rows, classes] = guesses[rows, classes] - guesses.dtype.type(right)
        if labels.is_negated.any():
            if self.label_smoothing:
                raise ArgumentError(f"{FAILED}: label_smoothing and truths with neg_prefix do not go together")
            rows, classes = rows[labels.is_negated], classes[labels.is_negated]
            grad[rows] = 0.0
            grad[rows, classes] = guesses[rows, classes]
        return grad

    def _labels(self, truths: Any, shape: tuple[int, ...]) -> Labels:
        if (texts := texts_in(truths)) is not None:
            found = [self._label(text) for text in texts]
            classes, missing, negated = (np.array([each[i] for each in found]) for i in range(3))
            return Labels(as_classes(FAILED, classes, shape), missing, negated)
        array = as_array(FAILED, truths)
        if isinstance(truths, list | tuple) and array.dtype.kind == "b" and array.ndim == 1:
            array = array.astype(np.int64)  # Python's True and False are whole numbers
        missing = np.zeros(len(array), bool) if array.ndim else np.zeros(0, bool)
        if type(self.missing_value) is int and array.ndim in (1, 2) and array.size:
            missing = (array if array.ndim == 1 else array.argmax(axis=1)) == self.missing_value
        if array.ndim == 1 and missing.any():
            array = np.where(missing, 0, array)  # what stands for a missing truth need not be a class
        return Labels(as_classes(FAILED, array, shape, add_up=False), missing, np.zeros(len(missing), bool))

    def _label(self, text: Any) -> tuple[int, bool, bool]:
        """One truth of a list with texts: its class, whether it is missing, whether it is negated."""
        if text == self.missing_value:
            return 0, True, False
        if text and self.neg_prefix and isinstance(text, str) and text.startswith(self.neg_prefix):
            return class_number(FAILED, text.removeprefix(self.neg_prefix), self._numbers), False, True
        return class_number(FAILED, text, self._numbers), False, False


@dataclass(frozen=True)
class Labels:
    """Truths as class numbers (B,) or rows of numbers (B, n); which are missing and which negated, (B,) of bool."""

    truths: Array
    is_missing: Array
    is_negated: Array


@registry.losses("CategoricalCrossentropy.v1")
def CategoricalCrossentropyV1(
    *, normalize: bool = True, names: Sequence[str] | None = None, missing_value: str | int | None = None
) -> CategoricalCrossentropy:
    """`CategoricalCrossentropy` with the arguments of its first version."""
    return CategoricalCrossentropy(normalize=normalize, names=names, missing_value=missing_value)


@registry.losses("CategoricalCrossentropy.v2")
def CategoricalCrossentropyV2(
    *,
    normalize: bool = True,
    names: Sequence[str] | None = None,
    missing_value: str | int | None = None,
    neg_prefix: str | None = None,
) -> CategoricalCrossentropy:
    """`CategoricalCrossentropy` with the arguments of its second version."""
    return CategoricalCrossentropy(normalize=normalize, names=names, missing_value=missing_value, neg_prefix=neg_prefix)
