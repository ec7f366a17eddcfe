"""Modules of Equinox as the pair of functions that JAXWrapper.v1 takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from trainer_cli.errors import ArgumentError
from trainer_cli.wrappers.calls import Pair, arguments, modes, n_first
from trainer_cli.wrappers.given import told


def equinox_pair(module: Callable[..., Any] | Any, *, batched: bool = False) -> Pair:
    """The pair of an Equinox module, or of a function from a key to one, which is better: it draws from the run's seed.

    The module is called with one row, as Equinox has it, and JAX maps that over the batch; with `batched`, which ragged
    rows need, it is called with all of them. Where it predicts its layers are in inference mode. Of `key` and
    `is_train`, `train`, `training`, `deterministic`, and of `mask` if `batched`, it is given what its `__call__` takes.
    Its arrays of floats are trained, all else stays as it is. Layers with a State, as BatchNorm, are not for this:
    write the pair yourself. ArgumentError: no module.
    """
    if not callable(module):
        raise ArgumentError(f"equinox_pair takes a module of Equinox, or what makes one of a key, got {told(module)}")
    held: dict[str, Any] = {}

    def init(rng: Any, X: Any) -> Any:
        arrays, held["rest"] = parted(module, rng)
        return arrays

    def apply(params: Any, X: Any, is_train: bool, rng: Any, mask: Any) -> Any:
        import equinox as eqx

        model = eqx.nn.inference_mode(eqx.combine(params, held["rest"]), value=not is_train)
        return whole(model, X, is_train, rng, mask) if batched else each(model, X, is_train, rng)

    apply.__qualname__ = name_of(module)
    return init, apply


def parted(module: Any, rng: Any) -> tuple[Any, Any]:
    """The arrays of a module, or of one made of a key, and what it is beside them."""
    import equinox as eqx

    arrays, rest = eqx.partition(module if isinstance(module, eqx.Module) else module(rng), eqx.is_array)
    return arrays, rest


def name_of(module: Any) -> str:
    import equinox as eqx

    kind = type(module) if isinstance(module, eqx.Module) else module
    return str(getattr(kind, "__qualname__", "equinox module")).replace(".<locals>", "")


def each(model: Any, X: Any, is_train: bool, rng: Any) -> Any:
    """What a module gives of each row."""
    import jax

    args, named = arguments(X)
    one = partial(called, model, is_train)
    return jax.vmap(lambda args, named, key: one(args, named, key=key))(args, named, jax.random.split(rng, n_first(X)))


def whole(model: Any, X: Any, is_train: bool, rng: Any, mask: Any) -> Any:
    """What a module gives of all rows."""
    args, named = arguments(X)
    return called(model, is_train, args, named, key=rng, mask=mask)


def called(model: Any, is_train: bool, args: Any, named: Any, **known: Any) -> Any:
    """A module's call with its inputs and what it takes of that which is known."""
    taken = inspect.signature(type(model).__call__).parameters
    more = {name: value for name, value in known.items() if name in taken}
    return model(*args, **named, **modes(taken, is_train), **more)
