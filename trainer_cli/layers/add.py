"""Layers summed."""

from __future__ import annotations

from typing import Any

from trainer_cli.arrays import Array, Ragged
from trainer_cli.errors import ShapeError
from trainer_cli.layers.inputs import describe
from trainer_cli.layers.parallel import alike, backprop_sum, require_layers, run, total
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry


@registry.layers("add.v1")
def add(*layers: Model) -> Model:
    """Give every layer the same input and add their outputs, which have one shape: `Y = f(X) + g(X) + ...`.

    The outputs are arrays, or Ragged of the same lengths.
    """
    require_layers("add", layers)
    return Model("add", forward, init=init, layers=layers, attrs={"layer": "add.v1"})


def forward(model: Model, X: Any, is_train: bool) -> tuple[Any, Backprop]:
    input_gradient = model.input_gradient
    outputs, callbacks = run(model, X, is_train)

    def backprop(dY: Array | Ragged) -> Any:
        return backprop_sum(callbacks, [dY] * len(callbacks), input_gradient)

    return total(outputs), backprop


def init(model: Model, X: Any, Y: Any) -> None:
    for layer in model.layers:
        layer.init(X, Y)
    if X is None:
        return
    outputs = {layer.where: layer.predict(X) for layer in model.layers}
    if not alike(list(outputs.values())):
        found = ", ".join(f"{name} gives {describe(output)}" for name, output in outputs.items())
        raise ShapeError(f"{model.where}: add takes layers whose outputs have one shape; {found}")
