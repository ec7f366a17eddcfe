"""Class labels as texts, and the numbers they stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainer_cli.errors import ArgumentError
from trainer_cli.registry import nearest


def numbers_of(loss: str, names: Sequence[str] | None) -> dict[str, int]:
    """The class number of each name, its place in the list; names must be different texts."""
    if names is None:
        return {}
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ArgumentError(f"{loss}: names must be a list of texts, got {names!r}")
    numbers = {name: i for i, name in enumerate(names)}
    if len(numbers) < len(names):
        twice = next(name for i, name in enumerate(names) if numbers[name] != i)
        raise ArgumentError(f"{loss}: names must be different, got {twice!r} more than once")
    return numbers


def class_number(loss: str, label: object, numbers: Mapping[str, int]) -> int:
    """The class number of one label; a label that has none is an ArgumentError."""
    if not numbers:
        raise ArgumentError(
            f"{loss}: truths that are texts need names, got {label!r}. Give the loss the names of the classes in "
            'their order: names = ["cat", "dog"]'
        )
    if isinstance(label, str) and label in numbers:
        return numbers[label]
    hint = nearest(label, list(numbers)) if isinstance(label, str) else ""
    raise ArgumentError(f"{loss}: the truth {label!r} is not among the names {listing(numbers)}.{hint}")


def listing(names: Mapping[str, int], most: int = 8) -> str:
    """Names as a list, cut when it is long."""
    shown = [repr(name) for name in list(names)[:most]]
    return f"[{', '.join([*shown, '...'] if len(names) > most else shown)}]"


def texts_in(truths: Any) -> list[Any] | None:
    """The truths as a list if some are texts (or None, which may stand for a missing one), else None."""
    if isinstance(truths, np.ndarray):
        if truths.ndim != 1 or truths.dtype.kind in "biuf":
            return None
        truths = truths.tolist()
    if isinstance(truths, list | tuple) and any(isinstance(label, str) or label is None for label in truths):
        return list(truths)
    return None
