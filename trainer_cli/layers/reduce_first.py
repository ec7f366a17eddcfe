"""The first and the last of a sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ragged
from trainer_cli.layers.sequences import as_ragged, as_rows_gradient, init
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry


@registry.layers("reduce_first.v1")
def reduce_first() -> Model:
    """The first row of each sequence: X is Ragged (sum, n), Y is (B, n), zeros where a sequence is empty."""
    return Model("reduce_first", forward, init=init, attrs={"layer": "reduce_first.v1", "end": 0})


@registry.layers("reduce_last.v1")
def reduce_last() -> Model:
    """The last row of each sequence: X is Ragged (sum, n), Y is (B, n), zeros where a sequence is empty."""
    return Model("reduce_last", forward, init=init, attrs={"layer": "reduce_last.v1", "end": 1})


def forward(model: Model, inputs: Any, is_train: bool) -> tuple[Array, Backprop]:
    X = as_ragged(model, inputs)
    full = np.flatnonzero(X.lengths)
    picks = X.starts()[:-1][full] if model.attrs["end"] == 0 else X.starts()[1:][full] - 1
    Y = np.zeros((len(X.lengths), X.data.shape[1]), X.data.dtype)
    Y[full] = X.data[picks]

    def backprop(dY: Any) -> Ragged:
        dX = np.zeros_like(X.data)
        dX[picks] = as_rows_gradient(model, dY, Y.shape)[full]
        return X.like(dX)

    return Y, backprop
