"""Parts of another library that a config names, as an optimizer of Optax: whether there is one, and what it takes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from trainer_cli.errors import ArgumentError
from trainer_cli.registry import nearest


def check_name(
    part: str, name: str, library: str, kind: str, usable: Sequence[str], refused: Mapping[str, str]
) -> None:
    """ArgumentError: the library has no `kind` of this name, or one that cannot be used, for the reason in `refused`.

    `part` is what the config calls ours: `OptaxOptimizer.v1`.
    """
    if name in refused:
        raise ArgumentError(f"{part}: the name {name} cannot be used: it {refused[name]}")
    if name not in usable:
        hint = nearest(name, list(usable)) or f" There are {', '.join(usable)}."
        raise ArgumentError(f"{part}: {library} has no {kind} of the name {name!r}.{hint}")


def check_settings(
    part: str,
    name: str,
    settings: Collection[str],
    takes: Collection[str],
    elsewhere: Mapping[str, str],
    ours: Sequence[str],
) -> None:
    """ArgumentError: what is called so takes no such setting, or it is set by another key, that in `elsewhere`.

    `ours` are the keys that the part has itself.
    """
    known = [*ours, *(key for key in takes if key not in elsewhere)]
    for key in settings:
        if key in elsewhere:
            raise ArgumentError(f"{part}: {key} is set by {elsewhere[key]} here")
        if key not in known:
            hint = nearest(key, known) or f" It takes {', '.join(known)}."
            raise ArgumentError(f"{part}: {name} takes no {key}.{hint}")


def refusal(part: str, name: str, err: Exception) -> ArgumentError:
    """What the library says of settings that it does not take."""
    return ArgumentError(f"{part}: {name} refuses this: {' '.join(str(err).split())}")


def step_name(key: Any) -> str:
    """One step of a path in a pytree of JAX: the key of a dict, the name of a field, the place in a list."""
    for attribute in ("key", "name", "idx"):
        if hasattr(key, attribute):
            return str(getattr(key, attribute))
    return str(key)
