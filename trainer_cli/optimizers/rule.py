"""How an update rule looks to the optimizer that calls it."""

from __future__ import annotations

from typing import NamedTuple

from trainer_cli.arrays import Array
from trainer_cli.ops import Ops
from trainer_cli.store import Segment


class Rates(NamedTuple):
    """The numbers in force at one update. `shrink` is the part of the weights that weight decay takes."""

    learn_rate: float
    beta1: float
    beta2: float
    eps: float
    momentum: float
    shrink: float = 0.0


class Part(NamedTuple):
    """Tensors end to end, all moved alike: their flat weights and gradient, and what is remembered about them.

    `moments` are arrays of the weights' size, zero at first; `n_updates` counts from 1.
    """

    weights: Array
    gradient: Array
    moments: dict[str, Array]
    segments: tuple[Segment, ...]
    n_updates: int


class Rule:
    """Moves weights along their gradient in place. `moments` names the arrays it wants to be remembered; one that
    `clears` leaves a gradient of zeros."""

    moments: tuple[str, ...] = ()
    clears = False

    def kind(self, segment: Segment) -> str:
        """Neighbours of one kind come to `move` together."""
        return ""

    def move(self, ops: Ops, part: Part, rates: Rates) -> None:
        """Change `part.weights` and `part.moments`; what becomes of the gradient does not matter."""
        raise NotImplementedError
