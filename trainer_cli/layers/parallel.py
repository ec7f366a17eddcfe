"""What combinators share that give one input to several layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.model import Backprop, Model, width


def require_layers(name: str, layers: Sequence[Model]) -> None:
    if not layers:
        raise ArgumentError(f"{name}: needs at least one layer, got none")
    for layer in layers:
        if not isinstance(layer, Model):
            raise ArgumentError(f"{name}: takes layers, got {type(layer).__name__}")


def run(model: Model, X: Any, is_train: bool) -> tuple[list[Array], list[Backprop]]:
    """Every layer's outputs and backprop, on the same X."""
    input_gradient = model.input_gradient
    results = [layer(X, is_train, input_gradient) for layer in model.layers]
    return [Y for Y, _ in results], [backprop for _, backprop in results]


def backprop_sum(callbacks: Sequence[Backprop], gradients: Sequence[Array], input_gradient: bool) -> Array | None:
    """Call each backprop with its gradient; the sum of what they return, unless nobody wants it."""
    parts = [backprop(dY) for backprop, dY in zip(callbacks, gradients, strict=True)]
    return total(parts) if input_gradient else None


def total(parts: Sequence[Array]) -> Array:
    """The sum in a new array: a part may be an array that its layer or the caller still needs."""
    if len(parts) == 1:
        return parts[0]
    sum_ = parts[0] + parts[1]
    for part in parts[2:]:
        sum_ += part
    return sum_


def check_width(model: Model, output: Array, Y: Any) -> None:
    """ShapeError if the outputs are not as wide as the targets."""
    if Y is not None and width(Y) != output.shape[-1]:
        raise ShapeError(f"{model.where}: its output is {output.shape[-1]} wide, the targets need {width(Y)}")
