"""How long to train, in what steps, and how large a model: from the number of rows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

Optimize = Literal["accuracy", "speed"]

# A pass over few rows teaches little, so that there are more of them: this over the root of the rows.
PASSES = {"accuracy": 3000.0, "speed": 1000.0}
MOST_PASSES = {"accuracy": 200, "speed": 60}
N_EVALUATIONS = 25
# Up to so many rows: the batch size and the width.
SIZES = ((1_000, 32, 64), (10_000, 64, 128), (100_000, 128, 128), (math.inf, 512, 256))


# With fewer rows a model learns them by heart: one hidden layer, and weights that shrink.
FEW = 10_000
# Passes over 10,000 texts; over fewer there are more of them, and the other way round.
TEXT_PASSES = {"accuracy": 8.0, "speed": 4.0}
# The same over 40,000 sentences whose words have tags.
TAG_PASSES = {"accuracy": 5.0, "speed": 2.0}


@dataclass(frozen=True)
class Recipe:
    """Steps are updates; `depth` hidden layers have `width` numbers each, of which training leaves out `dropout`.
    `is_careful`: of few rows no more is learnt than what holds for others."""

    n_training_rows: int
    batch_size: int
    max_steps: int
    eval_frequency: int
    patience: int
    width: int
    depth: int
    dropout: float
    is_careful: bool

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
    return Recipe(
        n_training_rows=n_rows,
        batch_size=batch_size,
        **steps(passes * n_rows / batch_size),
        width=width if optimize == "accuracy" else width // 2,
        depth=2 if optimize == "accuracy" and n_rows >= FEW else 1,
        dropout=0.1 if n_rows >= FEW else 0.3 if optimize == "accuracy" else 0.2,
        is_careful=n_rows < FEW,
    )


def text_recipe(n_rows: int, optimize: Optimize = "accuracy") -> Recipe:
    """The recipe for texts alone, of which a bag of words and n-grams learns fast.

    >>> text_recipe(10_000).max_steps, text_recipe(1_000).batch_size
    (2500, 32)
    """
    passes = min(20.0, max(2.0, TEXT_PASSES[optimize] * math.sqrt(10_000 / max(n_rows, 1))))
    batch_size = 32 if n_rows <= 100_000 else 128
    return replace(recipe(n_rows, optimize), batch_size=batch_size, **steps(passes * n_rows / batch_size))


def tag_recipe(n_rows: int, optimize: Optimize = "accuracy") -> Recipe:
    """The recipe for sentences, each of which has many words to learn from.

    >>> tag_recipe(40_000).max_steps, tag_recipe(400).max_steps, tag_recipe(40_000).batch_size
    (6200, 620, 32)
    """
    passes = min(50.0, max(2.0, TAG_PASSES[optimize] * math.sqrt(40_000 / max(n_rows, 1))))
    return replace(recipe(n_rows, optimize), batch_size=32, **steps(passes * n_rows / 32))


def steps(n_steps: float) -> dict[str, Any]:
    """How many updates there are, and after how many of them the model is scored, or given up."""
    most = plain(max(200, n_steps))
    return {"max_steps": most, "eval_frequency": plain(most / N_EVALUATIONS), "patience": plain(most / 3)}


def plain(number: float) -> int:
    """A number of steps as a person would write it: two digits and zeros.

    >>> plain(1730.2), plain(204), plain(7.4)
    (1700, 200, 7)
    """
    n_zeros = max(0, len(str(round(number))) - 2)
    unit: int = 10**n_zeros
    return round(number / unit) * unit
