"""What goes through a model, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from trainer_cli.model import Backprop, Forward, Model

# What goes around a layer's forward pass: it gets the layer, that function, and the function's arguments.
Around = Callable[[Model, Forward, Any, bool], tuple[Any, Backprop]]


@contextmanager
def intercepted(model: Model, around: Around) -> Iterator[None]:
    """Within the block, each layer's forward pass goes through `around(layer, forward, X, is_train)`."""
    nodes = list(model.walk())
    forwards = [node._forward for node in nodes]

    def wrapped(forward: Forward) -> Forward:
        return lambda node, X, is_train: around(node, forward, X, is_train)

    try:
        for node, forward in zip(nodes, forwards, strict=True):
            node._forward = wrapped(forward)
        yield
    finally:
        for node, forward in zip(nodes, forwards, strict=True):
            node._forward = forward


def trace(model: Model, X: Any) -> dict[int, Any]:
    """The output of each layer, by the layer's id, when the model predicts X."""
    outputs: dict[int, Any] = {}

    def watched(node: Model, forward: Forward, X: Any, is_train: bool) -> tuple[Any, Backprop]:
        found = forward(node, X, is_train)
        outputs[id(node)] = found[0]
        return found

    with intercepted(model, watched):
        model.predict(X)
    return outputs
