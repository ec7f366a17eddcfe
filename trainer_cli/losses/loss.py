"""What every loss is: guesses and truths in, the gradient and a number out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from trainer_cli.arrays import Array
from trainer_cli.ops import Ops

Link = Literal["none", "softmax", "sigmoid"]
Takes = Literal["probabilities", "logits", "log-probabilities", "any"]
Truths = Literal["classes", "flags", "numbers", "any"]


class Loss(ABC):
    """Base of the losses. A new one defines `__call__`, and `mass` when it is a mean; the rest follows.

    `link` is what turns the model's outputs into probabilities, for metrics and decoding: "none", "softmax" or
    "sigmoid". `takes` is what the guesses must be: "probabilities" (of a Softmax layer, which passes the gradient of
    the logits through: that is what such a loss gives), "logits", "log-probabilities" or "any". `truths` is what the
    targets are: "classes", one of several, "flags", each true or not, "numbers", or "any". `skips_unknown`: a class
    number -1, of a class that training never had, has no part in the loss. `remedies` has for truths of other kinds
    what to write in a config instead, where that is not one of the built-in losses.
    """

    link: Link = "none"
    takes: Takes = "any"
    truths: Truths = "any"
    skips_unknown: bool = False
    remedies: ClassVar[Mapping[Truths, str]] = MappingProxyType({})

    @abstractmethod
    def __call__(self, guesses: Any, truths: Any, weights: Array | None = None) -> tuple[Any, float]:
        """The gradient with respect to the guesses, in their shape and type, and the loss.

        `weights` (B,) says how much each row counts. Shapes that do not fit are a ShapeError, values out of range an
        ArgumentError.
        """

    def get_grad(self, guesses: Any, truths: Any, weights: Array | None = None) -> Any:
        """The gradient alone."""
        return self(guesses, truths, weights)[0]

    def get_loss(self, guesses: Any, truths: Any, weights: Array | None = None) -> float:
        """The loss alone."""
        return self(guesses, truths, weights)[1]

    def fit(self, names: Sequence[str], counts: Sequence[int]) -> None:  # noqa: B027 - most losses learn nothing
        """Take in the classes of the training rows and how many rows each has, once before the first call.

        Only a loss that depends on them does something; names in another order than its own are an ArgumentError.
        """

    def use_ops(self, ops: Ops) -> None:  # noqa: B027 - most losses are a few lines of numpy
        """Compute as a model with these ops does, from now on; as it is made, a loss computes in numpy."""

    def mass(self, truths: Any, weights: Array | None = None) -> float | None:
        """What the mean is taken over: the number of rows or the sum of weights; None for a loss that is a sum.

        A part of a batch counts by its share, its mass over the batch's: the shares times the gradients of the parts
        add up to the gradient of the whole.
        """
        return None

    def portion(self, value: float, share: float) -> float:
        """What a part of a batch adds to the batch's loss, when `value` is the loss of the part alone."""
        return value * share
