"""The flat arrays that hold every parameter of a model, and every gradient."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ModelFileError
from trainer_cli.randomness import Moment, generator

if TYPE_CHECKING:
    from trainer_cli.model import Model


@dataclass(frozen=True)
class Segment:
    """Where one parameter lies in the flat arrays. `key` tells it from those of all other models: (node.id, name)."""

    name: str
    start: int
    shape: tuple[int, ...]
    no_decay: bool = False
    key: Hashable = None

    @property
    def stop(self) -> int:
        return self.start + math.prod(self.shape)


class Store:
    """One model's parameters end to end in `values`, their gradients likewise in `gradients`.

    `segments` says where each parameter lies; names are paths in the config (`hidden.W`). `moment` is where in the
    run the next draw happens. A layer used twice is stored once, under its first path. A `blank` store draws no
    initial numbers: its parameters are zeros until others are loaded.
    """

    def __init__(self, root: Model, *, seed: int = 0, dtype: type[np.floating] = np.float32, blank: bool = False):
        self.root = root
        self.blank = blank
        self.dtype = np.dtype(dtype)
        self.moment = Moment(seed)
        self.draws: Counter[tuple[str, ...]] = Counter()
        self.segments: tuple[Segment, ...] = ()
        self.values: Array = np.zeros(0, dtype)
        self.gradients: Array = np.zeros(0, dtype)
        for path, node in walk_paths(root):
            node.join(self, path)

    def pack(self) -> None:
        """Move every parameter and gradient into the flat arrays and give the layers views of them."""
        segments, start = [], 0
        nodes = {}
        for node in self.root.walk(order="dfs_pre"):
            for name in node.param_names:
                if node.has_param(name):
                    shape, full_name = node.get_param(name).shape, node.full_name(name)
                    segment = Segment(full_name, start, shape, name in node.no_decay, (node.id, name))
                    segments.append(segment)
                    nodes[segment.name] = (node, name)
                    start = segment.stop
        values, gradients = np.zeros(start, self.dtype), np.zeros(start, self.dtype)
        for segment in segments:
            node, name = nodes[segment.name]
            node.bind(name, view(values, segment), view(gradients, segment))
        self.segments, self.values, self.gradients = tuple(segments), values, gradients

    def is_current(self) -> bool:
        """Whether every layer still holds views of these arrays: nesting a model in another moves them."""
        n_params = 0
        for node in self.root.walk():
            if node.store_or_none is not self:
                return False
            n_params += sum(node.has_param(name) is True for name in node.param_names)
        return n_params == len(self.segments)

    def named(self, flat: Array) -> dict[str, Array]:
        """Views of the parameters' places in `flat`, an array shaped like `values`, by name."""
        return {segment.name: view(flat, segment) for segment in self.segments}

    def load(self, arrays: dict[str, Array], flat: Array) -> None:
        """Copy named arrays into `flat`. Names and shapes must be those of the segments."""
        places = self.named(flat)
        for name in places.keys() ^ arrays.keys():
            raise ModelFileError(f"{name}: {'is missing' if name in places else 'belongs to no layer of this model'}")
        for name, place in places.items():
            if place.shape != arrays[name].shape:
                raise ModelFileError(f"{name}: has shape {arrays[name].shape}, the model needs {place.shape}")
            place[...] = arrays[name]

    def first_not_finite(self, flat: Array) -> str:
        """The name of the first parameter with a NaN or infinity in `flat`, or an empty text."""
        # The sum of squares makes no temporary array; only where it overflows is each number looked at.
        with np.errstate(over="ignore", invalid="ignore"):
            if math.isfinite(np.dot(flat, flat)) or np.isfinite(flat).all():
                return ""
        return next(name for name, array in self.named(flat).items() if not np.isfinite(array).all())

    def generator(self, path: str, *keys: str) -> np.random.Generator:
        """The stream of one draw: from the moment, the layer's path, and how often it drew in this forward pass."""
        n = self.draws[(path, *keys)]
        self.draws[(path, *keys)] += 1
        return generator(self.moment.seed, *keys, self.moment.step, self.moment.micro, path, n)


def view(flat: Array, segment: Segment) -> Array:
    return flat[segment.start : segment.stop].reshape(segment.shape)


def walk_paths(root: Model) -> Iterator[tuple[str, Model]]:
    """Each layer once with its path: the names from the root down, siblings of one name told apart by position."""
    seen: set[int] = set()

    def visit(node: Model, path: str) -> Iterator[tuple[str, Model]]:
        if id(node) in seen:
            return
        seen.add(id(node))
        yield path, node
        distinct = {id(layer): layer.name for layer in node.layers}
        repeated = {name for name, n in Counter(distinct.values()).items() if n > 1}
        for index, layer in enumerate(node.layers):
            key = f"{layer.name}{index}" if layer.name in repeated else layer.name
            yield from visit(layer, f"{path}.{key}" if path else key)

    return visit(root, "")
