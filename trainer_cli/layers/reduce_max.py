"""The largest of a sequence."""

from __future__ import annotations

from typing import Any

from trainer_cli.arrays import Array, Ragged
from trainer_cli.layers.sequences import as_ragged, as_rows_gradient, init
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry


@registry.layers("reduce_max.v1")
def reduce_max() -> Model:
    """The largest number of each column in a sequence: X is Ragged (sum, n), Y is (B, n), zeros of an empty sequence.

    Of equal ones the first gets the gradient. Collobert et al., "Natural Language Processing (Almost) from Scratch"
    (JMLR 2011).
    """
    return Model("reduce_max", forward, init=init, attrs={"layer": "reduce_max.v1"})


def forward(model: Model, inputs: Any, is_train: bool) -> tuple[Array, Backprop]:
    X = as_ragged(model, inputs)
    Y, which = model.ops.reduce_max(X.data, X.lengths)

    def backprop(dY: Any) -> Ragged:
        return X.like(model.ops.backprop_reduce_max(as_rows_gradient(model, dY, Y.shape), which, X.lengths))

    return Y, backprop
