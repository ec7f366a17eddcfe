"""Batches of so many words."""

from __future__ import annotations

import math

import numpy as np

from trainer_cli.arrays import Ints
from trainer_cli.batchers.batcher import Batcher
from trainer_cli.errors import ArgumentError, Problem
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule, as_schedule


@registry.batchers("words.v1")
class WordBatcher(Batcher):
    """Batches of about `size` words: rows are added, in the order drawn, until there are `size` words or more.

    A row that would bring a batch above `size * (1 + tolerance)` words begins the next one; one that is longer than
    that stands alone. A row without words counts as one.
    """

    by_lengths = True

    def __init__(self, size: float | Schedule = 1000, tolerance: float = 0.2):
        if not 0 <= tolerance < math.inf:
            message = f"tolerance must be a finite number of at least 0, got {tolerance}"
            raise ArgumentError(problems=[Problem(message, where="tolerance")])
        self.size: Schedule = as_schedule(size)
        self.tolerance = tolerance

    def cut(self, lengths: Ints, size: Schedule, step: int, carry: float) -> tuple[int, float]:
        wanted = size(step)
        if not wanted >= 1:
            raise ArgumentError(f"a batch has at least one word, got a size of {wanted:g} at step {step}")
        most = wanted * (1 + self.tolerance)
        # No more rows than words: each counts as one at least.
        n_words = np.cumsum(np.maximum(lengths[: math.ceil(most) + 1], 1))
        enough = int(np.searchsorted(n_words, wanted)) + 1
        allowed = int(np.searchsorted(n_words, most, side="right"))
        return max(1, min(enough, allowed, len(n_words))), 0.0
