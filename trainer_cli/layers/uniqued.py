"""The same rows computed once."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ints, Ragged
from trainer_cli.errors import ShapeError
from trainer_cli.layers.ids import no_slope, rows_of, with_rows
from trainer_cli.layers.inputs import describe
from trainer_cli.layers.parallel import require_layers
from trainer_cli.model import Backprop, Model
from trainer_cli.ops.hashing import fingerprints
from trainer_cli.registry import registry


@registry.layers("uniqued.v1")
def uniqued(layer: Model) -> Model:
    """Give a layer each different row of ids once, and every row its output: what `layer` gives, in less time.

    X is ids (B,) or (B, k), or Ragged of these; Y is what `layer` gives. Dropout in `layer` falls on equal rows alike.
    As in spaCy's word embeddings: most words of a text come more than once.
    """
    require_layers("uniqued", [layer])
    return Model("uniqued", forward, init=init, layers=[layer], attrs={"layer": "uniqued.v1"})


def forward(model: Model, X: Any, is_train: bool) -> tuple[Any, Backprop]:
    data = as_rows_of_ids(model, X)
    first, which = different(data)
    input_gradient = model.input_gradient
    Y, backprop_layer = model.layers[0](data[first], is_train, False)

    def backprop(dY: Any) -> Any:
        dY = rows_of(model, X, dY)
        order = np.argsort(which, kind="stable")
        backprop_layer(model.ops.reduce_sum(dY[order], np.bincount(which, minlength=len(first))))
        return no_slope(model, X) if input_gradient else None

    return with_rows(X, Y[which]), backprop


def different(data: Array) -> tuple[Ints, Ints]:
    """The first of each kind of rows, and for every row which kind it is."""
    keys = fingerprints(data if data.ndim == 2 else data[:, None])
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    return first, which.reshape(-1)


def as_rows_of_ids(model: Model, X: Any) -> Array:
    data = X.data if isinstance(X, Ragged) else X
    if not isinstance(data, np.ndarray) or data.ndim not in (1, 2) or data.dtype.kind not in "iu":
        raise ShapeError(f"{model.where}: uniqued.v1 takes ids (whole numbers), got {describe(X)}")
    return data


def init(model: Model, X: Any, Y: Any) -> None:
    model.layers[0].init(None if X is None else as_rows_of_ids(model, X), Y)
