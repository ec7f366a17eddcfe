"""Lists of arrays to ragged rows, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ragged
from trainer_cli.errors import ShapeError
from trainer_cli.layers.inputs import describe
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry


@registry.layers("list2ragged.v1")
def list2ragged() -> Model:
    """Lay the arrays of a list, (T, n) or (T,), end to end as one Ragged. For loops of your own."""
    return Model("list2ragged", forward, init=init, attrs={"layer": "list2ragged.v1"})


@registry.layers("ragged2list.v1")
def ragged2list() -> Model:
    """The sequences of a Ragged as a list of arrays. For loops of your own."""
    return Model("ragged2list", forward_back, init=init_back, attrs={"layer": "ragged2list.v1"})


def forward(model: Model, X: Any, is_train: bool) -> tuple[Ragged, Backprop]:
    Y = laid_together(model, X)

    def backprop(dY: Ragged) -> list[Array]:
        return apart(dY) if len(X) else []

    return Y, backprop


def forward_back(model: Model, X: Any, is_train: bool) -> tuple[list[Array], Backprop]:
    init_back(model, X, None)

    def backprop(dY: list[Array]) -> Ragged:
        none = np.zeros((0, *X.data.shape[1:]), model.dtype)
        return Ragged(np.concatenate([none, *dY]).astype(model.dtype), X.lengths)

    return apart(X), backprop


def laid_together(model: Model, X: Any) -> Ragged:
    if not isinstance(X, list) or not all(isinstance(part, np.ndarray) and part.ndim in (1, 2) for part in X):
        raise ShapeError(f"{model.where}: list2ragged.v1 takes a list of arrays (T, n), got {describe(X)}")
    if len({part.shape[1:] for part in X}) > 1:
        shapes = sorted({part.shape[1:] for part in X})
        raise ShapeError(f"{model.where}: list2ragged.v1 takes arrays of one width, got rows of {shapes}")
    lengths = np.array([len(part) for part in X], np.int64)
    return Ragged(np.concatenate(X) if X else np.zeros((0, 1), model.dtype), lengths)


def apart(X: Ragged) -> list[Array]:
    return np.split(X.data, X.starts()[1:-1]) if len(X.lengths) else []


def init(model: Model, X: Any, Y: Any) -> None:
    if X is not None:
        laid_together(model, X)


def init_back(model: Model, X: Any, Y: Any) -> None:
    if X is not None and not isinstance(X, Ragged):
        raise ShapeError(f"{model.where}: ragged2list.v1 takes ragged rows, got {describe(X)}")
