"""The settings of an optimizer of PyTorch, and those that it has by default."""

from __future__ import annotations

from typing import Any

from trainer_cli.schedules.arguments import is_number


def wanted_like(default: Any) -> str:
    """What a setting must be whose default is this, in words; "" if that tells nothing."""
    if isinstance(default, tuple):
        return f"a list of {len(default)} numbers"
    if isinstance(default, bool):
        return "true or false"
    return "a number" if is_number(default) else ""


def is_like(value: Any, default: Any) -> bool:
    """Whether a setting is of the kind of its default."""
    if isinstance(default, tuple):
        same = isinstance(value, tuple) and len(value) == len(default)
        return same and all(is_number(a) or (a is None and b is None) for a, b in zip(value, default, strict=True))
    return isinstance(value, bool) if isinstance(default, bool) else is_number(value)


def as_written(value: Any) -> str:
    """A setting as it was given: what is a tuple here was a list."""
    return repr(list(value) if isinstance(value, tuple) else value)
