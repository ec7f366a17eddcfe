"""Layers of rows on ragged rows: what works on each row by itself works on the rows of all sequences at once."""

from __future__ import annotations

from functools import wraps
from typing import Any

from trainer_cli.arrays import Array, Ragged
from trainer_cli.errors import ShapeError
from trainer_cli.layers.inputs import describe, kind
from trainer_cli.model import Backprop, Forward, Init, Model


def rowwise(forward: Forward) -> Forward:
    """A forward pass of an array that takes a Ragged as well: of its data, giving a Ragged of the same lengths."""

    @wraps(forward)
    def of_either(model: Model, X: Any, is_train: bool) -> tuple[Any, Backprop]:
        if not isinstance(X, Ragged):
            return forward(model, X, is_train)
        Y, backprop_data = forward(model, data_of(model, X), is_train)

        def backprop(dY: Any) -> Ragged | None:
            dX = backprop_data(gradient_of(model, dY, X))
            return None if dX is None else X.like(dX)

        return X.like(Y), backprop

    return of_either


def rowwise_init(init: Init) -> Init:
    """An initialisation by an array that takes a Ragged as well."""

    def by_either(model: Model, X: Any, Y: Any) -> None:
        init(model, data_of(model, X) if isinstance(X, Ragged) else X, Y)

    return by_either


def data_of(model: Model, X: Ragged) -> Array:
    """The rows of all sequences. ShapeError: they are ids, one number each."""
    if X.data.ndim == 1:
        what = f"{kind(model)} takes rows of numbers, got {describe(X)}"
        raise ShapeError(f"{model.where}: {what}. Put EmbedBag.v1 or Embed.v1 before it.")
    return X.data


def gradient_of(model: Model, dY: Any, X: Ragged) -> Array:
    """The data of an output's gradient, which has the lengths of X."""
    if not isinstance(dY, Ragged) or dY.lengths.shape != X.lengths.shape or (dY.lengths != X.lengths).any():
        got = "with other lengths" if isinstance(dY, Ragged) else describe(dY)
        raise ShapeError(f"{model.where}: its outputs are ragged, their gradient must be too, got {got}")
    return dY.data
