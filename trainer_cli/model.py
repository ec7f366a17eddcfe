"""A model: a function with parameters that can tell how its output's gradient flows back."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

import numpy as np

from trainer_cli import tensors
from trainer_cli.arrays import Array, Ints, Ragged
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.initializers import Initializer
from trainer_cli.node import Node, Params
from trainer_cli.ops import Ops
from trainer_cli.optimizers.updater import Updater
from trainer_cli.randomness import Moment, generator
from trainer_cli.store import Store, view

Backprop = Callable[[Any], Any]
Forward = Callable[["Model", Any, bool], tuple[Any, Backprop]]
Init = Callable[["Model", Any, Any], None]
# What a model's bytes have beside its parameters.
MOMENT = "__moment__"
# A parameter in training: its numbers and gradient, two moments, its average.
COPIES = 5
# What changes one parameter: from its key, its numbers and its gradient to both anew.
Change = Callable[[Hashable, Array, Array], tuple[Array, Array]]


class Model(Node):
    """A layer, or a combination of layers, with thinc's vocabulary.

    `forward(model, X, is_train)` returns the output and a callback from the output's gradient to the input's, which
    adds the parameters' gradients to `model.grad` on its way. `init(model, X, Y)` sets the sizes that were left out
    and draws the parameters. `params` names the parameters (a dict may give them values), `dims` the sizes (None: to be
    inferred), `no_decay` the parameters that weight decay leaves alone. `sparse` are tables (rows, width) of which a
    batch uses few rows: their gradient is given through `add_rows` alone, and an update costs what these rows cost.
    `buffers` are learnt without a gradient: `init` sets them, a forward pass in training changes `fresh_buffer(name)`,
    one that predicts reads `get_buffer(name)`, and they are saved with the parameters. Those in `exact` keep their
    dtype and are no means: of the micro-batches of a step the first one's count.
    """

    def __init__(
        self,
        name: str,
        forward: Forward,
        *,
        init: Init | None = None,
        dims: Mapping[str, int | None] | None = None,
        params: Params = (),
        no_decay: Sequence[str] = (),
        sparse: Sequence[str] = (),
        buffers: Sequence[str] = (),
        exact: Sequence[str] = (),
        layers: Sequence[Model] = (),
        attrs: Mapping[str, Any] | None = None,
        ops: Ops | None = None,
    ):
        if not callable(forward):
            raise ArgumentError(f"{name}: forward must be a function (model, X, is_train), got {forward!r}")
        super().__init__(name, dims or {}, params, layers, buffers, exact)
        self.attrs = dict(attrs or {})
        self.no_decay = frozenset(no_decay)
        self.sparse = frozenset(sparse)
        self.input_gradient = True
        self.ops = ops or Ops()
        self._forward = forward
        self._init = init
        self._store: Store | None = None

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
        with store.one_pass():
            return self(X, True, input_gradient)

    def predict(self, X: Any) -> Any:
        """Outputs without what belongs to training (dropout)."""
        return self(X, False)[0]

    def finish_update(self, optimizer: Updater | Change) -> None:
        """Change the parameters by their gradients, and set the gradients to zero.

        Besides an `Optimizer`, any function will do that takes a parameter's key, `(node.id, name)`, its numbers and
        its gradient, and returns both as they are to be; it may change them in place.
        """
        store = self.store
        if hasattr(optimizer, "update"):
            optimizer.update(store, self.ops)
        elif not callable(optimizer):
            raise ArgumentError(f"an update takes an optimizer or a function, got {type(optimizer).__name__}")
        else:
            for segment in store.segments:
                weights, gradient = view(store.values, segment), view(store.gradients, segment)
                changed = optimizer(segment.key, weights, gradient)
                if not isinstance(changed, tuple) or len(changed) != 2:
                    raise ArgumentError(
                        f"an optimizer function returns (weights, gradient), got {type(changed).__name__}"
                    )
                weights[...], gradient[...] = changed
            store.look_for_touched()
        store.buffers.keep()
        store.moment = Moment(store.moment.seed, store.moment.step + 1)

    def add_rows(self, name: str, rows: Ints, gradient: Array) -> None:
        """Add `gradient` (k, width) to that of the rows `rows` (k,) of a parameter; what a row gets twice is summed."""
        self.ops.add_rows(self._grads[name], rows, gradient)
        self.touch_rows(name, rows)

    def touch_rows(self, name: str, rows: Ints) -> None:
        """Note that the gradient of these rows of a table was changed."""
        if self._store is not None:
            self._store.touch(self.full_name(name), rows)

    def set_grad(self, name: str, value: Array) -> None:
        super().set_grad(name, value)
        if name in self.sparse:
            self.touch_rows(name, np.arange(len(self.get_grad(name))))

    def inc_grad(self, name: str, value: Array) -> None:
        super().inc_grad(name, value)
        if name in self.sparse:
            self.touch_rows(name, np.arange(len(self.get_grad(name))))

    def random(self, purpose: str) -> np.random.Generator:
        """The only source of random numbers in a forward pass: see `Store.generator`."""
        assert self._store is not None, "initialize comes before training"
        return self._store.generator(self.path, purpose)

    def random_seed(self, purpose: str) -> int:
        """The same for a generator of another library: 64 bits to seed it with."""
        assert self._store is not None, "initialize comes before training"
        return self._store.number(self.path, purpose)

    # Setting up

    def initialize(
        self,
        X: Any = None,
        Y: Any = None,
        *,
        seed: int | None = None,
        dtype: type[np.floating] = np.float32,
        blank: bool = False,
    ) -> Self:
        """Infer the sizes left out from a sample, draw the parameters, and pack them into one store.

        Each parameter's numbers come from (seed, "init", its name) alone; with `blank` they are zeros, to be loaded. A
        `seed` that is given is that of `ops` too, by which batches are shuffled; else it is 0.
        ShapeError: a size given contradicts the sample, or one left out cannot be inferred.
        """
        if seed is not None:
            self.ops.seed = seed
        store = Store(self, seed=seed or 0, dtype=dtype, blank=blank)
        if any(isinstance(rows, np.ndarray) and rows.ndim and not len(rows) for rows in (X, Y)):
            raise ShapeError(f"{self.where}: a sample needs at least one row, got none")
        self.init(X, Y)
        store.pack()
        return self

    def init(self, X: Any = None, Y: Any = None) -> None:
        """Infer sizes and draw parameters, as a part of the initialisation of the whole model."""
        if self._init is not None:
            self._init(self, X, Y)

    def draw(self, name: str, initializer: Initializer, shape: tuple[int, ...]) -> None:
        """Set the parameter `name` to numbers drawn by `initializer` from the run's seed and the parameter's name.

        ShapeError: training it would take more memory than the machine has.
        """
        assert self._store is not None
        if not callable(initializer):
            rule = "an initializer is a function such as glorot_uniform_init"
            raise ArgumentError(f"{self.where}: {rule}, got {initializer!r} for {name}")
        needed = math.prod(shape) * self._store.dtype.itemsize * COPIES
        if needed > physical_memory():
            size = f"{needed / 1e9:,.1f} GB to train, this machine has {physical_memory() / 1e9:,.1f} GB"
            raise ShapeError(f"{self.where}: {name} of shape {shape} would take {size}")
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
        self.dtype = store.dtype

    def use_ops(self, ops: Ops) -> Self:
        for node in self.walk():
            node.ops = ops
        return self

    # Keeping

    @contextmanager
    def use_params(self, params: Mapping[Any, Array] | None) -> Iterator[None]:
        """Within the block, predict with these parameters, for example averages; those left out stay.

        `params` holds them by key, `(node.id, name)`, or by full name, and may hold others too; None changes nothing.
        """
        store = self.store
        if not isinstance(params, Mapping | None):
            raise ArgumentError(f"parameters come by key or by name, in a dict, got {type(params).__name__}")
        kept = store.values.copy()
        try:
            for segment in store.segments:
                name = segment.key if segment.key in (params or ()) else segment.name
                if params and name in params:
                    if params[name].shape != segment.shape:
                        raise ShapeError(f"{segment.name}: has shape {segment.shape}, got {params[name].shape}")
                    view(store.values, segment)[...] = params[name]
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
        """The parameters and buffers by name, and the moment of the run, by which dropout draws, as safetensors."""
        store = self.store
        moment = np.array([store.moment.seed, store.moment.step, store.moment.micro], np.int64)
        return tensors.to_bytes({MOMENT: moment, **store.learnt()})

    def from_bytes(self, data: bytes) -> Self:
        """Take over parameters, buffers and moment written by `to_bytes`; the model must be initialised.

        ModelFileError: they are another model's, or damaged.
        """
        arrays, store = tensors.from_bytes(data), self.store
        moment = arrays.pop(MOMENT, None)
        if arrays and not store.segments and not store.buffers:
            raise ArgumentError(f"{self.where}: has no parameters yet: call initialize first")
        store.load_learnt(arrays)
        if moment is not None:
            store.moment = Moment(*moment.tolist())
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
        sparse=tuple(node.sparse),
        buffers=node.buffer_names,
        exact=tuple(node.exact),
        attrs={name: value.twin() if hasattr(value, "twin") else value for name, value in node.attrs.items()},
        ops=node.ops,
    )
    twin._params.update({name: array.copy() for name, array in node._params.items()})
    twin._grads.update({name: array.copy() for name, array in node._grads.items()})
    for name, (value, fresh) in node._buffers.items():
        copied = value.copy()
        twin._buffers[name] = (copied, copied if fresh is value else fresh.copy())
    twin.layers = [_copy(layer, copies) for layer in node.layers]
    return twin


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


def physical_memory() -> float:
    """Bytes of memory in this machine; infinite where the system does not tell."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return math.inf
