"""JSON as data have it: exact numbers, and no value that could be meant in two ways."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of its keys and values. ValueError: a key comes twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in found if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:60]!r} comes twice")
    return found


def refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON: write null for a missing number")


# Floats as Python reads them, to the last bit, and whole numbers of any length.
STRICT = json.JSONDecoder(object_pairs_hook=unique, parse_constant=refuse)


def reason(err: ValueError) -> str:
    """What is wrong with a text of one line.

    >>> try:
    ...     STRICT.decode('{"a" 1}')
    ... except ValueError as err:
    ...     reason(err)
    "Expecting ':' delimiter at character 6"
    """
    return (
        f"{err.msg.removesuffix(' at')} at character {err.colno}" if isinstance(err, json.JSONDecodeError) else str(err)
    )
