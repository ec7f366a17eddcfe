"""Layers side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ragged
from trainer_cli.errors import ShapeError
from trainer_cli.layers.inputs import describe
from trainer_cli.layers.parallel import check_width, require_layers, total
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import nearest, registry


@registry.layers("concatenate.v1")
def concatenate(*layers: Model) -> Model:
    """Give every layer the same input and join their outputs: `Y = [f(X), g(X), ...]`.

    Of several inputs, a dict, each layer gets that of its own name. The outputs are rows (B, n), Y is (B, sum of n); or
    all are Ragged of the same lengths, and so is Y. Every layer's nO must be given: the targets tell their sum alone.
    """
    require_layers("concatenate", layers)
    return Model("concatenate", forward, init=init, layers=layers, attrs={"layer": "concatenate.v1"})


def forward(model: Model, X: Any, is_train: bool) -> tuple[Any, Backprop]:
    input_gradient = model.input_gradient
    pairs = zip(model.layers, inputs_of(model, X), strict=True)
    results = [layer(part, is_train, input_gradient) for layer, part in pairs]
    outputs = [Y for Y, _ in results]
    stops = np.cumsum([data(Y).shape[1] for Y in outputs])[:-1]

    def backprop(dY: Any) -> Any:
        parts = [like(dY, part) for part in np.split(data(dY), stops, axis=1)]
        gradients = [back(part) for (_, back), part in zip(results, parts, strict=True)]
        if not input_gradient:
            return None
        if isinstance(X, dict):
            by_name = {layer.name: dX for layer, dX in zip(model.layers, gradients, strict=True)}
            return {name: by_name[name] for name in X}
        return total(gradients)

    return joined(outputs), backprop


def init(model: Model, X: Any, Y: Any) -> None:
    inputs = inputs_of(model, X)
    for layer, part in zip(model.layers, inputs, strict=True):
        layer.init(part)
    if X is None:
        return
    outputs = {layer.where: layer.predict(part) for layer, part in zip(model.layers, inputs, strict=True)}
    check_outputs(model, outputs)
    check_width(model, joined(list(outputs.values())), Y)


def inputs_of(model: Model, X: Any) -> list[Any]:
    """What each layer gets: X, or of a dict what has the layer's name. ShapeError: a name is missing on a side."""
    if not isinstance(X, dict):
        return [X] * len(model.layers)
    names = [layer.name for layer in model.layers]
    if X.keys() == set(names) and len(X) == len(names):
        return [X[name] for name in names]
    missing, unused = [name for name in names if name not in X], [name for name in X if name not in names]
    wrong = [f"no input is called {name!r}.{nearest(name, unused)}" for name in missing]
    wrong += [f"no layer is called {name!r}, as an input is." for name in unused if not missing]
    wrong = wrong or ["two layers have one name."]
    there = f"The inputs are {', '.join(X)}, the layers {', '.join(names)}"
    raise ShapeError(f"{model.where}: each layer gets the input of its own name, but {' '.join(wrong)} {there}")


def check_outputs(model: Model, outputs: dict[str, Any]) -> None:
    """ShapeError: they are not all rows, nor all ragged rows of the same lengths."""
    kinds = {isinstance(output, Ragged) for output in outputs.values()}
    for name, output in outputs.items():
        if not isinstance(output, np.ndarray | Ragged) or data(output).ndim != 2 or len(kinds) > 1:
            raise ShapeError(f"{model.where}: concatenate joins rows (B, n), {name} gives {describe(output)}")
    first, *others = outputs.values()
    if isinstance(first, Ragged) and not all(np.array_equal(first.lengths, other.lengths) for other in others):
        raise ShapeError(f"{model.where}: concatenate joins ragged rows of the same lengths, its layers give others")


def joined(outputs: Sequence[Array | Ragged]) -> Array | Ragged:
    return like(outputs[0], np.concatenate([data(Y) for Y in outputs], axis=1))


def data(Y: Array | Ragged) -> Array:
    return Y.data if isinstance(Y, Ragged) else Y


def like(Y: Array | Ragged, rows: Array) -> Array | Ragged:
    return Y.like(rows) if isinstance(Y, Ragged) else rows
