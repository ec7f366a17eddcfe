"""Losses and metrics of rows on ragged rows: each token counts as a row, by the weight of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ragged
from trainer_cli.errors import ShapeError


def of_tokens(name: str, guesses: Ragged, truths: Any, weights: Any = None) -> tuple[Array, Array, Array | None]:
    """Guesses (sum, n), truths (sum, ...) and weights (sum,) of all tokens. ShapeError: the lengths differ."""
    if not isinstance(truths, Ragged) or not np.array_equal(truths.lengths, guesses.lengths):
        got = "ragged ones of others" if isinstance(truths, Ragged) else type(truths).__name__
        raise ShapeError(f"{name}: the truths of ragged guesses must be ragged, of the same lengths, got {got}")
    return guesses.data, truths.data, repeated(name, weights, guesses)


def repeated(name: str, weights: Any, rows: Ragged) -> Array | None:
    """The weight of its row for each token; None stays None."""
    if weights is None:
        return None
    if np.shape(weights) != rows.lengths.shape:
        raise ShapeError(
            f"{name}: weights must be one for each of {len(rows.lengths)} rows, got shape {np.shape(weights)}"
        )
    return np.repeat(np.asarray(weights), rows.lengths)
