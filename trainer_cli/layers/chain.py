"""Layers one after the other."""

from __future__ import annotations

from typing import Any

from trainer_cli.layers.parallel import require_layers
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry


@registry.layers("chain.v1")
def chain(*layers: Model) -> Model:
    """Feed each layer's output to the next: `chain(f, g)(X) = g(f(X))`."""
    require_layers("chain", layers)
    return Model("chain", forward, init=init, layers=layers, attrs={"layer": "chain.v1"})


def forward(model: Model, X: Any, is_train: bool) -> tuple[Any, Backprop]:
    input_gradient = model.input_gradient
    # Before the first layer with parameters nobody needs a gradient, unless the caller does.
    start = 0 if input_gradient else first_with_params(model)
    callbacks = []
    for index, layer in enumerate(model.layers):
        X, backprop = layer(X, is_train, input_gradient or index > start)
        callbacks.append(backprop)

    def backprop_all(dY: Any) -> Any:
        for callback in reversed(callbacks[start:]):
            dY = callback(dY)
        return dY if input_gradient else None

    return X, backprop_all


def init(model: Model, X: Any, Y: Any) -> None:
    """Each layer's input size is what arrives from the one before; the last layer that has an nO gets Y's width."""
    with_output = [index for index, layer in enumerate(model.layers) if has_output_size(layer)]
    last = with_output[-1] if with_output else None
    for index, layer in enumerate(model.layers):
        layer.init(X, Y if index == last else None)
        X = layer.predict(X) if X is not None else None


def has_output_size(model: Model) -> bool:
    return any(node.has_dim("nO") is not False for node in model.walk())


def first_with_params(model: Model) -> int:
    """The position of the first layer that has parameters; the number of layers if none has."""
    for index, layer in enumerate(model.layers):
        if any(node.param_names for node in layer.walk()):
            return index
    return len(model.layers)
