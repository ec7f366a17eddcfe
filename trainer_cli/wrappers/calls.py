"""How a module of Flax or Equinox is called: what it takes of the rows, and of what is known of the pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trainer_cli.wrappers.padding import RaggedArrays

# What JAXWrapper.v1 takes: init(rng, X) and apply(params, [state,] X, is_train, rng[, mask]).
Pair = tuple[Callable[..., Any], Callable[..., Any]]

# What a call may be told, by the names that its function takes: whether it is training, or whether it is not.
TRAINS, PREDICTS = ("is_train", "train", "training"), ("deterministic", "inference")


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
