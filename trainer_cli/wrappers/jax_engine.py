"""What hands the store's numbers to a pair of functions of JAX, and runs what is compiled of it."""

from __future__ import annotations

import copy
import inspect
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from trainer_cli.arrays import Array, n_rows, slice_rows
from trainer_cli.wrappers import jax_programs as programs
from trainer_cli.wrappers.engine import Engine, WrongOutputError, is_fed
from trainer_cli.wrappers.jax_losses import Measure
from trainer_cli.wrappers.jax_places import Places
from trainer_cli.wrappers.jax_programs import Inputs, Net, Numbers, Pass, key_of
from trainer_cli.wrappers.padding import Padded, others, pad, padded_part, with_room
from trainer_cli.wrappers.pytree import Tree

if TYPE_CHECKING:
    from trainer_cli.model import Model

# Outputs of the same program that differ by more than this part of the largest one differ not by rounding alone.
ROUNDING = 1e-4
NO_SEED = np.zeros(2, np.uint32)


class Begun(NamedTuple):
    """A forward pass whose gradient may be asked for."""

    program: Pass
    residuals: Sequence[Any]


class JAXEngine(Engine):
    """The pair, its parameters' names, and what has been compiled of it.

    Each parameter goes in as the store's own memory, and its gradient comes out as an array of its own. JAX may read
    that memory in place: whatever was computed from it is finished, and copied, before a forward pass or a backprop
    returns. Copies of a layer share the programs; each counts in `compiled` those that were made for it.
    """

    library = "JAX"

    def __init__(self, module: Any):
        super().__init__(module)
        self.init_module, self.apply_module = module
        taken = inspect.signature(self.apply_module).parameters
        needed = [name for name, each in taken.items() if each.default is each.empty and name != "mask"]
        self.net = Net(self.name, self.apply_module, "mask" in taken, has_state=len(needed) >= 5)
        self.compiled: Counter[str] = Counter()
        self._programs: dict[Hashable, Any] = {}
        self._held = Places()

    @property
    def name(self) -> str:
        function = self.apply_module
        while isinstance(function, partial):
            function = function.func
        return str(getattr(function, "__qualname__", type(function).__name__)).replace(".<locals>", "")

    def twin(self) -> Self:
        twin = copy.copy(self)
        twin._held, twin.compiled = Places(), Counter()
        return twin

    def notes(self) -> Sequence[str]:
        kinds = ", ".join(f"{kind} {n}" for kind, n in self.compiled.items())
        return [f"JAX compiled {self.name} {self.compiled.total()} times{f' ({kinds})' if kinds else ''}"]

    def make(self, model: Model, X: Any, seed: Array) -> None:
        """Have `init` draw the parameters, and declare them and the state as the layer's."""
        self.first = None
        with self.failing(model.where, X):
            made = self.init_module(key_of(seed), on_device(unpadded(X)))
            has_state = self.net.has_state
            if has_state and not (isinstance(made, tuple) and len(made) == 2):
                raise WrongOutputError(f"must make (params, state) in init, not a {type(made).__name__}")
            params, state = made if has_state else (made, ())
            self.net = replace(self.net, params=Tree.of(params, "module"), state=Tree.of(state, "module.state"))
        self.net.params.declare_params(model)
        self.net.state.declare_state(model)
        self._programs = {}

    def shape(self, model: Model, X: Any) -> tuple[int, ...]:
        """The shape of the output for rows as they are; nothing is computed."""
        import jax

        with self.failing(model.where, X):
            found = jax.eval_shape(partial(self.net, is_train=False), self._sample(model, X))[0].shape
            if not found:
                raise WrongOutputError("must return one output for each row, not a single number")
            self.check_form(found)
            return tuple(found)

    def tried(self, model: Model, X: Any, padded: Padded) -> Array:
        """Outputs before the parameters lie in a store; its operations run one by one."""
        with self.failing(model.where, X):
            inputs = Inputs(self._numbers(model), on_device(padded.X), padded.mask, NO_SEED)
            return self._output(self.net(inputs, is_train=False)[0], padded)

    def _sample(self, model: Model, X: Any) -> Inputs:
        return Inputs(self._numbers(model), on_device(unpadded(X)), np.ones(n_rows(X), bool), NO_SEED)

    def predict(self, model: Model, X: Any, padded: Padded) -> Array:
        with self.failing(model.where, X):
            inputs = self._inputs(model, padded, NO_SEED)
            key = ("predictions", programs.signature(padded.X))
            program = self._program(key, partial(programs.predicting, self.net, inputs))
            return self._output(program(*inputs), padded)

    def begin_update(
        self, model: Model, X: Any, padded: Padded, seed: Array, wants: bool, is_train: bool = True
    ) -> tuple[Array, Begun]:
        """Outputs, and what `backprop` takes; the state goes into the layer's fresh buffers."""
        with self.failing(model.where, X):
            Y, state, begun = self._begin(model, padded, seed, wants, is_train)
            if is_train:
                self.net.state.keep(model, state)
            return Y, begun

    def backprop(self, model: Model, X: Any, begun: Begun, dY: Array) -> Any:
        """Add the gradients of the parameters to the layer's; returns that of the padded rows, or None."""
        with self.failing(model.where, X):
            program, residuals = begun
            if program.back is None:
                program.back = programs.pulling(self.net, program, residuals, dY)
                self.compiled["pullbacks"] += 1
            own, dX = program.back(residuals, dY)
            self.add(model, own)
            return dX

    def shape_trained(self, model: Model, X: Any, padded: Padded) -> tuple[int, ...]:
        """The shape of the outputs of padded rows in training, found once for each shape of rows."""
        key = ("shapes", programs.signature(padded.X))
        shape: tuple[int, ...] | None = self._programs.get(key)
        if shape is None:
            with self.failing(model.where, X):
                inputs = self._inputs(model, padded, NO_SEED, fresh=True)
                shape = self._programs[key] = programs.shape_trained(self.net, inputs)
                check_shape(shape, padded)
                self.check_form(shape)
        return shape

    def measured(
        self, model: Model, X: Any, padded: Padded, seed: Array, measure: Measure
    ) -> tuple[Array, float, Sequence[Any]]:
        """Outputs in training, the loss and the gradients of the parameters, by one program; the state goes into the
        layer's fresh buffers."""
        with self.failing(model.where, X):
            numbers, *others = self._inputs(model, padded, seed, fresh=True)
            given = (numbers._replace(floats=self._places(model).shared), *others, *measure.padded(padded.n))
            key = ("gradients", programs.signature(padded.X), measure.key)
            program = self._program(key, partial(programs.measuring, self.net, measure.function, given))
            Y, value, state, own = program(*given)
            self.net.state.keep(model, state)
            return np.asarray(Y), float(np.asarray(value)), own

    def add(self, model: Model, gradients: Sequence[Any]) -> None:
        """Add the gradients of the parameters to the layer's."""
        for place, gradient in zip(self._places(model).gradients, gradients, strict=True):
            place += np.asarray(gradient)

    def _begin(
        self, model: Model, padded: Padded, seed: Array, wants: bool, is_train: bool
    ) -> tuple[Array, Sequence[Any], Begun]:
        inputs = self._inputs(model, padded, seed, fresh=is_train)
        key = ("forward passes", programs.signature(padded.X), is_train, wants)
        program = self._program(key, partial(programs.beginning, self.net, inputs, is_train, wants, is_fed(model)))
        Y, state, residuals = program.forward(*inputs)
        return self._output(Y, padded), state, Begun(program, residuals)

    def _program(self, key: tuple[Hashable, ...], make: Callable[[], Any]) -> Any:
        found = self._programs.get(key)
        if found is None:
            found = self._programs[key] = make()
            self.compiled[str(key[0])] += 1
        return found

    def _inputs(self, model: Model, padded: Padded, seed: Array, fresh: bool = False) -> Inputs:
        mask = padded.mask if self.net.has_mask else None
        return Inputs(self._numbers(model, fresh), padded.X, mask, seed)

    def _output(self, Y: Any, padded: Padded) -> Array:
        found = np.asarray(Y)
        check_shape(found.shape, padded)
        self.check_form(found.shape)
        return found

    def examine(self, model: Model, X: Any, is_train: bool) -> None:
        """Whether the outputs and the state stay as they are when the rows change that pad the batch."""
        if not self.is_packed(model):
            return
        n, size = with_room(X, self.rows, is_train)
        if not n:
            return
        rows = slice_rows(X, 0, n)
        with self.failing(model.where, X):
            one, other = (self._real(model, padded, is_train) for padded in (pad(rows, size), pad(rows, size, others)))
            if not all(map(alike, one, other)):
                raise WrongOutputError(
                    "gives other outputs, or another state, when the rows change that pad a batch: what looks at the "
                    "batch as a whole has to take `mask`, the flags of the rows that are the batch's"
                )

    def _real(self, model: Model, padded: Padded, is_train: bool) -> list[Array]:
        """What becomes of the rows that are the batch's, and of the state."""
        if is_train:
            Y, state, _ = self._begin(model, padded, NO_SEED, model.input_gradient, is_train)
        else:
            Y, state = self.predict(model, padded.X, padded), ()
        return [padded.real(Y), *map(np.asarray, state)]

    def is_packed(self, model: Model) -> bool:
        store = model.store_or_none
        return store is not None and (bool(store.segments) or len(store.buffers) > 0 or not self.net.params.names)

    def _numbers(self, model: Model, fresh: bool = False) -> Numbers:
        values = self._places(model).values
        if model.dtype != np.float32:
            values = [value.astype(np.float32) for value in values]
        return Numbers(values, self.net.params.constants(model), self.net.state.values(model, fresh))

    def _places(self, model: Model) -> Places:
        """Where the floats lie; looked up anew when the store has moved them."""
        names = self.net.params.names
        if not names or not self._held.values or self._held.values[0] is not model.get_param(names[0]):
            self._held = Places([*map(model.get_param, names)], [*map(model.get_grad, names)])
        return self._held


def check_shape(shape: tuple[int, ...], padded: Padded) -> None:
    """WrongOutputError: outputs of this shape are not one for each row, nor one for each number of ragged rows."""
    if not shape or shape[0] not in {padded.n, padded.n_data or padded.n}:
        of_data = f", or one of its {padded.n_data} numbers," if padded.n_data else ""
        what = f"one output for each of {padded.n} rows{of_data}"
        raise WrongOutputError(f"must return {what}, not float32 {shape}")


def alike(one: Array, other: Array) -> bool:
    """Whether two results of one program differ by no more than rounding."""
    if not np.issubdtype(one.dtype, np.floating):
        return np.array_equal(one, other)
    atol = ROUNDING * float(np.abs(one[np.isfinite(one)]).max(initial=0.0))
    return np.allclose(one, other, rtol=0.0, atol=atol, equal_nan=True)


def unpadded(X: Any) -> Any:
    """Rows as they are, as a function gets them."""
    return padded_part(X, n_rows(X), n_rows(X))


def on_device(arrays: Any) -> Any:
    import jax

    return jax.tree_util.tree_map(jax.numpy.asarray, arrays)
