"""The lines of a text file, each decoded strictly and known by its number."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from io import BufferedReader
from itertools import islice
from typing import IO, Protocol, TypeVar

import numpy as np

from trainer_cli.arrays import Ints
from trainer_cli.data.block import BLOCK_BYTES, BLOCK_ROWS
from trainer_cli.data.faults import Faults
from trainer_cli.data.readers.encoding import UTF_8, Transcoded, is_wide, remedy, wide_in, wrong_byte
from trainer_cli.data.readers.files import MAX_LINE
from trainer_cli.errors import DataError, Problem

Record = TypeVar("Record")

# What stands in the place of a line that is too long.
PASSED_OVER = "\ufffd\n"
# So much of it is read at once.
SKIPPED_BYTES = 1 << 16


class Counted(Protocol):
    """What is read, and how much of it has been: bytes or characters."""

    n_bytes: int


# What becomes of the rest of a file whose records cannot be told apart any more.
UNREAD = "nothing from here on was read"


class LongLineError(Exception):
    """A record of several lines is longer than any honest one: where it ends is not known."""


class Lines:
    """The lines of a file as text; what is no text is gathered in `faults` with its line, which is in `bad` as well.

    A line too long to be held is such a one, of which a mark is all that is given. `suspect` is what may have made a
    record of several lines too long; `delimiter` is what cuts a table's lines, once its reader knows.
    """

    def __init__(self, file: IO[bytes], path: str, encoding: str = UTF_8, suspect: str = "is a quote left open?"):
        self.file = file
        self.path = path
        self.encoding = encoding
        if is_wide(encoding):
            self.file, self.encoding = BufferedReader(Transcoded(file, encoding, path)), UTF_8
        self.suspect = suspect
        self.delimiter: str | None = None
        self.faults = Faults()
        self.bad: set[int] = set()
        self.n_bytes = 0
        self.record_start = 0

    def __iter__(self) -> Iterator[str]:
        number = 0
        while data := self.file.readline(MAX_LINE + 1):
            number += 1
            if len(data) > MAX_LINE:
                is_ended, data = data.endswith(b"\n"), b""
                self._pass_over(is_ended, number)
                yield PASSED_OVER
                continue
            self.n_bytes += len(data)
            if self.n_bytes - self.record_start > MAX_LINE:
                raise LongLineError(f"a row is longer than {MAX_LINE >> 20} MiB; {self.suspect} {UNREAD.capitalize()}")
            if number == 1:
                data = self._without_mark(data)
            if b"\0" in data:
                self.fault("a NUL byte stands in the line; the file is damaged or no text", number)
                self.bad.add(number)
            try:
                yield data.decode(self.encoding)
            except UnicodeDecodeError as err:
                self.fault(wrong_byte(err, self.encoding, err.start + 1), number, remedy(err, self.encoding))
                self.bad.add(number)
                yield data.decode(self.encoding, "replace")

    def end_record(self) -> None:
        self.record_start = self.n_bytes

    def _pass_over(self, is_ended: bool, number: int) -> None:
        """Leave out what there still is of a line."""
        while not is_ended:
            data = self.file.readline(SKIPPED_BYTES)
            is_ended = not data or data.endswith(b"\n")
        self.fault(f"the line is longer than {MAX_LINE >> 20} MiB; is a line end missing?", number)
        self.bad.add(number)

    def _without_mark(self, data: bytes) -> bytes:
        if self.encoding != UTF_8:
            return data
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            message = 'the file is UTF-16; set text_encoding = "utf-16", or save it as UTF-8'
            raise DataError(problems=[Problem(message, self.path, 1)])
        if wide := wide_in(data):
            message = f'the file looks like UTF-16; set text_encoding = "{wide}", or save it as UTF-8'
            raise DataError(problems=[Problem(message, self.path, 1)])
        return data.removeprefix(codecs.BOM_UTF8)

    def fault(self, message: str, line: int, cause: str = "") -> None:
        self.faults.add(Problem(message, self.path, line, cause=cause))


def stretches(
    records: Iterator[tuple[int, Record]], lines: Counted, room: int | None, block_rows: int = BLOCK_ROWS
) -> Iterator[tuple[list[Record], list[int]]]:
    """Records with the lines they begin at, gathered for blocks: up to `block_rows` or 4 MiB of text, and `room` in
    all."""
    rows: list[Record] = []
    numbers: list[int] = []
    start = lines.n_bytes
    for number, row in islice(records, room):
        rows.append(row)
        numbers.append(number)
        if len(rows) == block_rows or lines.n_bytes - start > BLOCK_BYTES:
            yield rows, numbers
            rows, numbers, start = [], [], lines.n_bytes
    if rows:
        yield rows, numbers


def compact(lines: list[int]) -> range | Ints:
    """Line numbers as a range where they follow each other, as they do without quoted newlines."""
    if lines[-1] - lines[0] == len(lines) - 1:
        return range(lines[0], lines[-1] + 1)
    return np.array(lines, dtype=np.int64)
