"""Modules of Flax and Equinox as the pair of functions that JAXWrapper.v1 takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from trainer_cli.errors import ArgumentError
from trainer_cli.wrappers.padding import RaggedArrays

Pair = tuple[Callable[..., Any], Callable[..., Any]]

# What a call may be told, by the names that its function takes: whether it is training, or whether it is not.
TRAINS, PREDICTS = ("is_train", "train", "training"), ("deterministic", "inference")


def flax_pair(module: Any) -> Pair:
    """The pair of a Flax linen module. Its other collections, as `batch_stats`, are its state.

    An array is its one argument, ragged rows are data and lengths, several inputs arguments of their own, by name if
    they have names. Of `is_train`, `train`, `training`, `deterministic`, `use_running_average` and `mask` it is given
    what its `__call__` takes; dropout draws from the key of the collection `dropout`. ArgumentError: no such module.
    """
    if not hasattr(module, "apply") or not hasattr(module, "init") or isinstance(module, type):
        raise ArgumentError(f"flax_pair takes a module of flax.linen, made, got {module!r:.60}")
    taken = inspect.signature(type(module).__call__).parameters

    def init(rng: Any, X: Any) -> Any:
        import jax

        args, named = arguments(X)
        mask = {"mask": jax.numpy.ones(n_first(X), bool)} if "mask" in taken else {}
        more = {**named, **modes(taken, is_train=False), **mask}
        variables = dict(module.init({"params": rng, "dropout": jax.random.fold_in(rng, 1)}, *args, **more))
        return variables.pop("params", {}), variables

    def apply(params: Any, state: Any, X: Any, is_train: bool, rng: Any, mask: Any) -> Any:
        args, named = arguments(X)
        more = {**named, **modes(taken, is_train), **({"mask": mask} if "mask" in taken else {})}
        changing = list(state) if is_train else False
        found = module.apply({"params": params, **state}, *args, rngs={"dropout": rng}, mutable=changing, **more)
        return found if is_train else (found, state)

    apply.__qualname__ = type(module).__qualname__
    return init, apply


def equinox_pair(module: Callable[..., Any] | Any, *, batched: bool = False) -> Pair:
    """The pair of an Equinox module, or of a function from a key to one, which is better: it draws from the run's seed.

    The module is called with one row, as Equinox has it, and JAX maps that over the batch; with `batched`, which ragged
    rows need, it is called with all of them. Where it predicts its layers are in inference mode. Of `key` and
    `is_train`, `train`, `training`, `deterministic` it is given what its `__call__` takes. Its arrays of floats
    are trained, all else stays as it is. Layers with a State, as BatchNorm, are not for this: write the pair yourself.
    ArgumentError: no module.
    """
    if not callable(module):
        raise ArgumentError(f"equinox_pair takes a module of Equinox, or what makes one of a key, got {module!r:.60}")
    import equinox as eqx
    import jax

    held: dict[str, Any] = {}

    def made(rng: Any) -> Any:
        found = module if isinstance(module, eqx.Module) else module(rng)
        arrays, held["rest"] = eqx.partition(found, eqx.is_array)
        return arrays

    def init(rng: Any, X: Any) -> Any:
        return made(rng)

    def apply(params: Any, X: Any, is_train: bool, rng: Any) -> Any:
        model = eqx.nn.inference_mode(eqx.combine(params, held["rest"]), value=not is_train)
        taken = inspect.signature(type(model).__call__).parameters

        def called(args: Any, named: Any, key: Any) -> Any:
            return model(*args, **named, **modes(taken, is_train), **({"key": key} if "key" in taken else {}))

        args, named = arguments(X)
        if batched:
            return called(args, named, rng)
        return jax.vmap(called)(args, named, jax.random.split(rng, n_first(X)))

    kind = type(module) if isinstance(module, eqx.Module) else module
    apply.__qualname__ = str(getattr(kind, "__qualname__", "equinox module")).replace(".<locals>", "")
    return init, apply


def arguments(X: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call, by place and by name."""
    if isinstance(X, dict):
        return (), dict(X)
    if isinstance(X, tuple | RaggedArrays):
        return tuple(X), {}
    return (X,), {}


def modes(taken: Any, is_train: bool) -> dict[str, bool]:
    """What a function with these parameters is told about training."""
    found = {name: is_train for name in TRAINS if name in taken}
    return found | {name: not is_train for name in (*PREDICTS, "use_running_average") if name in taken}


def n_first(X: Any) -> int:
    """How many rows there are."""
    while isinstance(X, dict | tuple):
        X = X.lengths if isinstance(X, RaggedArrays) else next(iter(X.values() if isinstance(X, dict) else X))
    return len(X)
