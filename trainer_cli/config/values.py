"""One value of a config: strict JSON, a variable, or an unquoted word that cannot be anything else.

An unquoted text begins with a letter, `_`, `/`, `~`, `./` or `../` and holds only letters, digits and `_ - . / ~ @ + *`
(and `://`). So paths and names need no quotes, while whatever begins like a number, a list or a quoted text must be a
whole one: `1 # note`, `1_000`, `.5`, `[1, 2` and `'text'` are mistakes. Words like `nan` or `TRUE` are refused as well.
A mix of unquoted text and variables must have a `/`, as paths do.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from trainer_cli.config.document import MAX_DEPTH
from trainer_cli.config.words import shorten, suggest_number

MAX_INT = 2**64 - 1

SPACE = re.compile(r"[ \t\n]*")
TEXT = re.compile(r'"((?:[^"\\\x00-\x1f]|\\.)*+)"')
INTEGER = re.compile(r"-?(?:0|[1-9]\d*)", re.ASCII)
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
TOKEN = re.compile(r'[^\s,:\[\]{}"]+')
DOLLAR = re.compile(r"\$\$|\$\{[^{}]*\}|\$")
NAME = re.compile(r"[\w*-]+(?:[.:][\w*-]+)*")
PLAIN = re.compile(r"(?:[^\W\d]|/|~|\.\.?/)(?:[\w./~@+*-]|://)*")
CONSTANTS = {"true": True, "false": False, "null": None}
# Python's spellings are read as confection reads them.
SPELLINGS = CONSTANTS | {"True": True, "False": False, "None": None}
NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)


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
        return Json(raw).whole()
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
        return Json(raw.strip()).whole()
    if raw in SPELLINGS:
        return SPELLINGS[raw]
    if NUMBER.fullmatch(raw) or NOT_FINITE.fullmatch(raw) or suggest_number(raw) is not None:
        return number(raw, 0)
    return text(raw, 0)


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
    suggestion = suggest_number(token)
    if suggestion is not None and re.search(r"\s[#;]", token):
        return f"expected a number, got {shorten(token)}. Did you mean {suggestion}? A comment needs a line of its own"
    if suggestion is not None:
        return f"expected a number or a quoted text, got {shorten(token)}. Did you mean {suggestion}?"
    return f'expected a number or a quoted text, got {shorten(token)}. Did you mean "{shorten(token)}"?'


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
    if raw[0] == "'":
        return f'a text stands in double quotes. Did you mean "{shorten(raw.strip(chr(39)))}"?'
    if re.search(r"\s[#;]", raw):
        return f"a comment needs a line of its own, got {shorten(raw)}"
    return f'expected JSON or one unquoted word, got {shorten(raw)}. Did you mean "{shorten(raw)}"?'


def refuse_near_miss(word: str) -> None:
    """Refuse words that look like a constant but would be texts."""
    if NOT_FINITE.fullmatch(word):
        raise BadValueError(f"expected a finite number, got {word}")
    if word.lower() in (*CONSTANTS, "none"):
        meant = {"none": "null"}.get(word.lower(), word.lower())
        raise BadValueError(f'{word} is no value. Did you mean {meant}, or the text "{word}"?')


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


class Json:
    """A reader of strict JSON whose texts may hold variables, and in which a variable may stand for a value."""

    def __init__(self, raw: str):
        self.raw = raw
        self.at = 0
        self.depth = 0

    def whole(self) -> Any:
        value = self.value()
        self.skip_space()
        rest = self.raw[self.at :]
        if rest[:1] in ("#", ";"):
            raise BadValueError(f"a comment needs a line of its own, got {shorten(rest)}", self.at)
        if rest:
            raise BadValueError(f"expected the value to end, got {shorten(rest)}", self.at)
        return value

    def skip_space(self) -> str:
        """Go to the next character that counts and return it, an empty text at the end."""
        match = SPACE.match(self.raw, self.at)
        assert match is not None, "the pattern matches nothing as well"
        self.at = match.end()
        return self.raw[self.at : self.at + 1]

    def value(self) -> Any:
        first = self.skip_space()
        if first == "[":
            return self.nested(self.list)
        if first == "{":
            return self.nested(self.dict)
        if first == '"':
            return self.text()
        if first == "$":
            return self.variable()
        return self.scalar()

    def nested(self, read: Any) -> Any:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise BadValueError(f"brackets are nested deeper than {MAX_DEPTH}", self.at)
        self.at += 1
        found = read()
        self.depth -= 1
        return found

    def list(self) -> list[Any]:
        found: list[Any] = []
        if self.skip_space() == "]":
            self.at += 1
            return found
        while True:
            found.append(self.value())
            if self.ends("]"):
                return found

    def dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.skip_space() == "}":
            self.at += 1
            return found
        while True:
            start = self.at
            key = self.key()
            if key in found:
                raise BadValueError(f'the key "{shorten(key)}" appears twice', start)
            found[key] = self.value()
            if self.ends("}"):
                return found

    def ends(self, bracket: str) -> bool:
        """Go past a comma or the closing bracket; True at the bracket."""
        found = self.skip_space()
        if found not in (",", bracket) or not found:
            raise BadValueError(f"expected , or {bracket}, got {self.shown()}", self.at)
        self.at += 1
        if found == "," and self.skip_space() == bracket:
            raise BadValueError(f"a comma stands before {bracket}: take it away", self.at)
        return found == bracket

    def key(self) -> str:
        if self.skip_space() != '"':
            raise BadValueError(f"expected a key in double quotes, got {self.shown()}", self.at)
        key = self.text()
        if not isinstance(key, str):
            raise BadValueError("a key cannot hold a variable", self.at)
        if self.skip_space() != ":":
            raise BadValueError(f'expected : after "{shorten(key)}", got {self.shown()}', self.at)
        self.at += 1
        return key

    def text(self) -> str | Template:
        start = self.at
        match = TEXT.match(self.raw, start)
        if match is None:
            raise BadValueError("a text is not closed: its second double quote is missing on this line", start)
        self.at = match.end()
        body = text(match[1], start + 1)
        if isinstance(body, str):
            return self.unescape(body, start)
        parts = tuple(self.unescape(part, start) if isinstance(part, str) else part for part in body.parts)
        return Template(parts, start)

    def unescape(self, body: str, start: int) -> str:
        try:
            found: str = json.loads(f'"{body}"')
            found.encode()
        except json.JSONDecodeError:
            raise BadValueError("a backslash in a text is written \\\\", start) from None
        except UnicodeEncodeError:
            raise BadValueError("a text holds half a character (a lone surrogate)", start) from None
        return found

    def variable(self) -> Variable:
        match = DOLLAR.match(self.raw, self.at)
        assert match is not None, "a value that begins with $ is one"
        found = variable(match[0] if match[0] != "$$" else "$", self.shown(), self.at)
        self.at = match.end()
        return found

    def scalar(self) -> Any:
        match = TOKEN.match(self.raw, self.at)
        if match is None:
            raise BadValueError(f"expected a value, got {self.shown()}", self.at)
        token, start = match[0], self.at
        self.at = match.end()
        if token in CONSTANTS:
            return CONSTANTS[token]
        if token[0].isdigit() or token[0] in "+-." or NOT_FINITE.fullmatch(token):
            return number(token, start)
        if token.lower() in (*CONSTANTS, "none"):
            raise BadValueError(f"{token} is no value. Did you mean {SPELLINGS.get(token, token.lower())}?", start)
        raise BadValueError(f'a text inside brackets stands in double quotes. Did you mean "{shorten(token)}"?', start)

    def shown(self) -> str:
        return shorten(self.raw[self.at :], 20) or "the end"
