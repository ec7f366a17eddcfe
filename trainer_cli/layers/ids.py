"""What layers of ids share: which inputs they take, and tables whose rows the ids are."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ints, Ragged
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.layers.inputs import describe, kind
from trainer_cli.model import Model


def as_ids(model: Model, X: Any) -> Ints:
    """The ids of the inputs, one a row or token: of several columns that of `model.attrs["column"]`. Else a ShapeError.

    Ids are whole numbers in an array (B,) or (B, k), or Ragged (sum,) or (sum, k).
    """
    data, column = X.data if isinstance(X, Ragged) else X, model.attrs.get("column")
    if not isinstance(data, np.ndarray) or data.dtype.kind not in "iu" or data.ndim not in (1, 2):
        what = f"{kind(model)} takes ids (whole numbers), an array or ragged, got {describe(X)}"
        raise ShapeError(f"{model.where}: {what}")
    if data.ndim == 1 and column is None:
        return data.astype(np.int64, copy=False)
    if data.ndim == 2 and column is None and data.shape[1] == 1:
        column = 0
    if data.ndim == 1 or column is None or column >= data.shape[1]:
        asked = "no column" if column is None else f"column = {column}"
        raise ShapeError(
            f"{model.where}: {kind(model)} has {asked}, got {describe(X)}: set column to one of its columns"
        )
    return np.ascontiguousarray(data[:, column], np.int64)


def with_rows(X: Any, rows: Array) -> Any:
    """Rows for the ids of X, ragged as they are."""
    return X.like(rows) if isinstance(X, Ragged) else rows


def rows_of(model: Model, X: Any, dY: Any) -> Array:
    """The rows of an output's gradient."""
    from trainer_cli.layers.rowwise import gradient_of

    return np.ascontiguousarray(gradient_of(model, dY, X) if isinstance(X, Ragged) else dY, model.dtype)


def no_slope(model: Model, X: Any) -> Any:
    """The gradient of ids, which have none: zeros."""
    return with_rows(X, np.zeros((X.data if isinstance(X, Ragged) else X).shape, model.dtype))


def set_table_size(model: Model, ids: Ints) -> None:
    """nV from a sample, if it is not given: one more than the largest id."""
    if not model.has_dim("nV") and len(ids):
        model.set_dim("nV", int(ids.max()) + 1)
    check_range(model, ids)


def check_range(model: Model, ids: Ints) -> None:
    """ShapeError: the table has no such row."""
    if len(ids) and model.has_dim("nV") and (ids.min() < 0 or ids.max() >= model.get_dim("nV")):
        n = model.get_dim("nV")
        raise ShapeError(f"{model.where}: {kind(model)} has nV = {n} rows, got ids from {ids.min()} to {ids.max()}")


def checked_column(layer: str, column: int | None) -> int | None:
    if column is not None and (type(column) is not int or column < 0):
        raise ArgumentError(f"{layer}: column must be a whole number from 0 on, got {column!r}")
    return column
