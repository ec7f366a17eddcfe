"""Layers side by side."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ShapeError
from trainer_cli.layers.inputs import describe
from trainer_cli.layers.parallel import backprop_sum, check_width, require_layers, run
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry


@registry.layers("concatenate.v1")
def concatenate(*layers: Model) -> Model:
    """Give every layer the same input and join their outputs: `Y = [f(X), g(X), ...]`.

    Each output is rows (B, n), Y is (B, sum of n). Every layer's nO must be given: the targets tell their sum alone.
    """
    require_layers("concatenate", layers)
    return Model("concatenate", forward, init=init, layers=layers, attrs={"layer": "concatenate.v1"})


def forward(model: Model, X: Any, is_train: bool) -> tuple[Array, Backprop]:
    input_gradient = model.input_gradient
    outputs, callbacks = run(model, X, is_train)
    stops = np.cumsum([Y.shape[1] for Y in outputs])[:-1]

    def backprop(dY: Array) -> Any:
        return backprop_sum(callbacks, np.split(dY, stops, axis=1), input_gradient)

    return np.concatenate(outputs, axis=1), backprop


def init(model: Model, X: Any, Y: Any) -> None:
    for layer in model.layers:
        layer.init(X)
    if X is None:
        return
    outputs = {layer.where: layer.predict(X) for layer in model.layers}
    for name, output in outputs.items():
        if not isinstance(output, np.ndarray) or output.ndim != 2:
            raise ShapeError(f"{model.where}: concatenate joins rows (B, n), {name} gives {describe(output)}")
    check_width(model, np.concatenate(list(outputs.values()), axis=1), Y)
