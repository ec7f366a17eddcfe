"""Guesses and truths that are numbers, a pair a row."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ShapeError
from trainer_cli.losses.truths import as_alike, as_outputs, as_weights
from trainer_cli.metrics.scratch import Floats


def as_pairs(name: str, outputs: Any, truths: Any, weights: Array | None) -> tuple[Floats, Floats, Floats]:
    """Guess, truth and weight (1 where none is given) of each row, (B,) each, of outputs (B, 1) or (B,)."""
    guesses = one_a_row(name, outputs)
    truth = as_alike(name, truths, guesses).reshape(-1)
    weight = as_weights(name, weights, len(guesses))
    return guesses.reshape(-1), truth, np.ones(len(guesses)) if weight is None else weight.astype(np.float64)


def one_a_row(name: str, outputs: Any) -> Floats:
    """The outputs as they are, (B, 1) or (B,). ShapeError: there are several numbers a row."""
    guesses: Floats = as_outputs(name, outputs).astype(np.float64)
    if guesses.size != len(guesses):
        raise ShapeError(f"{name}: guesses must be one number a row, got shape {guesses.shape}")
    return guesses
