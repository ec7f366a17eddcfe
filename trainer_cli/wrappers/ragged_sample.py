"""Samples of ragged rows, which show whether a module gives an output a row or one a token."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from trainer_cli.arrays import Ragged


def with_more_tokens(X: Any) -> Any:
    """A sample with other numbers of ragged rows and of tokens, which tells one output a row from one a token."""
    ragged = ragged_of(X)
    if ragged is None or len(ragged.data) != len(ragged.lengths):
        return X
    if isinstance(X, tuple):
        return tuple(tokens_twice(part) for part in X)
    return tokens_twice(ragged)


def tokens_twice(part: Any) -> Any:
    """Ragged rows, each with its data twice; others as they are."""
    if not isinstance(part, Ragged):
        return part
    starts = part.starts().tolist()
    picks = np.concatenate([np.tile(np.arange(a, b), 2) for a, b in pairwise(starts)])
    return Ragged(part.data[picks], part.lengths * 2)


def ragged_of(X: Any) -> Ragged | None:
    """The ragged rows whose tokens an output may be for: the input, or the first of several."""
    first = X[0] if isinstance(X, tuple) and X else X
    return first if isinstance(first, Ragged) else None
