"""A model of thinc whose parameters and gradients are the memory of a layer's."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np

from trainer_cli.arrays import Array, Ragged
from trainer_cli.model import Model
from trainer_cli.wrappers.engine import PREFIX, Engine
from trainer_cli.wrappers.ragged_sample import ragged_of, with_more_tokens
from trainer_cli.wrappers.thinc_bytes import fill
from trainer_cli.wrappers.thinc_values import as_ours, as_theirs

# Layers of thinc that begin with a list of arrays, and those that leave numbers as they are.
OF_LISTS = {"list2ragged", "list2array", "list2padded"}
OF_FORM = OF_LISTS | {"ragged2list", "padded2list"}


class ThincEngine(Engine):
    """`per_token`: of ragged rows the module gives one array with an output a token; None: no such array was seen."""

    library = "thinc"

    def __init__(self, module: Any):
        from thinc.backends import NumpyOps

        super().__init__(module)
        self.module._to_ops(NumpyOps(use_blis=False))
        self.takes_lists = first_name(module) in OF_LISTS
        self.per_token: bool | None = None
        # Each parameter: its name in the layer, its node, its name there, and the arrays that both hold.
        self._bound: list[tuple[str, Any, str, Array, Array]] = []
        # Each layer that hashes, and where its seed lies, which a checkpoint may change.
        self._hashing: list[tuple[Any, Array]] = []

    @property
    def name(self) -> str:
        return str(self.module.name)

    def twin(self) -> Self:
        twin = type(self)(self.module.copy())
        twin.per_token, twin.first = self.per_token, self.first
        return twin

    def output(self) -> dict[str, str]:
        """What the module's outputs are to a loss, where thinc's Softmax makes them."""
        end = last(self.module)
        if end.name != "softmax" or "softmax_normalize" not in end.attrs:
            return {}
        return {"output": "softmax" if end.attrs["softmax_normalize"] else "unnormalized"}

    def make(self, model: Model, X: Any, Y: Any, weights: Path | None) -> None:
        """Let the module draw its numbers, unless it has them, and take them over; then those of a file."""
        X, self.first = with_more_tokens(X), None
        given = None if X is None else as_theirs(X, self.takes_lists)
        nodes = paths(self.module)
        with self.failing(model.where, X):
            if any(node.has_param(name) is None for node in nodes.values() for name in node.param_names):
                self.module.initialize(given, Y)
            if weights is not None:
                fill(self.module, weights)
            if (ragged := ragged_of(X)) is not None:
                self.see(self.module.predict(given), X, ragged)
        if self.module.has_dim("nO"):
            model.set_dim("nO", self.module.get_dim("nO"), force=True)
        self.declare(model, nodes)

    def declare(self, model: Model, nodes: dict[str, Any]) -> None:
        """Make the module's parameters the layer's, and the seeds of its layers exact buffers."""
        for held in model.param_names:
            model.set_param(held, None)
        model.param_names, flat = (), list[str]()
        for path, node in nodes.items():
            for key in node.param_names:
                if node.has_param(key):
                    model.set_param(path + key, node.get_param(key))
                    flat += [path + key] if node.get_param(key).ndim < 2 else []
            if isinstance(node.attrs.get("seed"), int):
                model.buffer_names = (*(held for held in model.buffer_names if held != path + "seed"), path + "seed")
                model.exact = model.exact | {path + "seed"}
                model.set_constant(path + "seed", np.array(node.attrs["seed"], np.int64))
        model.no_decay = frozenset(flat)
        self._bound = []

    def see(self, found: Any, X: Any, ragged: Ragged) -> None:
        """Find out whether an array for rows of which some are ragged is of their tokens."""
        if isinstance(found, np.ndarray):
            self.per_token = len(found) == len(ragged.data)
        as_ours(found, X, self.per_token)

    def bind(self, model: Model) -> None:
        """Have the module's parameters and gradients be the layer's arrays, which may have moved."""
        if not (self._bound and all(model.get_param(bound[0]) is bound[3] for bound in self._bound)):
            self.look(model)
        for node, seed in self._hashing:
            node.attrs["seed"] = int(seed)

    def look(self, model: Model) -> None:
        """Find the arrays that belong to the module's parameters and to the seeds of its layers."""
        self._bound, self._hashing = [], []
        for path, node in paths(self.module).items():
            for name in node.param_names:
                if model.has_param(path + name):
                    arrays = model.get_param(path + name), model.get_grad(path + name)
                    node.set_param(name, arrays[0])
                    node.set_grad(name, arrays[1])
                    self._bound.append((path + name, node, name, *arrays))
            if model.has_buffer(path + "seed"):
                self._hashing.append((node, model.get_buffer(path + "seed")))

    def collect(self, model: Model) -> None:
        """Copy what a layer has put in the place of an array of ours, and put that back."""
        for _, node, name, values, gradient in self._bound:
            if (found := node.get_param(name)) is not values:
                values[...] = found
                node.set_param(name, values)
            if not node.has_grad(name):
                gradient.fill(0)
                node.set_grad(name, gradient)
            elif (found := node.get_grad(name)) is not gradient:
                gradient[...] = found
                node.set_grad(name, gradient)


def paths(module: Any) -> dict[str, Any]:
    """Every node with what stands before its parameters' names: `module.relu0.` for the first of several called relu.

    A node whose name is no word, as that of a chain is, is called by its place.
    """
    found: dict[str, Any] = {}
    seen: set[int] = set()

    def visit(node: Any, path: str) -> None:
        if id(node) in seen:
            return
        seen.add(id(node))
        found[path] = node
        names = [layer.name for layer in node.layers]
        for index, layer in enumerate(node.layers):
            word = layer.name if layer.name.isidentifier() else ""
            visit(layer, f"{path}{word}{index if not word or names.count(layer.name) > 1 else ''}.")

    visit(module, PREFIX)
    return found


def first_name(module: Any) -> str:
    while module.layers:
        module = module.layers[0]
    return str(module.name)


def last(module: Any) -> Any:
    """The node whose outputs are the module's, those that only change their form aside."""
    while module.layers and (">>" in module.name or module.name.startswith("with_")):
        module = next((layer for layer in reversed(module.layers) if layer.name not in OF_FORM), module.layers[-1])
    return module
