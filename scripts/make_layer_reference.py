"""Write the numbers that the tests compare with, computed by Thinc 8.1.7 from inputs that are stored beside them.

Run in an environment of its own (Python 3.11, thinc==8.1.7, numpy<1.25): `python scripts/make_layer_reference.py`.
The tests read the file; they need no Thinc.
"""

from __future__ import annotations

import importlib
import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
thinc = importlib.import_module("thinc.api")
FOLDER = Path(__file__).parent.parent / "tests" / "reference"
B, WIDTH = 4, 3

LAYERS: list[tuple[str, dict[str, Any]]] = [
    ("Linear.v1", {"nO": 2}),
    ("Relu.v1", {"nO": 2}),
    ("Relu.v1", {"nO": 4, "normalize": True}),
    ("Gelu.v1", {"nO": 2}),
    ("Swish.v1", {"nO": 2}),
    ("Sigmoid.v1", {"nO": 2}),
    ("Maxout.v1", {"nO": 2}),
    ("Maxout.v1", {"nO": 3, "nP": 2, "normalize": True}),
    ("Softmax.v1", {"nO": 4}),
    ("LayerNorm.v1", {}),
    ("Mish.v1", {"nO": 4, "normalize": True}),
    ("Mish.v1", {"nO": 9}),
    ("Dish.v1", {"nO": 9}),
    ("HardSwish.v1", {"nO": 9}),
    ("HardSwish.v1", {"nO": 4, "normalize": True}),
    ("HardSwishMobilenet.v1", {"nO": 9}),
    ("HardSigmoid.v1", {"nO": 9}),
    ("HardTanh.v1", {"nO": 9}),
    ("ReluK.v1", {"nO": 9}),
    ("ReluK.v1", {"nO": 9, "k": 0.5}),
    ("ClippedLinear.v1", {"nO": 9}),
    ("ClippedLinear.v1", {"nO": 9, "slope": 0.7, "offset": -0.3, "min_val": -0.5, "max_val": 0.9}),
    ("Softmax.v2", {"nO": 4}),
    ("Softmax.v2", {"nO": 4, "temperature": 2.5}),
    ("Softmax.v2", {"nO": 4, "temperature": 0.3, "normalize_outputs": False}),
    ("softmax_activation.v1", {}),
    ("sigmoid_activation.v1", {}),
    ("Logistic.v1", {}),
]


def reference(name: str, arguments: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """One layer's parameters, inputs, outputs and gradients, in the order in which Thinc walks."""
    model = thinc.registry.layers.get(name)(**arguments)
    X = normal(rng, (B, WIDTH))
    model.initialize(X=X)
    nodes = [(node, param) for node in model.walk() for param in node.param_names]
    for node, param in nodes:
        node.set_param(param, normal(rng, node.get_param(param).shape))
    Y, backprop = model.begin_update(X)
    dY = normal(rng, Y.shape)
    dX = backprop(dY) if name != "Dish.v1" else backprop_dish(model, X, dY)
    return {
        "layer": name,
        "arguments": arguments,
        "X": X.tolist(),
        "params": [node.get_param(param).tolist() for node, param in nodes],
        "Y": Y.tolist(),
        "predicted": model.predict(X).tolist(),
        "dY": dY.tolist(),
        "dX": dX.tolist(),
        "gradients": [node.get_grad(param).tolist() for node, param in nodes],
    }


def backprop_dish(model: Any, X: Array, dY: Array) -> Array:
    """The layer's backprop takes the slope of the activation at X and fails where nO is not nI; its op is right."""
    W, b = model.get_param("W"), model.get_param("b")
    dZ = model.ops.backprop_dish(dY, X @ W.T + b)
    model.inc_grad("W", dZ.T @ X)
    model.inc_grad("b", dZ.sum(axis=0))
    dX: Array = dZ @ W
    return dX


def arguments_of(name: str) -> list[tuple[str, bool, Any]]:
    """Each argument's name, whether it is given by name alone, and its default."""
    parameters = inspect.signature(thinc.registry.layers.get(name)).parameters.values()
    return [(each.name, each.kind == each.KEYWORD_ONLY, each.default) for each in parameters]


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.normal(size=shape).astype(np.float32)


def main() -> None:
    rng = np.random.default_rng(0)
    cases = [reference(name, arguments, rng) for name, arguments in LAYERS]
    lines = ",\n".join(json.dumps(case) for case in cases)
    (FOLDER / "layers.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    names = dict.fromkeys(name for name, _ in LAYERS)
    rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(arguments_of(name))}" for name in names)
    (FOLDER / "layer_arguments.json").write_text(f"{{\n{rows}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
