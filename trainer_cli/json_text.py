"""JSON that gives back exactly what went in, floats to the bit, and that refuses bombs and duplicates on the way in."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

MAX_DEPTH = 64

# What `float.hex` writes, and texts that could be taken for it.
FLOAT = re.compile(r"-?0x[01]\.[0-9a-f]+p[+-][0-9]+|-?inf|nan")
# A text in JSON; one that never ends is a single match to the end, so that the search stays linear.
TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
# An opening bracket is a step down, +1, a closing one a step up, -1 as a byte.
STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
NO_BRACKETS = bytes(set(range(256)) - set(b"[{]}"))


def encode(value: Any, where: str = "state") -> Any:
    """Make `value` ready for JSON: each float becomes its `float.hex` text, so NaN and inf are texts as well.

    A text that looks like such a float, or begins with an apostrophe, gets an apostrophe in front. Takes None, bool,
    int, float, str, list and dict with text keys; anything else would come back changed and is a TypeError.

    >>> encode({"rate": 0.5, "name": "nan"})
    {'rate': '0x1.0000000000000p-1', 'name': "'nan"}
    """
    if value is None or type(value) in (bool, int):
        return value
    if isinstance(value, float):
        return float.hex(value)
    if type(value) is str:
        return "'" + value if value.startswith("'") or FLOAT.fullmatch(value) else value
    if type(value) is list:
        return [encode(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if type(value) is dict and all(type(key) is str for key in value):
        return {key: encode(item, f"{where}.{key}") for key, item in value.items()}
    raise TypeError(f"{where}: a {type(value).__name__} does not survive JSON; use numbers, texts, lists and dicts")


def decode(value: Any) -> Any:
    """The inverse of `encode`.

    >>> decode(encode([0.1, "nan", float("-inf")]))
    [0.1, 'nan', -inf]
    """
    if isinstance(value, str):
        if value.startswith("'"):
            return value[1:]
        return float.fromhex(value) if FLOAT.fullmatch(value) else value
    if isinstance(value, list):
        return [decode(item) for item in value]
    if isinstance(value, dict):
        return {key: decode(item) for key, item in value.items()}
    return value


def dumps(value: Any) -> bytes:
    """`value` as JSON, keys sorted, one a line; a float that is not finite is a ValueError."""
    data = (json.dumps(value, allow_nan=False, sort_keys=True, indent=1) + "\n").encode("ascii")
    assert depth(data) <= MAX_DEPTH, "nested so deeply that it could not be read back"
    return data


def loads(data: bytes) -> Any:
    """Parse JSON that a stranger may have written; whatever is wrong with it is a ValueError of one line.

    Refused: text that is not UTF-8, nesting beyond 64, duplicate keys, NaN and Infinity, integers of thousands of
    digits.
    """
    if depth(data) > MAX_DEPTH:
        raise ValueError(f"brackets are nested deeper than {MAX_DEPTH}")
    return json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)


def depth(data: bytes) -> int:
    """How deep the brackets of a JSON text are nested, without parsing it: the parser itself is recursive."""
    steps = np.frombuffer(TEXT.sub(b"", data).translate(STEPS, NO_BRACKETS), dtype=np.int8)
    return int(np.cumsum(steps, dtype=np.int32).max(initial=0))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key[:80]!r} appears twice")
        found[key] = value
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
