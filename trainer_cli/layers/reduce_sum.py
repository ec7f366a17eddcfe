"""The sum of a sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ragged
from trainer_cli.layers.sequences import as_ragged, as_rows_gradient, init
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry


@registry.layers("reduce_sum.v1")
def reduce_sum() -> Model:
    """Add up the rows of each sequence: X is Ragged (sum, n), Y is (B, n), zeros where a sequence is empty."""
    return Model("reduce_sum", forward, init=init, attrs={"layer": "reduce_sum.v1"})


def forward(model: Model, inputs: Any, is_train: bool) -> tuple[Array, Backprop]:
    X = as_ragged(model, inputs)
    Y = model.ops.reduce_sum(X.data, X.lengths)

    def backprop(dY: Any) -> Ragged:
        return X.like(np.repeat(as_rows_gradient(model, dY, Y.shape), X.lengths, axis=0))

    return Y, backprop
