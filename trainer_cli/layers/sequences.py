"""What layers of sequences share: ragged rows of numbers, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ragged
from trainer_cli.errors import ShapeError
from trainer_cli.layers.inputs import describe, in_type, kind
from trainer_cli.model import Model


def as_ragged(model: Model, X: Any) -> Ragged:
    """`X` in the parameters' type, if it is Ragged (sum, n) of numbers; else a ShapeError."""
    if not isinstance(X, Ragged) or X.data.ndim != 2 or X.data.dtype.kind not in "fiub":
        remedy = ""
        if isinstance(X, Ragged) and X.data.ndim == 1:
            remedy = ". Put Embed.v1 before it"
        raise ShapeError(f"{model.where}: {kind(model)} takes ragged rows (sum, n), got {describe(X)}{remedy}")
    n = model.get_dim("nI") if model.has_dim("nI") else X.data.shape[1]
    if X.data.shape[1] != n:
        raise ShapeError(f"{model.where}: {kind(model)} has nI = {n}, got {describe(X)}")
    return X.like(np.ascontiguousarray(in_type(model, X.data)))


def as_rows_gradient(model: Model, dY: Any, shape: tuple[int, ...]) -> Array:
    """A gradient (B, n) of sequences' rows, in the parameters' type."""
    if np.shape(dY) != shape:
        raise ShapeError(f"{model.where}: its outputs are {shape}, their gradient must be too, got {np.shape(dY)}")
    return np.ascontiguousarray(dY, model.dtype)


def init(model: Model, X: Any, Y: Any) -> None:
    """A layer without parameters has its input checked alone."""
    if X is not None:
        as_ragged(model, X)
