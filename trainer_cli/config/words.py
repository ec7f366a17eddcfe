"""How values and types are named in messages, and what a mistyped one was probably meant to be."""

from __future__ import annotations

import json
import math
import re
from typing import Any

MAX_SHOWN = 60

# What a hand leaves in a number: a comment, digits in groups, a decimal comma, the letter O, a stray letter.
COMMENT = re.compile(r"\s*[#;].*", re.DOTALL)
MANTISSA_EXPONENT = re.compile(r"(.*?)([eE][+-]?\d+)?", re.DOTALL)
MAX_STRAY = 2
# Thousands apart by commas; a number that begins with a zero is none.
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?", re.ASCII)
# A number with a unit: a percentage, or a time in seconds.
UNIT = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*(%|s|sec|m|min|h)", re.ASCII)
UNITS = {"%": 0.01, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600}


def shorten(text: str, limit: int = MAX_SHOWN) -> str:
    """`text` on one line, cut to `limit` characters.

    >>> shorten("a long text", 8)
    'a lon...'
    """
    flat = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * limit]).split())
    return flat if len(flat) <= limit else flat[: limit - 3] + "..."


def say(value: Any) -> str:
    """A config value as a message names it.

    >>> say("0.00l1"), say(None), say([1, 2])
    ('the text "0.00l1"', 'null', 'the list [1, 2]')
    """
    if isinstance(value, str):
        return f'the text "{shorten(value)}"'
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, list):
        plain = all(item is None or isinstance(item, bool | int | float | str) for item in value)
        return f"the list {shorten(json.dumps(value))}" if plain else "a list"
    if isinstance(value, dict):
        return "a section"
    article = "an" if type(value).__name__[:1].lower() in "aeiou" else "a"
    return f"{article} {type(value).__name__}"


def alternatives(texts: list[str]) -> str:
    """
    >>> alternatives(["a number", "null", "a Schedule"])
    'a number, null or a Schedule'
    """
    unique = list(dict.fromkeys(texts))
    return unique[0] if len(unique) == 1 else f"{', '.join(unique[:-1])} or {unique[-1]}"


def suggest_number(text: str) -> str | None:
    """The number that was probably meant by a text that is none, or None.

    >>> [suggest_number(text) for text in ("0.00l1", "0.0l", "1_000", ".5", "0,5", "1 # note")]
    ['0.001', '0.01', '1000', '0.5', '0.5', '1']
    >>> [suggest_number(text) for text in ("1O", "many", "20%", "5m", "2,700", "0,700")]
    ['10', None, '0.2', '300', '2700', '0.7']
    """
    if (united := UNIT.fullmatch(text[:MAX_SHOWN].strip())) is not None:
        return f"{float(united[1]) * UNITS[united[2]]:.12g}"
    word = COMMENT.sub("", text[: 2 * MAX_SHOWN]).strip().strip("'\"").replace("_", "")
    if not word[:1].isdigit() and word[:1] not in tuple("+-."):
        return None
    word = word.replace("O", "0").replace("o", "0")
    if re.fullmatch(r"[+-]?0\.0*[lI]", word):
        word = word[:-1] + "1"
    if GROUPED.fullmatch(word):
        word = word.replace(",", "")
    elif word.count(",") == 1 and "." not in word:
        word = word.replace(",", ".")
    match = MANTISSA_EXPONENT.fullmatch(word)
    assert match is not None, "every text is a mantissa and perhaps an exponent"
    kept = re.sub(r"[^\d.+-]", "", match[1]) + (match[2] or "")
    if len(word) - len(kept) > MAX_STRAY:
        return None
    return as_json_number(kept)


def as_json_number(text: str) -> str | None:
    """`text` as JSON writes the number that Python reads in it, or None where it reads none."""
    try:
        number = int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)
    except ValueError:
        return None
    return json.dumps(number) if math.isfinite(number) else None


def did_you_mean_number(text: str) -> str:
    number = suggest_number(text)
    if number is None:
        return ""
    return f". Did you mean {number}{', without the quotes' if number == text.strip() else ''}?"
