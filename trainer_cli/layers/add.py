"""Layers summed."""

from __future__ import annotations

from typing import Any

from trainer_cli.arrays import Array
from trainer_cli.errors import ShapeError
from trainer_cli.layers.inputs import describe
from trainer_cli.layers.parallel import backprop_sum, require_layers, run, total
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry


@registry.layers("add.v1")
def add(*layers: Model) -> Model:
    """Give every layer the same input and add their outputs, which have one shape: `Y = f(X) + g(X) + ...`."""
    require_layers("add", layers)
    return Model("add", forward, init=init, layers=layers, attrs={"layer": "add.v1"})


def forward(model: Model, X: Any, is_train: bool) -> tuple[Array, Backprop]:
    input_gradient = model.input_gradient
    outputs, callbacks = run(model, X, is_train)

    def backprop(dY: Array) -> Any:
        return backprop_sum(callbacks, [dY] * len(callbacks), input_gradient)

    return total(outputs), backprop


def init(model: Model, X: Any, Y: Any) -> None:
    for layer in model.layers:
        layer.init(X, Y)
    if X is None:
        return
    outputs = {layer.where: layer.predict(X) for layer in model.layers}
    if len({output.shape for output in outputs.values()}) > 1:
        found = ", ".join(f"{name} gives {describe(output)}" for name, output in outputs.items())
        raise ShapeError(f"{model.where}: add takes layers whose outputs have one shape; {found}")
