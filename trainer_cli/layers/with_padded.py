"""A layer of sequences of one length on ragged rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ints, Ragged, within
from trainer_cli.errors import ShapeError
from trainer_cli.layers.inputs import describe
from trainer_cli.layers.parallel import require_layers
from trainer_cli.layers.rowwise import gradient_of
from trainer_cli.layers.sequences import as_ragged
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry


@registry.layers("with_padded.v1")
def with_padded(layer: Model) -> Model:
    """Give a layer all sequences in one array, filled up with zeros: X is Ragged (sum, n), the layer gets (B, T, n).

    It gives (B, T, m), and Y is Ragged (sum, m): what it says of the filling is left out, and has no gradient.
    """
    require_layers("with_padded", [layer])
    return Model("with_padded", forward, init=init, layers=[layer], attrs={"layer": "with_padded.v1"})


def forward(model: Model, inputs: Any, is_train: bool) -> tuple[Ragged, Backprop]:
    X = as_ragged(model, inputs)
    input_gradient = model.input_gradient
    places, full = places_of(X.lengths), pad(X)
    padded, backprop_layer = model.layers[0](full, is_train, input_gradient)
    if not isinstance(padded, np.ndarray) or padded.ndim != 3 or padded.shape[:2] != full.shape[:2]:
        raise ShapeError(
            f"{model.where}: its layer must give (B, T, n), of the same B and T, it gives {describe(padded)}"
        )

    def backprop(dY: Any) -> Ragged | None:
        filled = np.zeros_like(padded)
        filled[places] = gradient_of(model, dY, X)
        dX = backprop_layer(filled)
        return X.like(dX[places]) if input_gradient else None

    return X.like(padded[places]), backprop


def places_of(lengths: Ints) -> tuple[Ints, Ints]:
    """Where each row of ragged data stands in padded data: its sequence, and its place in that."""
    return np.repeat(np.arange(len(lengths)), lengths), within(lengths)


def pad(X: Ragged) -> Array:
    """(B, T, n), T being the longest sequence's length, at least 1."""
    padded = np.zeros((len(X.lengths), int(X.lengths.max(initial=1)), X.data.shape[1]), X.data.dtype)
    padded[places_of(X.lengths)] = X.data
    return padded


def init(model: Model, X: Any, Y: Any) -> None:
    model.layers[0].init(None if X is None else pad(as_ragged(model, X)), Y)
