"""A rate that falls when the dev score gets no better."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from trainer_cli.errors import ArgumentError, ModelFileError
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import is_number, require_at_least, require_numbers, require_whole, require_within
from trainer_cli.schedules.schedule import Schedule, called


@registry.schedules("plateau.v1")
def plateau(initial_rate: float, *, factor: float = 0.1, patience: int = 10, min_rate: float = 0.0) -> Plateau:
    """Give `initial_rate`, multiplied by `factor` after every `patience` evaluations in a row without a better score.

    The rate never falls below `min_rate`. Scores come by `observe`; a tie and a NaN are no better.

    >>> rates = plateau(1.0, factor=0.5, patience=2)
    >>> for step, score in [(10, 0.6), (20, 0.7), (30, 0.7), (40, 0.1)]:
    ...     rates.observe(score, step)
    >>> rates(39), rates(40)
    (1.0, 0.5)
    """
    require_at_least("plateau", 0, initial_rate=initial_rate)
    require_numbers("plateau", factor=factor)
    require_whole("plateau", patience=patience)
    require_within("plateau", "min_rate", min_rate, "initial_rate", initial_rate)
    if not 0.0 < factor < 1.0:
        raise ArgumentError(f"plateau: factor must lie between 0 and 1, got {factor}")
    if patience < 1:
        raise ArgumentError(f"plateau: patience must be at least 1 evaluation, got {patience}")
    return Plateau(initial_rate, factor, int(patience), min_rate)


@dataclass(frozen=True)
class Memory:
    """The best score so far, how many evaluations there were since, after which step the last one was, and the steps
    from which on the rate is lower."""

    best: float | None = None
    n_worse: int = 0
    observed: int = -1
    cuts: tuple[int, ...] = ()


class Plateau(Schedule):
    """The schedule that `plateau` makes: a pure function of its memory and the step.

    The memory holds every step at which the rate fell, so a step of the past has the rate that it was made with.
    """

    reads_scores = True

    def __init__(self, initial_rate: float, factor: float, patience: int, min_rate: float):
        settings = {"factor": (factor, 0.1), "patience": (patience, 10), "min_rate": (min_rate, 0.0)}
        super().__init__(lambda step: initial_rate, called("plateau", initial_rate, **settings))
        self.factor = factor
        self.patience = patience
        self.min_rate = min_rate
        # Replaced, never changed: a copy of this schedule goes on alone.
        self.memory = Memory()

    def __call__(self, step: int) -> float:
        return max(self.min_rate, super().__call__(step) * self.factor ** bisect_right(self.memory.cuts, step))

    def observe(self, score: float, step: int) -> None:
        """Take in the score found after `step` updates, higher being better: it sets the rate from update `step` on.

        A step that was observed already is not counted again, so whoever shares this schedule may pass scores on.
        """
        memory = self.memory
        if step <= memory.observed:
            return
        memory = replace(memory, observed=step)
        if math.isfinite(score) and (memory.best is None or score > memory.best):
            memory = replace(memory, best=float(score), n_worse=0)
        elif memory.n_worse + 1 < self.patience:
            memory = replace(memory, n_worse=memory.n_worse + 1)
        else:
            is_lowest = self(step) <= self.min_rate
            memory = replace(memory, n_worse=0, cuts=memory.cuts if is_lowest else (*memory.cuts, step))
        self.memory = memory

    def to_state(self) -> dict[str, Any]:
        return {**asdict(self.memory), "cuts": list(self.memory.cuts)}

    def load_state(self, state: Mapping[str, Any]) -> None:
        try:
            best, n_worse, observed, cuts = (state[key] for key in ("best", "n_worse", "observed", "cuts"))
            fits = (
                (best is None or is_number(best))
                and all(type(n) is int for n in (n_worse, observed, *cuts))
                and list(cuts) == sorted(cuts)
            )
        except (KeyError, TypeError) as err:
            raise ModelFileError(f"the memory of {self} is not one of ours: {err!r}") from err
        if not fits:
            raise ModelFileError(f"the memory of {self} is not one of ours: {dict(state)!r}")
        self.memory = Memory(best, n_worse, observed, tuple(cuts))
