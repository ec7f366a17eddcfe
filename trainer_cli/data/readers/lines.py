"""The lines of a text file, each decoded strictly and known by its number."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import IO

import numpy as np

from trainer_cli.arrays import Ints
from trainer_cli.data.faults import Faults
from trainer_cli.data.readers.files import MAX_LINE
from trainer_cli.errors import DataError, Problem


class LongLineError(Exception):
    """A record is longer than any honest one."""


class Lines:
    """The lines of a file as text; what is no text is gathered in `faults` with its line, which is in `bad` as well."""

    def __init__(self, file: IO[bytes], path: str):
        self.file = file
        self.path = path
        self.faults = Faults()
        self.bad: set[int] = set()
        self.n_bytes = 0
        self.record_start = 0

    def __iter__(self) -> Iterator[str]:
        number = 0
        while data := self.file.readline(MAX_LINE + 1):
            number += 1
            self.n_bytes += len(data)
            if self.n_bytes - self.record_start > MAX_LINE:
                raise LongLineError(f"a row is longer than {MAX_LINE >> 20} MiB; is a quote left open?")
            if number == 1:
                data = self._without_mark(data)
            if b"\0" in data:
                self.fault("a NUL byte stands in the line; the file is damaged or no text", number)
            try:
                yield data.decode("utf-8")
            except UnicodeDecodeError as err:
                bad = f"byte 0x{data[err.start]:02x} at position {err.start + 1} of the line"
                self.fault(f"the file must be UTF-8 text, got {bad}; save it as UTF-8", number)
                self.bad.add(number)
                yield data.decode("utf-8", "replace")

    def end_record(self) -> None:
        self.record_start = self.n_bytes

    def _without_mark(self, data: bytes) -> bytes:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise DataError(problems=[Problem("the file is UTF-16; save it as UTF-8", self.path, 1)])
        return data.removeprefix(codecs.BOM_UTF8)

    def fault(self, message: str, line: int) -> None:
        self.faults.add(Problem(message, self.path, line))


def compact(lines: list[int]) -> range | Ints:
    """Line numbers as a range where they follow each other, as they do without quoted newlines."""
    if lines[-1] - lines[0] == len(lines) - 1:
        return range(lines[0], lines[-1] + 1)
    return np.array(lines, dtype=np.int64)
