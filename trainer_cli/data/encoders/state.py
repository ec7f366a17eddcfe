"""Checks of what a model directory says about an encoder."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ints
from trainer_cli.data.encoders.floats import Floats
from trainer_cli.errors import ModelFileError


def stated_text(state: Mapping[str, Any], key: str) -> str:
    value = state.get(key)
    if not isinstance(value, str) or not value:
        raise damaged(key, "a text", value)
    return value


def stated_names(state: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Different texts, at least one."""
    value = state.get(key)
    if not isinstance(value, list) or not value or not all(isinstance(name, str) for name in value):
        raise damaged(key, "a list of texts", value)
    if len(set(value)) != len(value):
        raise damaged(key, "different texts", value)
    return tuple(value)


def stated_counts(state: Mapping[str, Any], key: str, size: int) -> tuple[int, ...]:
    """Whole numbers of at least 1, so many of them; or none, as in a state that was written before there were any."""
    value = state.get(key, [])
    if not isinstance(value, list) or not all(type(count) is int and count >= 1 for count in value):
        raise damaged(key, "a list of counts", value)
    if value and len(value) != size:
        raise damaged(key, f"{size} counts", value)
    return tuple(value)


def stated_sizes(state: Mapping[str, Any], key: str) -> tuple[int, ...]:
    """Whole numbers from 1 to 2^31 - 1, at least one."""
    value = state.get(key)
    if not isinstance(value, list) or not value or not all(type(size) is int and 0 < size < 2**31 for size in value):
        raise damaged(key, "a list of sizes", value)
    return tuple(value)


def stated_indexes(state: Mapping[str, Any], key: str, size: int) -> Ints:
    """Different whole numbers from 0 to below `size`, in rising order; there may be none."""
    value = state.get(key)
    if not isinstance(value, list) or not all(type(index) is int and 0 <= index < size for index in value):
        raise damaged(key, f"a list of numbers from 0 to {size - 1}", value)
    if sorted(set(value)) != value:
        raise damaged(key, "different numbers in rising order", value)
    return np.array(value, np.int64)


def stated_number(state: Mapping[str, Any], key: str, least: float = 0.0) -> float:
    """A finite number of at least `least`."""
    value = state.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < math.inf:
        raise damaged(key, f"a finite number of at least {least:g}", value)
    return float(value)


def stated_choice(state: Mapping[str, Any], key: str, words: Sequence[str]) -> str:
    """One of some words."""
    value = state.get(key)
    if value not in words:
        raise damaged(key, f"one of {list(words)}", value)
    return str(value)


def stated_floats(arrays: Mapping[str, Array], key: str, size: int, positive: bool = False) -> Floats:
    """A finite float64 array (size,)."""
    value = arrays.get(key)
    rule = f"{size} finite float64 numbers" + (" above 0" if positive else "")
    if value is None or value.dtype != np.float64 or value.shape != (size,) or not np.isfinite(value).all():
        raise damaged(key, rule, value)
    if positive and not (value > 0).all():
        raise damaged(key, rule, value)
    return value.copy()


def damaged(key: str, rule: str, value: object) -> ModelFileError:
    text = repr(value)
    return ModelFileError(f"the encoder's {key} must be {rule}, got {text if len(text) < 80 else text[:77] + '...'}")
