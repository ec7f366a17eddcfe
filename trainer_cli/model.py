"""A model: a function with parameters that can tell how its output's gradient flows back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from trainer_cli import tensors
from trainer_cli.arrays import Array, Ragged
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.initializers import Initializer
from trainer_cli.ops import Ops
from trainer_cli.randomness import generator
from trainer_cli.store import Store

if TYPE_CHECKING:
    from trainer_cli.optimizers.optimizer import Optimizer

Backprop = Callable[[Any], Any]
Forward = Callable[["Model", Any, bool], tuple[Any, Backprop]]
Init = Callable[["Model", Any, Any], None]


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
        if value is not held:  # `+=` assigns the array it has just changed
            held[...] = value


class Model:
    """A layer, or a combination of layers, with thinc's vocabulary.

    `forward(model, X, is_train)` returns the output and a callback from the output's gradient to the input's, which
    adds the parameters' gradients to `model.grad` on its way. `init(model, X, Y)` sets the sizes that were left out
    and draws the parameters. `params` names the parameters, `dims` the sizes (None: to be inferred), `no_decay` the
    parameters that weight decay leaves alone. `takes` says in words what inputs a layer accepts.
    """

    def __init__(
        self,
        name: str,
        forward: Forward,
        *,
        init: Init | None = None,
        dims: Mapping[str, int | None] | None = None,
        params: Sequence[str] = (),
        no_decay: Sequence[str] = (),
        layers: Sequence[Model] = (),
        attrs: Mapping[str, Any] | None = None,
        ops: Ops | None = None,
    ):
        self.name = name
        self.path = ""
        self.layers = list(layers)
        self.attrs = dict(attrs or {})
        self.param_names = tuple(params)
        self.no_decay = frozenset(no_decay)
        self.input_gradient = True
        self.ops = ops or Ops()
        self._forward = forward
        self._init = init
        self._dims = dict(dims or {})
        self._params: dict[str, Array] = {}
        self._grads: dict[str, Array] = {}
        self.grad = Gradients(self._grads)
        self._store: Store | None = None

    def __getattr__(self, name: str) -> Array:
        params: dict[str, Array] = self.__dict__.get("_params", {})
        if name in params:
            return params[name]
        raise AttributeError(f"{self.__dict__.get('name', 'model')} has no attribute or parameter {name!r}")

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}={size}" for name, size in self._dims.items())
        return f"Model({self.name}{': ' if sizes else ''}{sizes})"

    # Running

    def __call__(self, X: Any, is_train: bool, input_gradient: bool = True) -> tuple[Any, Backprop]:
        """Outputs and the callback for their gradient. Without `input_gradient` the callback may return None."""
        self.input_gradient = input_gradient
        return self._forward(self, X, is_train)

    def begin_update(self, X: Any, input_gradient: bool = True) -> tuple[Any, Backprop]:
        """Outputs for training, and the callback that takes their gradient and adds up the parameters' gradients."""
        store = self._store
        if store is None or store.root is not self:
            return self(X, True, input_gradient)
        store.draws.clear()
        outputs = self(X, True, input_gradient)
        store.moment = replace(store.moment, micro=store.moment.micro + 1)
        return outputs

    def predict(self, X: Any) -> Any:
        """Outputs without what belongs to training (dropout)."""
        return self(X, False)[0]

    def finish_update(self, optimizer: Optimizer) -> None:
        """Change the parameters by their gradients, and set the gradients to zero."""
        store = self.store
        optimizer.update(store, self.ops)
        store.moment = replace(store.moment, step=store.moment.step + 1, micro=0)

    def random(self, purpose: str) -> np.random.Generator:
        """The only source of random numbers in a forward pass: see `Store.generator`."""
        assert self._store is not None, "initialize comes before training"
        return self._store.generator(self.path, purpose)

    # Setting up

    def initialize(
        self,
        X: Any = None,
        Y: Any = None,
        *,
        seed: int = 0,
        dtype: type[np.floating] = np.float32,
        blank: bool = False,
    ) -> Self:
        """Infer the sizes left out from a sample, draw the parameters, and pack them into one store.

        Each parameter's numbers come from (seed, "init", its name) alone; with `blank` they are zeros, to be loaded.
        ShapeError: a size given contradicts the sample, or one left out cannot be inferred.
        """
        store = Store(self, seed=seed, dtype=dtype, blank=blank)
        self.init(X, Y)
        store.pack()
        return self

    def init(self, X: Any = None, Y: Any = None) -> None:
        """Infer sizes and draw parameters, as a part of the initialisation of the whole model."""
        if self._init is not None:
            self._init(self, X, Y)

    def draw(self, name: str, initializer: Initializer, shape: tuple[int, ...]) -> None:
        """Set the parameter `name` to numbers drawn by `initializer` from the run's seed and the parameter's name."""
        assert self._store is not None
        if self._store.blank:
            self._params[name] = np.zeros(shape, self._store.dtype)
        else:
            stream = generator(self._store.moment.seed, "init", self.full_name(name))
            array = initializer(self.ops, shape, generator=stream)
            self._params[name] = np.ascontiguousarray(array, self._store.dtype)
        self._grads[name] = np.zeros(shape, self._store.dtype)

    @property
    def store(self) -> Store:
        """The flat arrays of this model as a whole; packed anew where layers have moved since."""
        if self._store is None or self._store.root is not self or not self._store.is_current():
            moment = self._store.moment if self._store is not None else None
            dtype = self._store.dtype.type if self._store is not None else np.float32
            store = Store(self, dtype=dtype)
            store.moment = moment or store.moment
            store.pack()
        assert self._store is not None
        return self._store

    @property
    def store_or_none(self) -> Store | None:
        return self._store

    def join(self, store: Store, path: str) -> None:
        self._store = store
        self.path = path

    def bind(self, name: str, value: Array, gradient: Array) -> None:
        """Copy a parameter and its gradient into these places, and hold the places from now on."""
        value[...] = self._params[name]
        gradient[...] = self._grads[name]
        self._params[name] = value
        self._grads[name] = gradient

    def use_ops(self, ops: Ops) -> Self:
        for node in self.walk():
            node.ops = ops
        return self

    def named(self, name: str) -> Self:
        self.name = name
        return self

    # Looking

    def walk(self) -> Iterator[Model]:
        """This model and every layer in it, each once, parents first."""
        seen: set[int] = set()
        stack: list[Model] = [self]
        while stack:
            node = stack.pop()
            if id(node) not in seen:
                seen.add(id(node))
                yield node
                stack.extend(reversed(node.layers))

    def full_name(self, param: str) -> str:
        return f"{self.path}.{param}" if self.path else param

    def has_param(self, name: str) -> bool:
        return name in self._params

    def get_param(self, name: str) -> Array:
        if name not in self._params:
            state = "is not set yet: call initialize first" if name in self.param_names else "does not exist"
            raise ArgumentError(f"{self.name}: the parameter {name!r} {state}")
        return self._params[name]

    def set_param(self, name: str, value: Array) -> None:
        held = self.get_param(name)
        if held.shape != np.shape(value):
            raise ShapeError(f"{self.full_name(name)}: has shape {held.shape}, got {np.shape(value)}")
        held[...] = value

    def get_grad(self, name: str) -> Array:
        self.get_param(name)
        return self._grads[name]

    def has_dim(self, name: str) -> bool | None:
        """True: the size is set; None: it is to be inferred; False: there is no such size."""
        if name not in self._dims:
            return False
        return True if self._dims[name] is not None else None

    def get_dim(self, name: str) -> int:
        size = self._dims.get(name)
        if size is None:
            if name in self._dims:
                raise ArgumentError(f"{self.where}: {name} is not given and cannot be inferred here: set {name}")
            raise ArgumentError(f"{self.where}: has no size {name!r}; its sizes are {sorted(self._dims)}")
        return size

    def set_dim(self, name: str, size: int) -> None:
        if name not in self._dims:
            raise ArgumentError(f"{self.where}: has no size {name!r}; its sizes are {sorted(self._dims)}")
        held = self._dims[name]
        if held is not None and held != size:
            raise ShapeError(f"{self.where}: {name} = {held} contradicts the data, which need {name} = {size}")
        self._dims[name] = size

    @property
    def where(self) -> str:
        """The layer as errors name it: its path, and what it is."""
        return self.path or self.name

    # Keeping

    @contextmanager
    def use_params(self, params: Mapping[str, Array]) -> Iterator[None]:
        """Within the block, predict with these parameters (by full name; those left out stay), for example averages."""
        store = self.store
        kept = store.values.copy()
        try:
            for name, place in store.named(store.values).items():
                if name in params:
                    place[...] = params[name]
            yield
        finally:
            store.values[...] = kept

    def copy(self) -> Model:
        """The same model with parameters of its own."""
        copies: dict[int, Model] = {}
        twin = _copy(self, copies)
        if self._store is not None:
            store = Store(twin, dtype=self._store.dtype.type)
            store.moment = self._store.moment
            store.pack()
        return twin

    def to_bytes(self) -> bytes:
        """The parameters by name, in the safetensors format."""
        store = self.store
        return tensors.to_bytes(store.named(store.values))

    def from_bytes(self, data: bytes) -> Self:
        """Take over parameters written by `to_bytes`. ModelFileError: they are another model's, or damaged."""
        store = self.store
        store.load(tensors.from_bytes(data), store.values)
        return self


