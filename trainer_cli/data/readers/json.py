"""Records as one JSON array of objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from trainer_cli.data.block import BLOCK_BYTES, BLOCK_ROWS, Block, Places
from trainer_cli.data.faults import Faults, FaultsError, shown
from trainer_cli.data.readers.encoding import UTF_8, checked_encoding, texts
from trainer_cli.data.readers.files import MAX_LINE, opened
from trainer_cli.data.readers.fileset import FileSet, Names
from trainer_cli.data.readers.lines import compact
from trainer_cli.data.readers.objects import Missing, Objects, UnfitError, checked_missing
from trainer_cli.data.readers.unpack import with_packed
from trainer_cli.errors import DataError, Problem
from trainer_cli.registry import registry

# What JSON takes for blank is little.
VISIBLE = re.compile(r"[^ \t\r\n]")

Record = Mapping[str, Any]


@registry.readers("json.v1")
class JSONReader(FileSet):
    """Rows of a file with one JSON array of objects, as columns of text, tokens or numbers; see `jsonl.v1`.

    An object at a time is held in memory, not the array. `missing`, `columns`, `limit` and `text_encoding` are those
    of `jsonl.v1`. What stands where an object should is told by its line, and so is whatever ends the reading.
    """

    suffixes = with_packed(".json")
    takes_stdin = True

    def __init__(
        self,
        path: Path,
        *,
        missing: Missing = "error",
        columns: list[str] | None = None,
        limit: int | None = None,
        text_encoding: str = UTF_8,
    ):
        self.missing = checked_missing(missing)
        self.encoding = checked_encoding(text_encoding)
        super().__init__(path, columns, limit, missing=missing, text_encoding=self.encoding)

    def names_in(self, path: Path) -> Names:
        with opened(path) as file:
            items = Items(file, self.encoding, str(path))
            return next((tuple(record) for _, record in items.records()), ()) or items.refuse_empty()

    def blocks_in(self, path: Path, room: int | None) -> Iterator[Block]:
        """Blocks of up to 4,096 rows, or 4 MiB of text; objects that do not fit are reported at the end."""
        with opened(path) as file:
            items, objects, start = Items(file, self.encoding, str(path)), Objects(self.missing), 0
            rows: list[tuple[int, Record, list[Any]]] = []
            begun = 0
            for line, record in items.records():
                try:
                    rows.append((line, record, objects.values(record)))
                except UnfitError as err:
                    items.fault(str(err), line)
                is_last = room is not None and start + len(rows) == room
                if is_last or len(rows) == BLOCK_ROWS or items.n_read - begun > BLOCK_BYTES:
                    if rows:
                        yield block(rows, objects, str(path), start)
                    start, rows, begun = start + len(rows), [], items.n_read
                if is_last:
                    break
            if rows:
                yield block(rows, objects, str(path), start)
            items.faults.check()
            if start == 0 and not rows:
                items.refuse_empty()


def block(rows: list[tuple[int, Record, list[Any]]], objects: Objects, path: str, start: int) -> Block:
    """The block of rows, each its line, object and values."""
    lines, records, values = zip(*rows, strict=True)
    return Block(objects.columns(values), Places(path, compact(list(lines))), start, records)


class Items:
    """The objects in an array, each with the line it begins at. `text` is what was read and is still ahead."""

    def __init__(self, file: IO[bytes], encoding: str, path: str):
        self.path = path
        self.faults = Faults()
        self.pieces = texts(file, encoding, path)
        self.text = ""
        self.at = 0
        self.line = 1
        self.n_read = 0
        self.decoder = json.JSONDecoder()

    def records(self) -> Iterator[tuple[int, Record]]:
        """The objects; other items become faults. What is no JSON ends the reading, and is a fault as well."""
        try:
            self._expect("[")
            while self._next() != "]":
                line = self.line
                item = self._item()
                if isinstance(item, dict) and item:
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

    def refuse_empty(self) -> Names:
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
            hint = '; an object a line is read by @readers = "jsonl.v1"' if char == "[" and found == "{" else ""
            raise self._wrong(f'expected "{char}", got {got}{hint}')
        self._skip(1)

    def _item(self) -> Any:
        """The JSON value that is ahead. More is read until it is whole, or longer than any honest one."""
        while True:
            try:
                item, end = self.decoder.raw_decode(self.text, self.at)
            except json.JSONDecodeError as err:
                if len(self.text) - self.at <= MAX_LINE and self._more():
                    continue
                if len(self.text) - self.at > MAX_LINE:
                    raise self._wrong(f"an object that begins here is longer than {MAX_LINE >> 20} MiB") from err
                line = self.line + self.text.count("\n", self.at, err.pos)
                raise self._wrong(f"expected JSON: {err.msg}", line) from err
            except (ValueError, RecursionError) as err:
                raise self._wrong(f"expected JSON: {err}") from err
            if end < len(self.text) or not self._more():
                self._skip(end - self.at)
                return item

    def _more(self) -> bool:
        """Read on, as much again as is ahead, so that a long object is not begun anew too often."""
        ahead, wanted = [self.text[self.at :]], len(self.text) - self.at
        for piece in self.pieces:
            ahead.append(piece)
            self.n_read += len(piece)
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
