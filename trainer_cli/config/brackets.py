"""Values in brackets or quotes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from trainer_cli.config.document import MAX_DEPTH
from trainer_cli.config.scalars import (
    CONSTANTS,
    DOLLAR,
    NOT_FINITE,
    BadValueError,
    Template,
    Variable,
    number,
    text,
    variable,
)
from trainer_cli.config.words import shorten

SPACE = re.compile(r"[ \t\n]*")
TEXT = re.compile(r'"((?:[^"\\\x00-\x1f]|\\.)*+)"')
TOKEN = re.compile(r'[^\s,:\[\]{}"]+')


def explain_indented(rest: str) -> str:
    return f"the line is indented, so it belongs to the value above: {shorten(rest)}. Begin it at the margin"


class Brackets:
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
        if rest and self.raw[self.at - 1] == "\n":
            raise BadValueError(explain_indented(rest), self.at)
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

    def nested(self, read: Callable[[], Any]) -> Any:
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
            raise BadValueError(f"{token} is no value. Did you mean {token.lower().replace('none', 'null')}?", start)
        meant = shorten(token.strip("'"))
        raise BadValueError(f'a text inside brackets stands in double quotes. Did you mean "{meant}"?', start)

    def shown(self) -> str:
        return shorten(self.raw[self.at :], 20) or "the end"
