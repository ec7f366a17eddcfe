"""The outputs of a wrapped module, an array or ragged ones, and their gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ragged
from trainer_cli.errors import ShapeError
from trainer_cli.layers.inputs import as_gradient
from trainer_cli.model import Model

# By how much a row of probabilities in float32 may miss 1.
ROUNDING = 1e-4


def data_of(Y: Array | Ragged) -> Array:
    """The array of outputs, of ragged ones that of their data."""
    return Y.data if isinstance(Y, Ragged) else np.asarray(Y)


def gradient_of(model: Model, dY: Any, Y: Array | Ragged) -> Array:
    """The gradient of outputs as an array like that of their data. ShapeError: it has another shape or form."""
    if isinstance(Y, Ragged) != isinstance(dY, Ragged):
        raise ShapeError(f"{model.where}: its outputs are {type(Y).__name__}, their gradient {type(dY).__name__}")
    return as_gradient(model, data_of(dY), data_of(Y))


def are_probabilities(Y: Array) -> bool:
    """Whether each row lies in [0, 1] and adds up to 1, and they are not all the same.

    Rows of logits do not by chance: only a network that begins with zeros gives its bias for all rows, and that may be
    any numbers.

    >>> are_probabilities(np.array([[0.25, 0.75], [0.5, 0.5]])), are_probabilities(np.array([[0.5, 0.5], [0.5, 0.5]]))
    (True, False)
    """
    rows = Y.reshape(-1, Y.shape[-1])
    if len(rows) < 2 or rows.shape[1] < 2 or not (rows.min() >= 0 and rows.max() <= 1 + ROUNDING):
        return False
    sums = rows.sum(axis=1, dtype=np.float64)
    return bool(np.abs(sums - 1).max() <= ROUNDING and (rows != rows[0]).any())
