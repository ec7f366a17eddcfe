"""How long to train, in what steps, and how large a model: from the number of rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Optimize = Literal["accuracy", "speed"]

# A pass over few rows teaches little, so that there are more of them: this over the root of the rows.
PASSES = {"accuracy": 3000.0, "speed": 1000.0}
MOST_PASSES = {"accuracy": 200, "speed": 60}
N_EVALUATIONS = 25
# Up to so many rows: the batch size and the width.
SIZES = ((1_000, 32, 64), (10_000, 64, 128), (100_000, 128, 128), (math.inf, 512, 256))


@dataclass(frozen=True)
class Recipe:
    """Steps are updates; `depth` hidden layers have `width` numbers each, of which training leaves out `dropout`."""

    n_training_rows: int
    batch_size: int
    max_steps: int
    eval_frequency: int
    patience: int
    width: int
    depth: int
    dropout: float

    @property
    def n_rows(self) -> int:
        """How many rows are looked at in all, each as often as it is."""
        return self.batch_size * self.max_steps


def recipe(n_rows: int, optimize: Optimize = "accuracy") -> Recipe:
    """The recipe for `n_rows` training rows.

    >>> recipe(50_000).batch_size, recipe(50_000).max_steps, recipe(300).max_steps
    (128, 5200, 1600)
    """
    batch_size, width = next((batch, width) for most, batch, width in SIZES if n_rows <= most)
    passes = min(MOST_PASSES[optimize], max(2.0, PASSES[optimize] / math.sqrt(max(n_rows, 1))))
    max_steps = plain(max(200, passes * n_rows / batch_size))
    eval_frequency = plain(max_steps / N_EVALUATIONS)
    return Recipe(
        n_training_rows=n_rows,
        batch_size=batch_size,
        max_steps=max_steps,
        eval_frequency=eval_frequency,
        patience=plain(max_steps / 3),
        width=width if optimize == "accuracy" else width // 2,
        depth=2 if optimize == "accuracy" else 1,
        dropout=0.2 if n_rows < 10_000 else 0.1,
    )


def plain(number: float) -> int:
    """A number of steps as a person would write it: two digits and zeros.

    >>> plain(1730.2), plain(204), plain(7.4)
    (1700, 200, 7)
    """
    n_zeros = max(0, len(str(round(number))) - 2)
    unit: int = 10**n_zeros
    return round(number / unit) * unit
