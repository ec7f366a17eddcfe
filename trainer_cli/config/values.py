"""One value of a config: strict JSON, a variable, or an unquoted word that cannot be anything else.

An unquoted text begins with a letter, `_`, `/`, `~`, `./` or `../` and holds only letters, digits and `_ - . / ~ @ + *`
(and `://`). So paths and names need no quotes, while whatever begins like a number, a list or a quoted text must be a
whole one: `1 # note`, `1_000`, `.5`, `[1, 2` and `'text'` are mistakes. Words like `nan` or `TRUE` are refused as well.
A mix of unquoted text and variables must have a `/`, as paths do.
"""

from __future__ import annotations

import json
import re
from typing import Any

from trainer_cli.config.brackets import Brackets, explain_indented
from trainer_cli.config.scalars import (
    CONSTANTS,
    NOT_FINITE,
    NUMBER,
    SPELLINGS,
    BadValueError,
    Variable,
    explain_number,
    number,
    split_variables,
    text,
)
from trainer_cli.config.words import shorten, suggest_number

# The quotes that a word processor makes of straight ones.
CURLY = "\u201c\u201d\u201e\u00ab\u00bb\u2018\u2019"
PLAIN = re.compile(r"(?:[^\W\d]|/|~|\.\.?/)(?:[\w./~@+*-]|://)*")


def parse(raw: str) -> Any:
    """Read the value `raw` of a config file; what it may be is said at the top of this file.

    The result is JSON's None, bool, int, float, str, list and dict, with `Variable` and `Template` wherever `${...}`
    stands. A BadValueError names the first mistake.

    >>> parse("[1, 2.5]"), parse("data/train.csv"), parse('"50 $$"')
    ([1, 2.5], 'data/train.csv', '50 $')
    """
    if not raw:
        raise BadValueError('has no value. Write null for nothing, "" for an empty text')
    if raw[0] in '[{"':
        return Brackets(raw).whole()
    if "\n" in raw:
        end = raw.index("\n") + 1
        raise BadValueError(explain_indented(raw[end:]), end)
    if raw in SPELLINGS:
        return SPELLINGS[raw]
    if raw[0].isdigit() or raw[0] in "+-":
        return number(raw, 0)
    return plain(raw)


def parse_argument(raw: str) -> Any:
    """Read the value of an override: as in a file, but a text needs no quotes, since the shell took them.

    >>> parse_argument("my data/train 1.csv"), parse_argument("0.1"), parse_argument("")
    ('my data/train 1.csv', 0.1, '')
    """
    if raw and raw[0] in '[{"':
        return Brackets(raw.strip()).whole()
    if raw in SPELLINGS:
        return SPELLINGS[raw]
    if NUMBER.fullmatch(raw) or NOT_FINITE.fullmatch(raw) or suggest_number(raw) is not None:
        return number(raw, 0)
    return text(raw, 0)


def plain(raw: str) -> Any:
    """Read what is neither JSON nor a number: a variable, or an unquoted text."""
    parts = split_variables(raw, 0)
    if len(parts) == 1 and isinstance(parts[0], Variable):
        return parts[0]
    filled = "".join(part if isinstance(part, str) else "x" for part in parts)
    if not PLAIN.fullmatch(filled):
        raise BadValueError(explain_plain(raw))
    refuse_near_miss(raw)
    if any(isinstance(part, Variable) for part in parts) and "/" not in filled:
        raise BadValueError(f'a text with variables stands in double quotes. Did you mean "{shorten(raw)}"?')
    return text(raw, 0)


def explain_plain(raw: str) -> str:
    if raw[0] == ".":
        return explain_number(raw)
    if raw[0] == "=":
        return f"one = is enough. Did you mean {shorten(raw.lstrip('= '))}?"
    if raw[0] in CURLY or raw[-1] in CURLY:
        return f'a text stands in straight double quotes. Did you mean "{shorten(raw.strip(CURLY))}"?'
    if "\\" in raw:
        meant = raw.replace("\\", "/")
        return f'a path is written with /, got {shorten(raw)}. Did you mean "{shorten(meant)}"?'
    if raw[0] == "'":
        return f'a text stands in double quotes. Did you mean "{shorten(raw.strip(chr(39)))}"?'
    if re.search(r"\s[#;]", raw):
        return f"a comment needs a line of its own, got {shorten(raw)}"
    meant = f'"{shorten(raw)}"'
    if re.search(r",\s+\S", raw):
        texts = [part.strip().strip("'\"") for part in raw.split(",")]
        meant = f"[{', '.join(json.dumps(part, ensure_ascii=False) for part in texts if part)}]"
    return f"expected JSON or one unquoted word, got {shorten(raw)}. Did you mean {shorten(meant, 120)}?"


def refuse_near_miss(word: str) -> None:
    """Refuse words that look like a constant but would be texts."""
    if NOT_FINITE.fullmatch(word):
        raise BadValueError(f"expected a finite number, got {word}")
    if word.lower() in (*CONSTANTS, "none"):
        meant = {"none": "null"}.get(word.lower(), word.lower())
        raise BadValueError(f'{word} is no value. Did you mean {meant}, or the text "{word}"?')
