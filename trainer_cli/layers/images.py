"""Checks of images and sequences, with errors that name the layer, the value and the remedy."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ShapeError
from trainer_cli.layers.inputs import describe, in_type, kind
from trainer_cli.model import Model

REMEDIES = {3: " A grey image has one channel: X[..., None]."}


def as_images(model: Model, X: Any) -> Array:
    """`X` in the parameters' type if it is images (B, H, W, C) of numbers, with the layer's C; else a ShapeError."""
    if not isinstance(X, np.ndarray) or X.ndim != 4 or X.dtype.kind not in "fiub":
        remedy = REMEDIES.get(X.ndim, "") if isinstance(X, np.ndarray) else ""
        raise ShapeError(f"{model.where}: {kind(model)} takes images (B, H, W, C), got {describe(X)}.{remedy}")
    check_channels(model, X)
    return in_type(model, X)


def as_sequences(model: Model, X: Any) -> Array:
    """`X` in the parameters' type if it is sequences (B, T, C) of numbers, with the layer's C; else a ShapeError."""
    if not isinstance(X, np.ndarray) or X.ndim != 3 or X.dtype.kind not in "fiub":
        raise ShapeError(f"{model.where}: {kind(model)} takes sequences (B, T, C) or ragged rows, got {describe(X)}")
    check_channels(model, X)
    return in_type(model, X)


def check_channels(model: Model, X: Array) -> None:
    if model.has_dim("nI") and X.shape[-1] != model.get_dim("nI"):
        raise ShapeError(f"{model.where}: {kind(model)} has nI = {model.get_dim('nI')}, got {describe(X)}")
