"""Write the numbers that tests/layers compares with, computed by Thinc 8.1.7 from inputs that are stored beside them.

Run in an environment of its own (Python 3.11, thinc==8.1.7, numpy<1.25): `python scripts/make_layer_reference.py`.
The tests read the file; they need no Thinc.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
thinc = importlib.import_module("thinc.api")
FILE = Path(__file__).parent.parent / "tests" / "layers" / "reference" / "layers.json"
B, WIDTH = 4, 3

LAYERS: list[tuple[str, dict[str, Any]]] = [
    ("Linear", {"nO": 2}),
    ("Relu", {"nO": 2}),
    ("Relu", {"nO": 4, "normalize": True}),
    ("Gelu", {"nO": 2}),
    ("Swish", {"nO": 2}),
    ("Sigmoid", {"nO": 2}),
    ("Maxout", {"nO": 2}),
    ("Maxout", {"nO": 3, "nP": 2, "normalize": True}),
    ("Softmax", {"nO": 4}),
    ("LayerNorm", {}),
]


def reference(name: str, arguments: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """One layer's parameters, inputs, outputs and gradients, in the order in which Thinc walks."""
    model = getattr(thinc, name)(**arguments)
    X = normal(rng, (B, WIDTH))
    model.initialize(X=X)
    nodes = [(node, param) for node in model.walk() for param in node.param_names]
    for node, param in nodes:
        node.set_param(param, normal(rng, node.get_param(param).shape))
    Y, backprop = model.begin_update(X)
    dY = normal(rng, Y.shape)
    dX = backprop(dY)
    return {
        "layer": f"{name}.v1",
        "arguments": arguments,
        "X": X.tolist(),
        "params": [node.get_param(param).tolist() for node, param in nodes],
        "Y": Y.tolist(),
        "dY": dY.tolist(),
        "dX": dX.tolist(),
        "gradients": [node.get_grad(param).tolist() for node, param in nodes],
    }


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.normal(size=shape).astype(np.float32)


def main() -> None:
    rng = np.random.default_rng(0)
    cases = [reference(name, arguments, rng) for name, arguments in LAYERS]
    lines = ",\n".join(json.dumps(case) for case in cases)
    FILE.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
