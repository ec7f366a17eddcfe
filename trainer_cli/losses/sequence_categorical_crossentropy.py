"""Cross-entropy of sequences, with the reference's conventions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ragged
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.losses.categorical_crossentropy import FAILED as FAILED_OF_ONE
from trainer_cli.losses.categorical_crossentropy import CategoricalCrossentropy
from trainer_cli.losses.loss import Loss, Takes
from trainer_cli.losses.mean import rows_mass
from trainer_cli.losses.truths import as_weights
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import require_flags

NAME = "SequenceCategoricalCrossentropy"
FAILED = f"Cannot calculate {NAME}"


@registry.losses("SequenceCategoricalCrossentropy.v3")
class SequenceCategoricalCrossentropy(Loss):
    """`CategoricalCrossentropy` of each sequence of a batch, added up.

    Guesses are a list of B arrays (T, n), each of its own length, or a Ragged of (sum of lengths, n); the gradient is
    of the same kind. Truths are B times what `CategoricalCrossentropy` takes for T rows, or a Ragged. `normalize`
    divides the gradient by B, so the loss by B**2; the lengths do not matter. Weights (B,) are those of the sequences.

    >>> loss = SequenceCategoricalCrossentropy(names=["cat", "dog"])
    >>> guesses = [np.array([[0.5, 0.5]]), np.array([[0.0, 1.0], [1.0, 0.0]])]
    >>> grads, value = loss(guesses, [["dog"], ["dog", "dog"]])
    >>> [grad.tolist() for grad in grads], value
    ([[[0.25, -0.25]], [[0.0, 0.0], [0.5, -0.5]]], 0.625)
    """

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
        require_flags(NAME, normalize=normalize)
        self.normalize = normalize
        self.of_one = CategoricalCrossentropy(
            normalize=False,
            names=names,
            missing_value=missing_value,
            neg_prefix=neg_prefix,
            label_smoothing=label_smoothing,
        )

    def __call__(self, guesses: Any, truths: Any, weights: Array | None = None) -> tuple[Any, float]:
        sequences, labels = parts(guesses), parts(truths)
        if len(sequences) != len(labels):
            raise ShapeError(f"{FAILED}: got {len(sequences)} sequences of guesses and {len(labels)} of truths")
        weights = as_weights(FAILED, weights, len(sequences))
        whole = (rows_mass(sequences, weights) or 1.0) if self.normalize else 1.0
        grads, value = [], 0.0
        for i, (sequence, truth) in enumerate(zip(sequences, labels, strict=True)):
            grad = self._of_one(i, sequence, truth)
            grad /= whole
            if weights is not None:
                grad *= float(weights[i])
            grads.append(grad)
            value += float(np.square(grad, dtype=np.float64).sum())
        if isinstance(guesses, Ragged):
            return Ragged(np.concatenate(grads) if grads else guesses.data.copy(), guesses.lengths), value
        return grads, value

    def mass(self, truths: Any, weights: Array | None = None) -> float | None:
        """The number of sequences, or the sum of their weights; None without `normalize`."""
        return rows_mass(truths, weights) if self.normalize else None

    def portion(self, value: float, share: float) -> float:
        """The loss is a sum of squares of a gradient that counts by its share: it counts by the share's square."""
        return value * share**2 if self.normalize else value

    def _of_one(self, i: int, guesses: Any, truths: Any) -> Array:
        try:
            return self.of_one(guesses, truths)[0]
        except ArgumentError as err:
            said = str(err).removeprefix(f"{FAILED_OF_ONE}: ")
            raise type(err)(f"{FAILED}: sequence {i}: {said}") from err


def parts(sequences: Any) -> list[Any]:
    """The sequences one by one. ArgumentError: there are none, of any number."""
    if isinstance(sequences, Ragged):
        return np.split(sequences.data, sequences.starts()[1:-1]) if len(sequences.lengths) else []
    if not isinstance(sequences, Sequence | np.ndarray) or isinstance(sequences, str):
        raise ArgumentError(f"{FAILED}: expected a list of sequences, got {type(sequences).__name__}")
    return list(sequences)


@registry.losses("SequenceCategoricalCrossentropy.v1")
def SequenceCategoricalCrossentropyV1(
    *, normalize: bool = True, names: Sequence[str] | None = None
) -> SequenceCategoricalCrossentropy:
    """`SequenceCategoricalCrossentropy` with the arguments of its first version."""
    return SequenceCategoricalCrossentropy(normalize=normalize, names=names)


@registry.losses("SequenceCategoricalCrossentropy.v2")
def SequenceCategoricalCrossentropyV2(
    *, normalize: bool = True, names: Sequence[str] | None = None, neg_prefix: str | None = None
) -> SequenceCategoricalCrossentropy:
    """`SequenceCategoricalCrossentropy` with the arguments of its second version."""
    return SequenceCategoricalCrossentropy(normalize=normalize, names=names, neg_prefix=neg_prefix)
