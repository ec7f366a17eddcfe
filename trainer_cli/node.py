"""What a layer is made of: its place in a tree, its sizes, its parameters and their gradients."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Self

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError, MissingError, ShapeError

# Names, or names with what is known of their values.
Params = Sequence[str] | Mapping[str, Array | None]

ORDERS = ("bfs", "dfs_pre", "dfs_post")


class Gradients:
    """The gradients of one layer's parameters by name: `model.grad.W += ...`."""

    def __init__(self, arrays: dict[str, Array]):
        object.__setattr__(self, "_arrays", arrays)

    def __getattr__(self, name: str) -> Array:
        arrays: dict[str, Array] = object.__getattribute__(self, "_arrays")
        try:
            return arrays[name]
        except KeyError:
            raise AttributeError(f"no gradient is called {name!r}; there are {sorted(arrays)}") from None

    def __setattr__(self, name: str, value: Array) -> None:
        held = getattr(self, name)
        if value is held:  # `+=` assigns the array it has just changed
            return
        if np.ndim(value) and np.shape(value) != held.shape:
            raise ShapeError(f"the gradient of {name} has shape {held.shape}, got {np.shape(value)}")
        held[...] = value


class Node:
    """A layer in a tree of layers, with named sizes, parameters, and a gradient for each parameter.

    A size or parameter may be declared without a value yet. `id` is another number for every node of the process.
    """

    _ids = itertools.count(1)

    def __init__(
        self,
        name: str,
        dims: Mapping[str, int | None],
        params: Params,
        layers: Sequence[Self],
        buffers: Sequence[str] = (),
        exact: Sequence[str] = (),
    ):
        self.id = next(self._ids)
        self.name = name
        self.path = ""
        self.layers = list(layers)
        self.param_names = tuple(params)
        self.dtype: np.dtype[np.generic] = np.dtype(np.float32)
        self._dims = dict(dims)
        self._params: dict[str, Array] = {}
        self._grads: dict[str, Array] = {}
        self.grad = Gradients(self._grads)
        self.buffer_names = tuple(buffers)
        self.exact = frozenset(exact)
        self._buffers: dict[str, tuple[Array, Array]] = {}
        if isinstance(params, Mapping):
            for param, value in params.items():
                self.set_param(param, value)

    def __getattr__(self, name: str) -> Array:
        params: dict[str, Array] = self.__dict__.get("_params", {})
        if name in params:
            return params[name]
        raise AttributeError(f"{self.__dict__.get('name', 'model')} has no attribute or parameter {name!r}")

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}={size}" for name, size in self._dims.items())
        return f"{type(self).__name__}({self.name}{': ' if sizes else ''}{sizes})"

    # The tree

    def walk(self, *, order: str = "bfs") -> Iterator[Self]:
        """This layer and every one in it, each once: level by level ("bfs"), or by branches, a parent before its
        layers ("dfs_pre", the order of the parameters in the store) or after them ("dfs_post").
        """
        if order not in ORDERS:
            raise ArgumentError(f"Invalid order {order!r}: walk takes one of {', '.join(ORDERS)}")
        return self._walk_levels() if order == "bfs" else self._walk_branches({id(self)}, order)

    def _walk_levels(self) -> Iterator[Self]:
        queue = [self]
        seen = {id(self)}
        for node in queue:
            yield node
            new = {id(layer): layer for layer in node.layers if id(layer) not in seen}
            seen |= new.keys()
            queue.extend(new.values())

    def _walk_branches(self, seen: set[int], order: str) -> Iterator[Self]:
        if order == "dfs_pre":
            yield self
        for layer in self.layers:
            if id(layer) not in seen:
                seen.add(id(layer))
                yield from layer._walk_branches(seen, order)
        if order == "dfs_post":
            yield self

    @property
    def where(self) -> str:
        """The layer as errors name it: its path, or else what it is."""
        return self.path or self.name

    def full_name(self, param: str) -> str:
        return f"{self.path}.{param}" if self.path else param

    def named(self, name: str) -> Self:
        self.name = name
        return self

    # Parameters and gradients

    @property
    def grad_names(self) -> tuple[str, ...]:
        """The parameters that have a gradient."""
        return tuple(name for name in self.param_names if self.has_grad(name))

    def has_param(self, name: str) -> bool | None:
        """True: the parameter is set; None: it will be by `initialize`; False: there is none of this name."""
        if name in self._params:
            return True
        return None if name in self.param_names else False

    def get_param(self, name: str) -> Array:
        if name not in self._params:
            state = "is not set yet: call initialize first" if name in self.param_names else "does not exist"
            raise MissingError(f"{self.name}: the parameter {name!r} {state}")
        return self._params[name]

    def maybe_get_param(self, name: str) -> Array | None:
        return self._params.get(name)

    def set_param(self, name: str, value: Array | None) -> None:
        """Copy numbers into a parameter, or add one. None: declare it without a value, or take its value away.

        ShapeError: the parameter is set and has another shape.
        """
        if name not in self.param_names:
            self.param_names = (*self.param_names, name)
        if value is None:
            self._params.pop(name, None)
            self._grads.pop(name, None)
        elif name in self._params:
            self._copy(name, value, self._params[name])
        else:
            self._params[name] = np.array(value, self.dtype, order="C")
            self._grads[name] = np.zeros(self._params[name].shape, self.dtype)

    def has_grad(self, name: str) -> bool:
        """Whether the parameter has a gradient that is not zero."""
        return name in self._grads and bool(self._grads[name].any())

    def get_grad(self, name: str) -> Array:
        self.get_param(name)
        return self._grads[name]

    def maybe_get_grad(self, name: str) -> Array | None:
        return self._grads[name] if self.has_grad(name) else None

    def set_grad(self, name: str, value: Array) -> None:
        self._copy(name, value, self.get_grad(name))

    def inc_grad(self, name: str, value: Array) -> None:
        """Add to a gradient. ShapeError: it has another shape."""
        held = self.get_grad(name)
        self._copy(name, held + value if held.shape == np.shape(value) else value, held)

    def _copy(self, name: str, value: Array, place: Array) -> None:
        if place.shape != np.shape(value):
            raise ShapeError(f"{self.full_name(name)}: has shape {place.shape}, got {np.shape(value)}")
        place[...] = value

    def bind(self, name: str, value: Array, gradient: Array) -> None:
        """Copy a parameter and its gradient into these places, and hold the places from now on."""
        value[...] = self._params[name]
        gradient[...] = self._grads[name]
        self._params[name] = value
        self._grads[name] = gradient

    # Buffers

    def has_buffer(self, name: str) -> bool:
        return name in self._buffers

    def set_buffer(self, name: str, value: Array) -> None:
        """Give a buffer its first numbers, or others."""
        if name not in self.buffer_names:
            raise MissingError(f"{self.where}: has no buffer {name!r}; its buffers are {sorted(self.buffer_names)}")
        dtype = np.asarray(value).dtype if name in self.exact else self.dtype
        for array in self._buffers.setdefault(name, two_of(value, dtype)):
            self._copy(name, value, array)

    def set_constant(self, name: str, value: Array) -> None:
        """Make an exact buffer one array, this one, which training leaves as it is."""
        self._buffers[name] = (value, value)

    def get_buffer(self, name: str) -> Array:
        """The numbers that predict."""
        return self._buffer(name)[0]

    def fresh_buffer(self, name: str) -> Array:
        """The numbers that training changes, in place; they predict after the next update."""
        return self._buffer(name)[1]

    def _buffer(self, name: str) -> tuple[Array, Array]:
        if name not in self._buffers:
            state = "is not set yet: call initialize first" if name in self.buffer_names else "does not exist"
            raise MissingError(f"{self.name}: the buffer {name!r} {state}")
        return self._buffers[name]

    def bind_buffer(self, name: str, value: Array, fresh: Array) -> None:
        """Copy a buffer into these places, and hold the places from now on."""
        value[...], fresh[...] = self._buffers[name]
        self._buffers[name] = (value, fresh)

    # Sizes

    @property
    def dim_names(self) -> tuple[str, ...]:
        return tuple(self._dims)

    def has_dim(self, name: str) -> bool | None:
        """True: the size is set; None: it is to be inferred; False: there is no such size."""
        if name not in self._dims:
            return False
        return True if self._dims[name] is not None else None

    def get_dim(self, name: str) -> int:
        size = self._dims[self._known(name)]
        if size is None:
            raise ArgumentError(f"{self.where}: {name} is not given and cannot be inferred here: set {name}")
        return size

    def maybe_get_dim(self, name: str) -> int | None:
        return self._dims.get(name)

    def set_dim(self, name: str, size: int, *, force: bool = False) -> None:
        """Set a size. ShapeError: it has another value (with `force`: and a parameter is set already)."""
        held = self._dims[self._known(name)]
        if held is not None and held != size and (self._params or not force):
            raise ShapeError(f"{self.where}: {name} = {held} contradicts the data, which need {name} = {size}")
        self._dims[name] = size

    def _known(self, name: str) -> str:
        if name not in self._dims:
            raise MissingError(f"{self.where}: has no size {name!r}; its sizes are {sorted(self._dims)}")
        return name


def two_of(value: Array, dtype: np.dtype[np.generic]) -> tuple[Array, Array]:
    return np.array(value, dtype, order="C"), np.array(value, dtype, order="C")
