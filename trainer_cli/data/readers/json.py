"""Records as one JSON array of objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

from trainer_cli.data.faults import Faults, FaultsError, shown
from trainer_cli.data.readers.encoding import texts
from trainer_cli.data.readers.files import MAX_LINE
from trainer_cli.data.readers.lines import UNREAD
from trainer_cli.data.readers.objects import Record
from trainer_cli.data.readers.recordset import RecordSet
from trainer_cli.data.readers.strict_json import STRICT, TOO_DEEP, is_deep, reason
from trainer_cli.data.readers.unpack import with_packed
from trainer_cli.errors import DataError, Problem
from trainer_cli.registry import registry

# What JSON takes for blank is little.
VISIBLE = re.compile(r"[^ \t\r\n]")
# An object that begins with an array of objects.
WRAPPED = re.compile(r'\{\s*"([^"\\]*)"\s*:\s*\[\s*\{')


@registry.readers("json.v1")
class JSONReader(RecordSet):
    """Rows of a file with one JSON array of objects, as columns of text, tokens or numbers; see `jsonl.v1`.

    A block of objects at a time is held in memory, not the array. `missing`, `columns`, `limit` and `text_encoding` are
    those of `jsonl.v1`. What stands where an object should is told by its line, and so is whatever ends the reading.
    """

    suffixes = with_packed(".json")
    takes_stdin = True

    def source(self, file: IO[bytes], path: Path) -> Items:
        return Items(file, self.encoding, str(path))


class Items:
    """The objects in an array, each with the line it begins at. `text` is what was read and is still ahead."""

    def __init__(self, file: IO[bytes], encoding: str, path: str):
        self.path = path
        self.faults = Faults()
        self.pieces = texts(file, encoding, path)
        self.text = ""
        self.at = 0
        self.line = 1
        self.n_bytes = 0
        self.decoder = STRICT

    def records(self) -> Iterator[tuple[int, Record]]:
        """The objects; other items become faults. What is no JSON ends the reading, and is a fault as well."""
        try:
            self._expect("[")
            while self._next() != "]":
                line = self.line
                item, text = self._item()
                if is_deep(text):
                    self.fault(TOO_DEEP, line)
                elif isinstance(item, dict) and item:
                    yield line, item
                else:
                    message = 'expected an object such as {"text": "...", "label": "..."}'
                    self.fault(f"{message}, got {shown(str(item))}", line)
                if self._next() != "]":
                    self._expect(",")
                    if self._next() == "]":
                        raise self._wrong("expected another object after the comma")
            self._expect("]")
            if rest := self._next():
                raise self._wrong(f"expected the end of the file after the array, got {shown(rest)}")
        except DataError as err:
            self.faults.add_error(err)

    def fault(self, message: str, line: int) -> None:
        self.faults.add(Problem(message, self.path, line))

    def refuse_empty(self) -> NoReturn:
        """Report that there are no objects, or the mistakes because of which there are none."""
        self.faults.check()
        raise FaultsError([Problem("the array is empty; it must have an object a row", self.path, self.line)], 1)

    def _next(self) -> str:
        """The next character that is not blank, which stays ahead; empty at the end of the file."""
        while True:
            begin = VISIBLE.search(self.text, self.at)
            self._skip((begin.start() if begin else len(self.text)) - self.at)
            if begin or not self._more():
                return begin[0] if begin else ""

    def _expect(self, char: str) -> None:
        if (found := self._next()) != char:
            got = shown(found) if found else "the end of the file"
            line = self.line
            hint = self._hint() if char == "[" and found == "{" else ""
            raise self._wrong(f'expected "{char}", got {got}{hint}', line)
        self._skip(1)

    def _item(self) -> tuple[Any, str]:
        """The JSON value that is ahead, and its text. More is read until it is whole, or longer than any honest one."""
        while True:
            try:
                item, end = self.decoder.raw_decode(self.text, self.at)
            except json.JSONDecodeError as err:
                if len(self.text) - self.at <= MAX_LINE and self._more():
                    continue
                if len(self.text) - self.at > MAX_LINE:
                    message = f"an object that begins here is longer than {MAX_LINE >> 20} MiB: {UNREAD}"
                    raise self._wrong(message) from err
                line = self.line + self.text.count("\n", self.at, err.pos)
                raise self._wrong(f"expected JSON: {err.msg}; {UNREAD}", line) from err
            except (ValueError, RecursionError) as err:
                raise self._wrong(f"expected JSON: {reason(err)}; {UNREAD}") from err
            if end < len(self.text) or not self._more():
                text = self.text[self.at : end]
                self._skip(end - self.at)
                return item, text

    def _hint(self) -> str:
        """What an object in the place of the array may mean."""
        begun = WRAPPED.match(self.text, self.at)
        try:
            (item, _), rest = self._item(), self._next()
            key = next((name for name, value in item.items() if is_array(value)), None)
        except DataError:  # cut off, or longer than a row may be
            rest, key = "", begun[1] if begun else None
        if key is None or rest:
            return '; an object a line is read by @readers = "jsonl.v1"'
        return f"; json.v1 takes an array of objects, which this file has under the key {shown(key)}: save that alone"

    def _more(self) -> bool:
        """Read on, as much again as is ahead, so that a long object is not begun anew too often."""
        ahead, wanted = [self.text[self.at :]], len(self.text) - self.at
        for piece in self.pieces:
            ahead.append(piece)
            self.n_bytes += len(piece)
            wanted -= len(piece)
            if wanted <= 0:
                break
        self.text, self.at = "".join(ahead), 0
        return len(ahead) > 1

    def _skip(self, n: int) -> None:
        self.line += self.text.count("\n", self.at, self.at + n)
        self.at += n

    def _wrong(self, message: str, line: int = 0) -> DataError:
        return DataError(problems=[Problem(message, self.path, line or self.line)])


def is_array(value: Any) -> bool:
    """Whether a value is an array of objects."""
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)
