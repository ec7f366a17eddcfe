"""Modules of Flax as the pair of functions that JAXWrapper.v1 takes."""

from __future__ import annotations

import inspect
from typing import Any

from trainer_cli.errors import ArgumentError
from trainer_cli.wrappers.calls import Pair, arguments, modes, n_first
from trainer_cli.wrappers.given import told


def flax_pair(module: Any) -> Pair:
    """The pair of a Flax linen module. Its other collections, as `batch_stats`, are its state.

    An array is its one argument, ragged rows are data and lengths, several inputs arguments of their own, by name if
    they have names. Of `is_train`, `train`, `training`, `deterministic`, `use_running_average` and `mask` it is given
    what its `__call__` takes; dropout draws from the key of the collection `dropout`. ArgumentError: no such module.
    """
    if not hasattr(module, "apply") or not hasattr(module, "init") or isinstance(module, type):
        raise ArgumentError(f"flax_pair takes a module of flax.linen, got {told(module)}{of_nnx(module)}")
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


def of_nnx(module: Any) -> str:
    """What else to say of a module of flax.nnx, which keeps its numbers in itself."""
    kinds = {base.__module__ for base in type(module).__mro__}
    return (
        " of flax.nnx: write it in flax.linen, or the pair yourself (nnx.split, nnx.merge)"
        if any(kind.startswith("flax.nnx") for kind in kinds)
        else ""
    )
