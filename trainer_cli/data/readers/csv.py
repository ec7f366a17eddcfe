"""Tables as text: comma- or tab-separated values with a header row."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from trainer_cli.data.block import BLOCK_BYTES, BLOCK_ROWS, Block, Places
from trainer_cli.data.faults import MAX_SHOWN, FaultsError, shown
from trainer_cli.data.readers.files import only_file, opened
from trainer_cli.data.readers.lines import Lines, LongLineError, compact
from trainer_cli.errors import ArgumentError, DataError, Problem
from trainer_cli.registry import registry

SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")

# The header, with newlines in its names, is looked for in so many lines.
HEADER_LINES = 20
# What is tried, in this order, where the usual delimiter leaves the header in one piece.
OTHER_DELIMITERS = (",", ";", "\t", "|")

# How files begin that are no tables of text.
OTHER_FORMATS = {
    "{": 'the file looks like JSON, an object a line: take @readers = "jsonl.v1"',
    "PK\3\4": "the file is a zip archive or a spreadsheet (.xlsx): save the table as CSV",
    "PAR1": "the file looks like parquet: save the table as CSV",
    "\x93NUMPY": 'the file looks like a numpy array: take @readers = "npz.v1"',
}

# What the csv module says, and what a user can do about it.
CSV_ERRORS = {
    "unexpected end of data": "a quote opened here is never closed",
    "field larger than field limit": "a value is longer than {limit} characters; is a quote left open?",
    "expected after": 'after a closing quote the next value must follow; write "" for a quote inside quotes',
    "new-line character": "a carriage return stands inside the line; end lines with LF or CRLF",
}


@registry.readers("csv.v1")
class CSVReader:
    """Rows of a CSV file (RFC 4180, strictly) as columns of text.

    The first row names the columns. The file is UTF-8, with or without a byte order mark, whatever the locale; .gz is
    unpacked. `delimiter`, unless given, is a comma (a tab for names that end in .tsv or .tsv.gz), or where that leaves
    the header in one piece the first of comma, semicolon, tab and bar that does not. Wholly empty lines are no rows.
    """

    def __init__(self, path: Path, delimiter: str | None = None):
        self.path = Path(path)
        self.delimiter = delimiter
        if delimiter is not None and (not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n\0'):
            message = f'a delimiter is one character, such as "," or ";" or "\\t" (a tab), got {delimiter!r}'
            raise ArgumentError(problems=[Problem(message, where="delimiter")])

    def columns(self) -> tuple[str, ...]:
        with opened(self.path) as file:
            lines = Lines(file, str(self.path))
            return self._header(self._records(lines), lines)

    def blocks(self) -> Iterator[Block]:
        """Blocks of up to 4,096 rows, or 4 MiB of text; ragged or undecodable rows are reported at the end."""
        with opened(self.path) as file:
            lines = Lines(file, str(self.path))
            records = self._records(lines)
            names = self._header(records, lines)
            start = 0
            for rows, numbers in _whole(records, len(names), lines):
                columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
                rows.clear()
                yield Block(columns, Places(str(self.path), compact(numbers)), start)
                start += len(numbers)
            lines.faults.check()
            if start == 0:
                raise DataError(problems=[Problem("the file has a header but no rows", str(self.path), 1)])

    def files(self) -> tuple[Path, ...]:
        return (self.path,)

    def settings(self) -> dict[str, Any]:
        return {"delimiter": self.delimiter}

    @classmethod
    def at(cls, data: Path, **settings: Any) -> CSVReader:
        return cls(only_file(data, SUFFIXES) if data.is_dir() else data, **settings)

    def _records(self, lines: Lines) -> Iterator[tuple[int, list[str]]]:
        """Each record with the line it begins at. The csv module loses its place at a mistake: reading ends there."""
        start, stream = 1, iter(lines)
        try:
            first = header_lines(stream)
            rows = csv.reader(chain(first, stream), delimiter=self.delimiter or self._detected(first), strict=True)
            for row in rows:
                lines.end_record()
                if row and lines.bad.isdisjoint(range(start, rows.line_num + 1)):
                    yield start, row
                start = rows.line_num + 1
        except (csv.Error, LongLineError) as err:
            lines.faults.add(Problem(_explained(err), str(self.path), start))

    def _detected(self, first: Sequence[str]) -> str:
        usual = "\t" if self.path.name.lower().endswith((".tsv", ".tsv.gz")) else ","
        return next((one for one in (usual, *OTHER_DELIMITERS) if is_split(first, one)), usual)

    def _header(self, records: Iterator[tuple[int, list[str]]], lines: Lines) -> tuple[str, ...]:
        line, names = next(records, (0, []))
        lines.faults.check()
        if not names:
            raise FaultsError([Problem("the file is empty; its first row must name the columns", str(self.path))], 1)
        for start, message in OTHER_FORMATS.items():
            if names[0].startswith(start):
                raise FaultsError([Problem(message, str(self.path), line)], 1)
        wrong = _wrong_names(names)
        hint = "; does the file have a header row?"
        if first := [Problem(message + hint, str(self.path), line) for message in islice(wrong, MAX_SHOWN)]:
            raise FaultsError(first, len(first) + sum(1 for _ in wrong))
        return tuple(names)


def header_lines(lines: Iterator[str]) -> list[str]:
    """The lines of the first row: blank ones above it, and those that a quoted name with newlines goes on in.

    >>> header_lines(iter(["", '"a', 'b",c', "1,2"]))
    ['', '"a', 'b",c']
    """
    first: list[str] = []
    for line in islice(lines, HEADER_LINES):
        first.append(line)
        if line.strip() and sum(each.count('"') for each in first) % 2 == 0:
            break
    return first


def is_split(lines: Sequence[str], delimiter: str) -> bool:
    """Whether a delimiter cuts the header, the first row of some lines, in several values.

    >>> is_split(["", "a;b"], ";"), is_split(['"a;b"'], ";")
    (True, False)
    """
    try:
        return len(next((row for row in csv.reader(lines, delimiter=delimiter, strict=True) if row), ())) > 1
    except csv.Error:
        return False


def _wrong_names(names: list[str]) -> Iterator[str]:
    seen = set()
    for position, name in enumerate(names, 1):
        if not name.strip():
            remedy = "give it one, or leave the column out (pandas: to_csv(index=False))"
            yield f"column {position} has no name: {remedy}"
        elif name in seen:
            yield f"two columns are named {shown(name)}"
        seen.add(name)


def _whole(
    records: Iterator[tuple[int, list[str]]], width: int, lines: Lines
) -> Iterator[tuple[list[list[str]], list[int]]]:
    """Records that have `width` values, gathered for blocks, with their lines; the others become faults."""
    rows: list[list[str]] = []
    numbers: list[int] = []
    block_start = lines.n_bytes
    for line, row in records:
        if len(row) != width:
            message = f"expected {width} values as in the header, got {len(row)}"
            lines.faults.add(Problem(message, lines.path, line))
            continue
        rows.append(row)
        numbers.append(line)
        if len(rows) == BLOCK_ROWS or lines.n_bytes - block_start > BLOCK_BYTES:
            yield rows, numbers
            rows, numbers, block_start = [], [], lines.n_bytes
    if rows:
        yield rows, numbers


def _explained(err: Exception) -> str:
    for words, message in CSV_ERRORS.items():
        if words in str(err):
            return message.format(limit=f"{csv.field_size_limit():,}")
    return str(err)
