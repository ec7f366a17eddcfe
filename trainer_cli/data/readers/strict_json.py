"""JSON as data have it: exact numbers, and no value that could be meant in two ways."""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn

from trainer_cli.json_text import MAX_DEPTH, depth


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


TOO_DEEP = f"brackets are nested deeper than {MAX_DEPTH}"
TOO_LONG = f"a whole number has more than {sys.int_info.default_max_str_digits:,} digits: write it as a text"

# Floats as Python reads them, to the last bit, and whole numbers of any length.
STRICT = json.JSONDecoder(object_pairs_hook=unique, parse_constant=refuse)


def decoded(line: str) -> Any:
    """The value that a line writes. ValueError: it is no JSON, or nested so deeply that no honest one is."""
    if is_deep(line):
        raise ValueError(TOO_DEEP)
    return STRICT.decode(line)


def is_deep(text: str) -> bool:
    """Whether brackets are nested too deeply: the parser, and whatever walks the values, are recursive.

    >>> is_deep("[" * 64 + '"["' + "]" * 64), is_deep("[" * 65)
    (False, True)
    """
    return text.count("[") + text.count("{") > MAX_DEPTH and depth(text.encode("utf-8", "surrogatepass")) > MAX_DEPTH


def reason(err: ValueError | RecursionError) -> str:
    """What is wrong with a text of one line.

    >>> try:
    ...     STRICT.decode('{"a" 1}')
    ... except ValueError as err:
    ...     reason(err)
    "Expecting ':' delimiter at character 6"
    """
    if isinstance(err, json.JSONDecodeError):
        return f"{err.msg.removesuffix(' at')} at character {err.colno}"
    if isinstance(err, RecursionError):
        return TOO_DEEP
    return TOO_LONG if "set_int_max_str_digits" in str(err) else str(err)
