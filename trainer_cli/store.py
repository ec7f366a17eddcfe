"""The flat arrays that hold every parameter of a model, and every gradient."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainer_cli.arrays import Array, Ints, aligned_zeros
from trainer_cli.buffers import Buffers
from trainer_cli.errors import ModelFileError
from trainer_cli.randomness import Moment, generator, number

if TYPE_CHECKING:
    from trainer_cli.model import Model


@dataclass(frozen=True)
class Segment:
    """Where one parameter lies in the flat arrays. `key` tells it from those of all other models: (node.id, name).

    `sparse`: it is a table, of which an update changes the rows that have a gradient and no others.
    """

    name: str
    start: int
    shape: tuple[int, ...]
    no_decay: bool = False
    key: Hashable = None
    sparse: bool = False

    @property
    def stop(self) -> int:
        return self.start + math.prod(self.shape)


class Store:
    """One model's parameters end to end in `values`, their gradients likewise in `gradients`.

    `segments` says where each parameter lies; names are paths in the config (`hidden.W`). `moment` is where in the
    run the next draw happens. A layer used twice is stored once, under its first path. A `blank` store draws no
    initial numbers: its parameters are zeros until others are loaded.

    `tables` are the sparse parameters. They come last, after `n_dense` numbers of others, and nothing that is done in
    each update goes through all of their rows: `touch` notes those whose gradient is not zero.
    """

    def __init__(self, root: Model, *, seed: int = 0, dtype: type[np.floating] = np.float32, blank: bool = False):
        self.root = root
        self.blank = blank
        self.dtype = np.dtype(dtype)
        self.moment = Moment(seed)
        self.draws: dict[tuple[str, ...], int] = {}
        self.segments: tuple[Segment, ...] = ()
        self.values: Array = np.zeros(0, dtype)
        self.gradients: Array = np.zeros(0, dtype)
        self.n_dense = 0
        self.tables: tuple[Segment, ...] = ()
        self._touched: dict[str, list[Ints]] = {}
        self._in_order: set[str] = set()  # the tables whose touched rows are one part, in order and each once
        self._changed: dict[str, Ints] = {}
        for path, node in walk_paths(root):
            node.join(self, path)
        self.buffers = Buffers(root, self.dtype)

    def pack(self) -> None:
        """Move every parameter and gradient into the flat arrays and give the layers views of them."""
        segments: list[Segment] = []
        start = 0
        params = [(node, name) for node in self.root.walk(order="dfs_pre") for name in node.param_names]
        # Sorting is stable: tables come last, all else as it was.
        params = sorted((p for p in params if p[0].has_param(p[1])), key=lambda p: p[1] in p[0].sparse)
        for node, name in params:
            no_decay, sparse = name in node.no_decay, name in node.sparse
            shape, full_name = node.get_param(name).shape, node.full_name(name)
            segments.append(Segment(full_name, start, shape, no_decay, (node.id, name), sparse))
            start = segments[-1].stop
        values, gradients = aligned_zeros(start, self.dtype), aligned_zeros(start, self.dtype)
        for segment, (node, name) in zip(segments, params, strict=True):
            node.bind(name, view(values, segment), view(gradients, segment))
        self.segments, self.values, self.gradients = tuple(segments), values, gradients
        self.tables = tuple(segment for segment in segments if segment.sparse)
        self.n_dense = self.tables[0].start if self.tables else start
        self._changed = {}
        self.buffers = Buffers(self.root, self.dtype)
        self.look_for_touched()

    # Gradients

    def look_for_touched(self) -> None:
        """Find the rows of tables that have a gradient, after it was written by who did not note them."""
        gradients = {table.name: view(self.gradients, table) for table in self.tables}
        self._touched = {name: [np.flatnonzero(array.any(axis=1))] for name, array in gradients.items()}
        self._in_order = set(gradients)

    @property
    def dense(self) -> Array:
        """The gradients of all parameters but the tables, flat."""
        return self.gradients[: self.n_dense]

    def touch(self, name: str, rows: Ints) -> None:
        """Note that these rows of a table have a gradient; some may be named twice. Other parameters need no note."""
        if name in self._touched:
            self._touched[name].append(rows)
            self._in_order.discard(name)

    def touched(self, name: str) -> Ints:
        """The rows of a table that have a gradient, in order."""
        if name not in self._in_order:
            self._touched[name] = [in_order(np.concatenate([np.zeros(0, np.int64), *self._touched[name]]))]
            self._in_order.add(name)
        return self._touched[name][0]

    def take_rows(self, name: str) -> tuple[Ints, Array]:
        """The rows of a table that have a gradient, and that; it is zero afterwards."""
        rows = self.touched(name)
        found = view(self.gradients, self.table(name)).take(rows, axis=0)
        self._clear_rows(name)
        return rows, found

    def put_rows(self, name: str, rows: Ints, gradient: Array) -> None:
        """Give different rows of a table, in order, this gradient; it has none so far."""
        view(self.gradients, self.table(name))[rows] = gradient
        self._touched[name] = [rows]
        self._in_order.add(name)

    def table(self, name: str) -> Segment:
        return next(segment for segment in self.tables if segment.name == name)

    def clear_gradients(self, *, dense: bool = True) -> None:
        """Set all gradients to zero, those of tables where they are not. Without `dense`, others are so already."""
        if dense:
            self.dense.fill(0)
        for table in self.tables:
            self._changed[table.name] = self.touched(table.name)
            self._clear_rows(table.name)

    def _clear_rows(self, name: str) -> None:
        view(self.gradients, self.table(name))[self.touched(name)] = 0
        self._touched[name] = []
        self._in_order.discard(name)

    def is_current(self) -> bool:
        """Whether every layer still holds views of these arrays: nesting a model in another moves them."""
        n_params = n_buffers = 0
        for node in self.root.walk():
            if node.store_or_none is not self:
                return False
            n_params += sum(node.has_param(name) is True for name in node.param_names)
            n_buffers += sum(map(node.has_buffer, node.buffer_names))
        return (n_params, n_buffers) == (len(self.segments), len(self.buffers))

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

    def learnt(self) -> dict[str, Array]:
        """Views of all that predicts, by name: parameters and buffers."""
        return self.named(self.values) | self.buffers.named()

    def load_learnt(self, arrays: dict[str, Array]) -> None:
        """Copy named arrays into the parameters and buffers, whose names and shapes they must have."""
        buffers = {name: arrays[name] for name in self.buffers.named() if name in arrays}
        self.load({name: array for name, array in arrays.items() if name not in buffers}, self.values)
        self.buffers.load(buffers)

    def first_not_finite(self, flat: Array) -> str:
        """The name of the first parameter with a NaN or infinity in `flat`, or an empty text."""
        if is_finite(flat):
            return ""
        return next(name for name, array in self.named(flat).items() if not np.isfinite(array).all())

    def first_changed_to_not_finite(self) -> str:
        """The same of the values, where rows of tables that the last update left as they were are not looked at."""
        if not is_finite(self.values[: self.n_dense]):
            return self.first_not_finite(self.values)
        changed = ((table, self._changed.get(table.name, ())) for table in self.tables)
        bad = next((t.name for t, rows in changed if not np.isfinite(view(self.values, t)[rows]).all()), "")
        return bad or self.buffers.first_not_finite()

    @property
    def changed(self) -> Mapping[str, Ints]:
        """The rows of each table that the last update has changed, in order."""
        return {table.name: self._changed.get(table.name, np.zeros(0, np.int64)) for table in self.tables}

    @contextmanager
    def one_pass(self) -> Iterator[None]:
        """Within the block is a forward pass of an update: draws are counted anew, and after it comes the next
        micro-batch."""
        self.draws.clear()
        yield
        at = self.moment
        self.moment = Moment(at.seed, at.step, at.micro + 1)

    def generator(self, path: str, *keys: str) -> np.random.Generator:
        """The stream of one draw: from the moment, the layer's path, and how often it drew in this forward pass."""
        return generator(self.moment.seed, *self.draw_keys(path, *keys))

    def number(self, path: str, *keys: str) -> int:
        """The same for who brings a generator: 64 bits to seed it with."""
        return number(self.moment.seed, *self.draw_keys(path, *keys), n_bytes=8)

    def draw_keys(self, path: str, *keys: str) -> tuple[str | int, ...]:
        """What tells one draw from all others of a run; each call is the next one."""
        drawn = (path, *keys)
        n = self.draws.get(drawn, 0)
        self.draws[drawn] = n + 1
        return (*keys, self.moment.step, self.moment.micro, path, n)


def in_order(rows: Ints) -> Ints:
    """The different ones of some rows, in order (several times faster than `np.unique`)."""
    rows = np.sort(rows)
    return rows[np.append(True, rows[1:] != rows[:-1])] if len(rows) else rows


def is_finite(flat: Array) -> bool:
    """Whether all numbers of a flat array are finite."""
    # The sum of squares makes no temporary array; only where it overflows, of which `vdot` does not warn, is each
    # number looked at.
    return math.isfinite(np.vdot(flat, flat)) or bool(np.isfinite(flat).all())


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
