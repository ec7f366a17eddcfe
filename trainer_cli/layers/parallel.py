"""What combinators share that give one input to several layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ragged
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.model import Backprop, Model, width


def require_layers(name: str, layers: Sequence[Model]) -> None:
    if not layers:
        raise ArgumentError(f"{name}: needs at least one layer, got none")
    for layer in layers:
        if not isinstance(layer, Model):
            raise ArgumentError(f"{name}: takes layers, got {type(layer).__name__}")


def run(model: Model, X: Any, is_train: bool) -> tuple[list[Any], list[Backprop]]:
    """Every layer's outputs and backprop, on the same X."""
    input_gradient = model.input_gradient
    results = [layer(X, is_train, input_gradient) for layer in model.layers]
    return [Y for Y, _ in results], [backprop for _, backprop in results]


def backprop_sum(callbacks: Sequence[Backprop], gradients: Sequence[Any], input_gradient: bool) -> Any:
    """Call each backprop with its gradient; the sum of what they return, unless nobody wants it."""
    parts = [backprop(dY) for backprop, dY in zip(callbacks, gradients, strict=True)]
    return total(parts) if input_gradient else None


def alike(outputs: Sequence[Any]) -> bool:
    """Whether outputs can be added: arrays of one shape, or Ragged of one shape and the same lengths."""
    if not all(isinstance(output, Ragged) for output in outputs):
        return len({getattr(output, "shape", "ragged") for output in outputs}) == 1
    lengths = outputs[0].lengths
    return len({each.data.shape for each in outputs}) == 1 and all(np.array_equal(o.lengths, lengths) for o in outputs)


def total(parts: Sequence[Any]) -> Any:
    """The sum in a new array: a part may be an array that its layer or the caller still needs."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], Ragged):
        return parts[0].like(total([part.data for part in parts]))
    sum_: Array = parts[0] + parts[1]
    for part in parts[2:]:
        sum_ += part
    return sum_


def check_width(model: Model, output: Array | Ragged, Y: Any) -> None:
    """ShapeError if the outputs are not as wide as the targets."""
    n = (output.data if isinstance(output, Ragged) else output).shape[-1]
    if Y is not None and width(Y) != n:
        raise ShapeError(f"{model.where}: its output is {n} wide, the targets need {width(Y)}")
