"""Checks of inputs, gradients and sizes, with errors that name the layer, the value and the remedy."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ragged
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.model import Model

REMEDIES = {
    1: " One number a row is (B, 1): X.reshape(-1, 1).",
    3: " Put Flatten.v1 before it.",
    4: " Put Flatten.v1 before it.",
}


def as_rows(model: Model, X: Any) -> Array:
    """`X` in the parameters' type if it is rows (B, nI) of numbers; else a ShapeError."""
    if not isinstance(X, np.ndarray) or X.ndim != 2 or X.dtype.kind not in "fiub":
        remedy = REMEDIES.get(X.ndim, "") if isinstance(X, np.ndarray) else ""
        raise ShapeError(f"{model.where}: {kind(model)} takes rows (B, nI), got {describe(X)}.{remedy}")
    width = model.get_dim("nI") if model.has_dim("nI") else X.shape[1]
    if X.shape[1] != width:
        raise ShapeError(f"{model.where}: {kind(model)} has nI = {width}, got {describe(X)}")
    return in_type(model, X)


def as_floats(model: Model, X: Any) -> Array:
    """`X` in the parameters' type if it is an array of floats (B, ...); else a ShapeError."""
    if not isinstance(X, np.ndarray) or X.dtype.kind != "f" or X.ndim < 1:
        raise ShapeError(f"{model.where}: {kind(model)} takes an array of floats, got {describe(X)}")
    return in_type(model, X)


def expect_floats(model: Model, X: Any, Y: Any) -> None:
    """What a layer without weights does when it is initialized: a sample that is no array of floats is a ShapeError."""
    if X is not None:
        as_floats(model, X)


def in_type(model: Model, X: Array) -> Array:
    """`X` in the parameters' type; before there are any, in its own if that is floats."""
    store = model.store_or_none
    dtype = store.dtype if store is not None else X.dtype if X.dtype.kind == "f" else np.dtype(np.float32)
    return X if X.dtype == dtype else X.astype(dtype)


def as_gradient(model: Model, dY: Any, Y: Array) -> Array:
    """`dY` in the outputs' type and in C order, so that a copy gives the same bits; ShapeError: another shape."""
    if np.shape(dY) != Y.shape:
        raise ShapeError(f"{model.where}: its outputs are {Y.shape}, their gradient must be too, got {np.shape(dY)}")
    return np.asarray(dY, dtype=Y.dtype, order="C")


def sizes(layer: str, **dims: int | None) -> dict[str, int | None]:
    """The sizes as they were given, each at least 1 or None; else an ArgumentError."""
    for name, size in dims.items():
        if size is not None and (isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1):
            raise ArgumentError(f"{layer}: {name} must be a whole number of at least 1, got {size!r}")
    return dims


def kind(model: Model) -> str:
    """The layer's name in the registry."""
    return str(model.attrs.get("layer", model.name))


def describe(X: Any) -> str:
    """What an input is, in words: `images (B, 28, 28, 1)`."""
    if isinstance(X, Ragged):
        return f"ragged {'ids' if X.data.ndim == 1 else describe(X.data)}"
    if isinstance(X, tuple | dict):
        return f"{len(X)} inputs ({', '.join(X)})" if isinstance(X, dict) else f"{len(X)} inputs"
    if not isinstance(X, np.ndarray):
        return f"a {type(X).__name__}"
    words = {1: "a 1-d array", 2: "rows", 4: "images"}.get(X.ndim, f"a {X.ndim}-d array")
    return f"{words} {shape(X)}{'' if X.dtype.kind == 'f' else f' of {X.dtype}'}"


def shape(X: Array) -> str:
    """The shape with the number of rows as B: `(B, 10)`."""
    return f"({', '.join(['B', *map(str, X.shape[1:])])}{',' if X.ndim == 1 else ''})" if X.ndim else "()"
