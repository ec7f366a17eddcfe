"""Rows as thinc has them, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ragged, n_rows
from trainer_cli.wrappers.engine import WrongOutputError, described, in_words
from trainer_cli.wrappers.ragged_sample import ragged_of


def as_theirs(X: Any, takes_lists: bool = False) -> Any:
    """An array as it is, ragged rows as thinc's Ragged, or as a list of arrays."""
    if isinstance(X, dict):
        return {name: as_theirs(part, takes_lists) for name, part in X.items()}
    if isinstance(X, tuple):
        return tuple(as_theirs(part, takes_lists) for part in X)
    if not isinstance(X, Ragged):
        return X
    if takes_lists:
        return np.split(X.data, X.starts()[1:-1]) if len(X.lengths) else []
    from thinc.types import Ragged as TheirRagged

    return TheirRagged(X.data, X.lengths.astype(np.int32))


def as_ours(found: Any, X: Any, per_token: bool | None) -> Array | Ragged:
    """An output as the next layer takes it. WrongOutputError: it is none.

    One array for ragged rows is of tokens or of rows, as `per_token` says; None: as its length says.
    """
    ragged = ragged_of(X)
    if isinstance(found, list) and found and all(isinstance(part, np.ndarray) for part in found):
        return Ragged(np.concatenate(found), np.array([len(part) for part in found], np.int64))
    if type(found).__name__ == "Ragged" and hasattr(found, "dataXd"):
        return Ragged(checked(found.dataXd), np.asarray(found.lengths, np.int64))
    Y, n = checked(found), n_rows(X)
    if ragged is not None and len(Y) == len(ragged.data) and per_token is not False:
        return ragged.like(Y)
    if len(Y) != n:
        raise WrongOutputError(f"returned {described(Y)}; expected one output for each of {n} rows")
    return Y


def checked(found: Any) -> Array:
    if not isinstance(found, np.ndarray) or found.dtype.kind != "f" or found.ndim < 1:
        raise WrongOutputError(
            f"returned {in_words(found)}; a layer returns an array of floats, its first axis the rows"
        )
    return found


def gradient_of_input(dX: Any, X: Any, dtype: Any) -> Any:
    """The gradient of the input, shaped as it is; of whole numbers, and what the module has none of, it is zero."""
    if isinstance(X, dict):
        parts = dX if isinstance(dX, dict) else {}
        return {name: gradient_of_input(parts.get(name), part, dtype) for name, part in X.items()}
    if isinstance(X, tuple):
        parts_of = dX if isinstance(dX, tuple | list) and len(dX) == len(X) else [None] * len(X)
        return tuple(gradient_of_input(found, part, dtype) for found, part in zip(parts_of, X, strict=True))
    if isinstance(X, Ragged):
        if isinstance(dX, list):
            dX = np.concatenate(dX) if dX else None
        return X.like(gradient_of_input(getattr(dX, "dataXd", dX), X.data, dtype))
    if X.dtype.kind != "f" or not isinstance(dX, np.ndarray) or dX.shape != X.shape:
        return np.zeros(X.shape, dtype)
    return dX.astype(dtype, copy=False)
