"""The optimizers of Optax, by name."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ModelFileError
from trainer_cli.extras import required
from trainer_cli.library_parts import check_name, check_settings, refusal, step_name
from trainer_cli.ops import Ops
from trainer_cli.optimizers.clipping import clip
from trainer_cli.optimizers.hyper import Rate
from trainer_cli.optimizers.updater import Updater
from trainer_cli.registry import registry
from trainer_cli.store import Store

NAME = "OptaxOptimizer.v1"
# They want more than the gradients of a step.
REFUSED = {
    "lbfgs": "runs the model several times in one step",
    "polyak_sgd": "wants the loss of each step",
    "noisy_sgd": "draws noise of its own, which no seed of a run reaches",
}
# What sets this stands elsewhere in a config.
ELSEWHERE = {"learning_rate": "learn_rate"}
# The settings by which weight decay leaves parameters alone.
MASKS = ("mask", "weight_decay_mask")
# What stands before the names of the state's arrays.
STATE = "optax"


@registry.optimizers(NAME)
class OptaxOptimizer(Updater):
    """An optimizer of Optax by its name, `adamw` say; the update is compiled once for all parameters of the store.

    `settings` are that function's own; `learn_rate` is its `learning_rate`, on a schedule. `grad_clip` is the norm to
    which a longer gradient of a parameter is scaled down before (0: never, as in Optax). Biases and the parameters of
    normalisation do not decay where the function takes a mask. It keeps no averages. A sparse table is an array like
    any other: all of its rows are updated, each time. JAX computes in float32.

    Errors: no such function, one whose step needs more than gradients, or settings that it refuses (ArgumentError).
    """

    __slots__ = ("_apply", "_chain", "_state", "_values", "kind", "name", "settings")

    def __init__(self, name: str, learn_rate: Rate, *, grad_clip: Rate = 0.0, **settings: Any):
        super().__init__(learn_rate, grad_clip)
        optax = required("optax", NAME)
        self.name = name
        self.kind = kind_of(optax, name)
        self.settings = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
        check_settings(
            NAME, name, self.settings, inspect.signature(self.kind).parameters, ELSEWHERE, ("learn_rate", "grad_clip")
        )
        self._values: Array | None = None
        self._state: Any = None
        self.begin({"W": np.zeros((2, 2), np.float32)}, set())

    def begin(self, params: dict[str, Array], no_decay: set[str]) -> None:
        """Make the transformation and its first state. ArgumentError: Optax refuses a setting, or a parameter."""
        import jax
        import optax

        takes = inspect.signature(self.kind).parameters
        masks = {mask: partial(decaying, no_decay) for mask in MASKS if mask in takes}
        fixed = [key for key in takes if key != "learning_rate"]  # numbers of the program, as Optax has them
        make = optax.inject_hyperparams(self.kind, static_args=fixed)
        try:
            self._chain = make(learning_rate=self.learn_rate, **{**masks, **self.settings})
            self._state = self._chain.init(jax.tree.map(np.array, params))
        except Exception as err:
            raise refusal(NAME, self.name, err) from err
        self._apply = jax.jit(partial(apply, self._chain))

    def check(self, store: Store) -> None:
        self.of(store)

    def of(self, store: Store) -> Any:
        """The state of this store's parameters; anew for another one."""
        if self._values is not store.values:
            self.begin(store.named(store.values), {segment.name for segment in store.segments if segment.no_decay})
            self._values = store.values
        return self._state

    def update(self, store: Store, ops: Ops) -> None:
        clip(store.gradients, store.segments, self.grad_clip)
        state = self.of(store)
        # JAX may use an array's memory for as long as it likes: it gets copies.
        params, gradients = (copies(store.named(flat)) for flat in (store.values, store.gradients))
        changed, self._state = self._apply(params, gradients, state, np.float32(self.learn_rate))
        for name, place in store.named(store.values).items():
            place[...] = changed[name]
        store.clear_gradients()

    def to_arrays(self, store: Store) -> dict[str, Array]:
        """The leaves of Optax's state by their path in it: `optax.inner_state.0.mu.hidden.W`."""
        return {name: np.asarray(leaf) for name, leaf in leaves(self.of(store)).items()}

    def from_arrays(self, store: Store, arrays: dict[str, Array], *, n_updates: int) -> None:
        import jax

        expected = leaves(self.of(store))
        for name in expected.keys() ^ arrays.keys():
            what = "is missing" if name in expected else f"belongs to no state of {self.name}"
            raise ModelFileError(f"{name}: {what}")
        for name, leaf in expected.items():
            found, wanted = arrays[name], np.asarray(leaf)
            if (found.shape, found.dtype) != (wanted.shape, wanted.dtype):
                told = f"is {found.dtype} {found.shape}, {self.name} keeps {wanted.dtype} {wanted.shape}"
                raise ModelFileError(f"{name}: {told}")
        structure = jax.tree.structure(self._state)
        self._state = jax.tree.unflatten(structure, [np.array(arrays[name]) for name in expected])


def apply(chain: Any, params: Any, gradients: Any, state: Any, learn_rate: Any) -> tuple[Any, Any]:
    """The parameters and the state after one update."""
    import optax

    state.hyperparams["learning_rate"] = learn_rate
    updates, state = chain.update(gradients, state, params)
    return optax.apply_updates(params, updates), state


def copies(arrays: dict[str, Array]) -> dict[str, Array]:
    return {name: array.astype(np.float32, copy=True) for name, array in arrays.items()}


def decaying(no_decay: set[str], params: Any) -> dict[str, bool]:
    """Which parameters decay."""
    return {name: name not in no_decay for name in params}


def leaves(state: Any) -> dict[str, Any]:
    """The arrays of a state by their path, in the order of its tree."""
    import jax

    found = jax.tree_util.tree_leaves_with_path(state)
    return {".".join([STATE, *map(step_name, path)]): leaf for path, leaf in found}


def kind_of(optax: Any, name: str) -> Any:
    """The function of this name. ArgumentError: there is none, or one that cannot be used."""
    usable = [key for key in dir(optax) if key not in REFUSED and is_optimizer(key, getattr(optax, key))]
    check_name(NAME, name, "optax", "optimizer", usable, REFUSED)
    return getattr(optax, name)


def is_optimizer(name: str, made: Any) -> bool:
    """Whether something in Optax makes an optimizer: a function of a learning rate, and no part of one."""
    if not inspect.isfunction(made) or name.startswith(("_", "scale_by")):
        return False
    return "learning_rate" in inspect.signature(made).parameters
