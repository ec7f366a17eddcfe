"""How an update rule looks to the optimizer that calls it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from trainer_cli.arrays import Array
from trainer_cli.ops import Ops


@dataclass(frozen=True)
class Rates:
    """The numbers in force at one update."""

    learn_rate: float
    beta1: float
    beta2: float
    eps: float


class Rule(Protocol):
    """Move `weights` along `gradient` in place.

    `moments` are the arrays named by the rule, each of the weights' size and zero at first; `n_updates` counts from 1.
    """

    @property
    def moments(self) -> tuple[str, ...]: ...

    def __call__(
        self, ops: Ops, weights: Array, gradient: Array, moments: dict[str, Array], rates: Rates, n_updates: int
    ) -> None: ...
