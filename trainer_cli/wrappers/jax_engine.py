"""What compiles a pair of functions of JAX, and hands them the store's numbers."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from trainer_cli.arrays import Array, n_rows
from trainer_cli.wrappers.engine import Engine, WrongOutputError, shown
from trainer_cli.wrappers.padding import Padded, padded_part
from trainer_cli.wrappers.pytree import Tree

if TYPE_CHECKING:
    from trainer_cli.model import Model


class JAXEngine(Engine):
    """The pair, its parameters' names, and what has been compiled of it.

    The parameters go in as one array, the layer's part of the store's, and are taken apart inside; so their gradient
    comes out as one array. JAX may read that part in place: whatever was computed from it is finished, and copied,
    before a forward pass or a backprop returns.
    """

    library = "JAX"

    def __init__(self, module: Any):
        super().__init__(module)
        self.init_module, self.apply_module = module
        names = inspect.signature(self.apply_module).parameters
        self.has_mask = "mask" in names
        self.has_state = len(names) - self.has_mask >= 5
        self.n_compiled = 0
        self.params, self.state = Tree(), Tree()
        self._held: tuple[Any, Any, Any] = (None, None, None)

    @property
    def name(self) -> str:
        function = self.apply_module
        while isinstance(function, partial):
            function = function.func
        return str(getattr(function, "__qualname__", type(function).__name__)).replace(".<locals>", "")

    def twin(self) -> Self:
        twin = copy.copy(self)
        twin._held = (None, None, None)
        return twin

    def notes(self) -> Sequence[str]:
        return [f"JAX compiled {self.name} {self.n_compiled} times"]

    # Making

    def make(self, model: Model, X: Any, seed: Array) -> None:
        """Have `init` draw the parameters, and declare them and the state as the layer's."""
        import jax

        with self.failing(model.where, X):
            made = self.init_module(key_of(seed), on_device(X))
            if self.has_state and not (isinstance(made, tuple) and len(made) == 2):
                raise WrongOutputError(f"must make (params, state) in init, not a {type(made).__name__}")
            params, state = made if self.has_state else (made, ())
            self.params = Tree.of(params, "module")
            self.state = Tree.of(state, "module.state")
        self.params.declare_params(model)
        self.state.declare_state(model)
        self._forward = jax.jit(self._begin, static_argnames=("is_train", "wants"))
        self._predict = jax.jit(partial(self._apply_flat, is_train=False))
        self._back = jax.jit(lambda back, dY: back(dY))

    def shape(self, model: Model, X: Any) -> tuple[int, ...]:
        """The shape of the output for rows as they are; nothing is computed."""
        import jax

        with self.failing(model.where, X):
            found = jax.eval_shape(self._apply_flat, *self._sample(model, X))[0].shape
            self.n_compiled = 0
            if not found:
                raise WrongOutputError("must return one output for each row, not a single number")
            return tuple(found)

    def tried(self, model: Model, X: Any) -> Array:
        """Outputs of rows as they are, before the parameters lie in a store."""
        with self.failing(model.where, X):
            return np.array(self._apply_flat(*self._sample(model, X))[0], model.dtype)

    def _sample(self, model: Model, X: Any) -> tuple[Any, ...]:
        return (*self._numbers(model), on_device(X), np.ones(n_rows(X), bool), np.zeros(2, np.uint32))

    # Running

    def predict(self, model: Model, X: Any, padded: Padded, seed: Array) -> Array:
        with self.failing(model.where, X):
            Y = self._predict(*self._numbers(model), padded.X, padded.mask, seed)[0]
            return self._output(Y, padded)

    def begin_update(
        self, model: Model, X: Any, padded: Padded, seed: Array, wants: bool, is_train: bool = True
    ) -> tuple[Array, Any]:
        """Outputs, and what `backprop` takes; the state goes into the layer's fresh buffers."""
        with self.failing(model.where, X):
            numbers = self._numbers(model, fresh=is_train)
            found = self._forward(*numbers, padded.X, padded.mask, seed, is_train=is_train, wants=wants)
            Y, back, state = found
            Y = self._output(Y, padded)
            if is_train:
                self.state.keep(model, state)
            return Y, back

    def backprop(self, model: Model, X: Any, back: Any, dY: Array) -> tuple[Array | None, Any]:
        """The gradients of the parameters, flat, and of the padded inputs."""
        with self.failing(model.where, X):
            own, dX = self._back(back, dY)
            return np.asarray(own), dX

    def add_gradient(self, model: Model, gradient: Array) -> None:
        self.flat(model)
        places = self._held[2]
        if places is not None:
            places += gradient
        else:
            for name, part in self.params.apart(gradient):
                model.get_grad(name)[...] += part

    def _numbers(self, model: Model, fresh: bool = False) -> tuple[Any, Any, Any]:
        return self.flat(model), self.params.constants(model), self.state.values(model, fresh)

    # The parameters' place

    def is_packed(self, model: Model) -> bool:
        store = model.store_or_none
        return store is not None and (bool(store.segments) or len(store.buffers) > 0 or not self.params.names)

    def flat(self, model: Model) -> Array:
        """The parameters end to end: their part of the store's values, or before they lie there a copy."""
        names = self.params.names
        if not names:
            return np.zeros(0, np.float32)
        first = model.get_param(names[0])
        if self._held[0] is not first:
            self._held = (first, *self._places(model))
        values: Array | None = self._held[1]
        if values is None:
            values = np.concatenate([model.get_param(name).ravel() for name in names])
        return values if values.dtype == np.float32 else values.astype(np.float32)

    def _places(self, model: Model) -> tuple[Array | None, Array | None]:
        store = model.store_or_none
        keys = [(model.id, name) for name in self.params.names]
        segments = [segment for segment in store.segments if segment.key in set(keys)] if store else []
        if store is None or [segment.key for segment in segments] != keys:
            return None, None
        place = slice(segments[0].start, segments[-1].stop)
        return store.values[place], store.gradients[place]

    # What is compiled

    def _apply_flat(
        self, flat: Any, constants: Any, state: Any, X: Any, mask: Any, seed: Any, is_train: bool = False
    ) -> tuple[Any, Any]:
        """Outputs and new state from the numbers as they come."""
        import jax
        import jax.numpy as jnp

        if isinstance(flat, jax.core.Tracer):
            self.n_compiled += 1  # this runs while it is traced alone
        params = self.params.built(flat, constants)
        more = {"mask": mask} if self.has_mask else {}
        between = (self.state.assembled(state),) if self.has_state else ()
        found = self.apply_module(params, *between, X, is_train, key_of(seed), **more)
        if self.has_state:
            if not (isinstance(found, tuple) and len(found) == 2):
                raise WrongOutputError(f"must return (Y, state), not {shown(found)}")
            found, state = found[0], self.state.like(found[1])
        if not isinstance(found, jax.Array | np.ndarray) or not jnp.issubdtype(found.dtype, jnp.floating):
            raise WrongOutputError(f"must return one array of floats, not {shown(found)}")
        return found.astype(np.float32), state

    def _begin(
        self, flat: Any, constants: Any, state: Any, X: Any, mask: Any, seed: Any, is_train: bool, wants: bool
    ) -> tuple[Any, Any, Any]:
        import jax

        leaves, treedef = jax.tree_util.tree_flatten(X)
        floats = [leaf if is_float(leaf) else None for leaf in leaves]

        def outputs(flat: Any, floats: Any) -> Any:
            whole = [leaf if own is None else own for leaf, own in zip(leaves, floats, strict=True)]
            X = jax.tree_util.tree_unflatten(treedef, whole)
            return self._apply_flat(flat, constants, state, X, mask, seed, is_train)

        if wants:
            Y, back, state = jax.vjp(outputs, flat, floats, has_aux=True)
            return Y, jax.tree_util.Partial(partial(with_inputs, treedef), back), state
        Y, back, state = jax.vjp(partial(outputs, floats=floats), flat, has_aux=True)
        return Y, jax.tree_util.Partial(without_inputs, back), state

    def _output(self, Y: Any, padded: Padded) -> Array:
        found = np.asarray(Y)
        if not found.ndim or len(found) not in {padded.n, padded.n_data or padded.n}:
            of_data = f", or one of its {padded.n_data} numbers," if padded.n_data else ""
            what = f"one output for each of {padded.n} rows{of_data}"
            raise WrongOutputError(f"must return {what}, not float32 {found.shape}")
        return found


def with_inputs(treedef: Any, back: Any, dY: Any) -> tuple[Any, Any]:
    import jax

    own, floats = back(dY)
    return own, jax.tree_util.tree_unflatten(treedef, floats)


def without_inputs(back: Any, dY: Any) -> tuple[Any, Any]:
    return back(dY)[0], None


def is_float(leaf: Any) -> bool:
    import jax.numpy as jnp

    return bool(jnp.issubdtype(leaf.dtype, jnp.floating))


def key_of(seed: Any) -> Any:
    """The key of two numbers below 2**32."""
    import jax

    return jax.random.wrap_key_data(jax.numpy.asarray(seed), impl="threefry2x32")


def on_device(X: Any) -> Any:
    """Rows as they are, as arrays of JAX."""
    import jax

    return jax.tree_util.tree_map(jax.numpy.asarray, padded_part(X, n_rows(X), n_rows(X)))