def _copy(node: Model, copies: dict[int, Model]) -> Model:
    if id(node) in copies:
        return copies[id(node)]
    twin = copies[id(node)] = Model(
        node.name,
        node._forward,
        init=node._init,
        dims=node._dims,
        params=node.param_names,
        no_decay=tuple(node.no_decay),
        attrs=node.attrs,
        ops=node.ops,
    )
    twin._params.update({name: array.copy() for name, array in node._params.items()})
    twin._grads.update({name: array.copy() for name, array in node._grads.items()})
    twin.layers = [_copy(layer, copies) for layer in node.layers]
    return twin


def trace(model: Model, X: Any) -> dict[int, Any]:
    """The output of each layer, by the layer's id, when the model predicts X."""
    outputs: dict[int, Any] = {}
    forwards = {id(node): node._forward for node in model.walk()}

    def watched(node: Model, X: Any, is_train: bool) -> tuple[Any, Backprop]:
        found = forwards[id(node)](node, X, is_train)
        outputs[id(node)] = found[0]
        return found

    try:
        for node in model.walk():
            node._forward = watched
        model.predict(X)
    finally:
        for node in model.walk():
            node._forward = forwards[id(node)]
    return outputs


def width(x: Any) -> int:
    """How wide the rows of `x` are: the last axis, or for integer labels (B,) the number of classes, max + 1."""
    if isinstance(x, Ragged):
        return width(x.data)
    if x.ndim >= 2:
        return int(x.shape[-1])
    if np.issubdtype(x.dtype, np.integer):
        return int(x.max()) + 1 if x.size else 0
    return 1


def n_params(models: Iterable[Model]) -> int:
    return sum(node.get_param(name).size for node in models for name in node.param_names if node.has_param(name))
