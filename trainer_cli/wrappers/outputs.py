"""The outputs of a wrapped module, an array or ragged ones, and their gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ragged
from trainer_cli.errors import ShapeError
from trainer_cli.layers.inputs import as_gradient
from trainer_cli.model import Model


def data_of(Y: Array | Ragged) -> Array:
    """The array of outputs, of ragged ones that of their data."""
    return Y.data if isinstance(Y, Ragged) else np.asarray(Y)


def gradient_of(model: Model, dY: Any, Y: Array | Ragged) -> Array:
    """The gradient of outputs as an array like that of their data. ShapeError: it has another shape or form."""
    if isinstance(Y, Ragged) != isinstance(dY, Ragged):
        raise ShapeError(f"{model.where}: its outputs are {type(Y).__name__}, their gradient {type(dY).__name__}")
    return as_gradient(model, data_of(dY), data_of(Y))
