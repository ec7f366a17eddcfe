"""Layers one after the other."""

from __future__ import annotations

from typing import Any

from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry


@registry.layers("chain.v1")
def chain(*layers: Model) -> Model:
    """Feed each layer's output to the next: `chain(f, g)(X) = g(f(X))`."""
    return Model("chain", forward, init=init, layers=layers)


def forward(model: Model, X: Any, is_train: bool) -> tuple[Any, Backprop]:
    callbacks = []
    input_gradient = model.input_gradient
    for layer in model.layers:
        X, backprop = layer(X, is_train, input_gradient)
        callbacks.append(backprop)
        input_gradient = True

    def backprop_all(dY: Any) -> Any:
        for callback in reversed(callbacks):
            dY = callback(dY)
        return dY

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
