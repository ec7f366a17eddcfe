"""What a value is made of: numbers, texts and variables."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trainer_cli.config.words import shorten, suggest_number

MAX_INT = 2**64 - 1

INTEGER = re.compile(r"-?(?:0|[1-9]\d*)", re.ASCII)
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
DOLLAR = re.compile(r"\$\$|\$\{[^{}]*\}|\$")
NAME = re.compile(r"[\w*-]+(?:[.:][\w*-]+)*")
NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
CONSTANTS = {"true": True, "false": False, "null": None}
# Python's spellings are read as confection reads them.
SPELLINGS = CONSTANTS | {"True": True, "False": False, "None": None}


class BadValueError(Exception):
    """A value that cannot be read, with the offset of the mistake in its text."""

    def __init__(self, message: str, offset: int = 0):
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True)
class Variable:
    """`${name}` standing alone: takes the value or the section as it is."""

    name: str
    offset: int


@dataclass(frozen=True)
class Template:
    """A text with variables in it."""

    parts: tuple[str | Variable, ...]
    offset: int


def number(token: str, offset: int) -> int | float:
    """Read a number of JSON's grammar that is finite and neither too large nor too small to be held."""
    if INTEGER.fullmatch(token):
        if len(token) > 21 or abs(int(token)) > MAX_INT:
            raise BadValueError(f"{shorten(token)} is too large: whole numbers go up to {MAX_INT}", offset)
        return int(token)
    if not NUMBER.fullmatch(token):
        raise BadValueError(explain_number(token), offset)
    found = float(token)
    if found in (float("inf"), float("-inf")):
        raise BadValueError(f"{shorten(token)} is too large for a number: it would become infinite", offset)
    if found == 0 and re.search("[1-9]", token.lower().partition("e")[0]):
        raise BadValueError(f"{shorten(token)} is too small for a number: it would become 0", offset)
    return found


def explain_number(token: str) -> str:
    if NOT_FINITE.fullmatch(token):
        return f"expected a finite number, got {token}"
    if re.search(r",\s+\S", token) and not re.search("[#;]", token):
        return f"a list stands in brackets, got {shorten(token)}. Did you mean [{shorten(token)}]?"
    suggestion = suggest_number(token)
    if suggestion is not None and re.search(r"\s[#;]", token):
        return f"expected a number, got {shorten(token)}. Did you mean {suggestion}? A comment needs a line of its own"
    if suggestion is not None:
        return f"expected a number or a quoted text, got {shorten(token)}. Did you mean {suggestion}?"
    return f'expected a number or a quoted text, got {shorten(token)}. Did you mean "{shorten(token)}"?'


def text(body: str, offset: int) -> str | Template:
    """A text, or a Template where it has variables; `$$` stands for the sign itself."""
    parts = split_variables(body, offset)
    if any(isinstance(part, Variable) for part in parts):
        return Template(parts, offset)
    return "".join(part for part in parts if isinstance(part, str))


def split_variables(body: str, offset: int) -> tuple[str | Variable, ...]:
    """Cut a text at its variables."""
    parts: list[str | Variable] = []
    end = 0
    for match in DOLLAR.finditer(body):
        parts.append(body[end : match.start()])
        parts.append("$" if match[0] == "$$" else variable(match[0], body, offset + match.start()))
        end = match.end()
    parts.append(body[end:])
    return tuple(part for part in parts if part != "")


def variable(found: str, body: str, offset: int) -> Variable:
    name = found[2:-1]
    if found == "$":
        rule = "a variable is written ${section.key}, the sign itself $$"
        raise BadValueError(f"{rule}, got {shorten(body)}", offset)
    if not NAME.fullmatch(name):
        raise BadValueError(f"a variable is written ${{section.key}}, got {shorten(found)}", offset)
    return Variable(name.replace(":", "."), offset)
