"""Tables as text: comma- or tab-separated values, with a header row or without."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from trainer_cli.data.block import Block, Places
from trainer_cli.data.faults import MAX_SHOWN, FaultsError, shown
from trainer_cli.data.readers.encoding import UTF_8, checked_encoding
from trainer_cli.data.readers.files import MAX_LINE, STDIN, opened
from trainer_cli.data.readers.fileset import FileSet, Names
from trainer_cli.data.readers.lines import UNREAD, Lines, LongLineError, compact, stretches
from trainer_cli.data.readers.standard_input import is_kept
from trainer_cli.data.readers.unpack import plain, with_packed
from trainer_cli.errors import ArgumentError, DataError, Problem
from trainer_cli.registry import registry

if TYPE_CHECKING:
    from _csv import Reader as Rows

# Each row with the line it begins at.
Records = Iterator[tuple[int, list[str]]]

# The header, with newlines in its names, is looked for in so many lines.
HEADER_LINES = 20
# So many lines after it are looked at to find the delimiter.
FOLLOWING_LINES = 20
# What is tried, in this order, where the usual delimiter leaves the header in one piece.
OTHER_DELIMITERS = (",", ";", "\t", "|")

# What is said of names that are none.
NO_HEADER = "; does the file have a header row? If not, set header = false"

# How files begin that are no tables of text.
OTHER_FORMATS = {
    "{": 'the file looks like JSON, an object a line: take @readers = "jsonl.v1"',
    "PK\3\4": "the file is a zip archive or a spreadsheet (.xlsx): save the table as CSV",
    "PAR1": 'the file looks like parquet: take @readers = "parquet.v1"',
    "\x93NUMPY": 'the file looks like a numpy array: take @readers = "npy.v1"',
    "SQLite format 3": 'the file looks like a database: take @readers = "sqlite.v1"',
}

# What the csv module says, and what a user can do about it.
CSV_ERRORS = {
    "unexpected end of data": f"a quote opened here is never closed: {UNREAD}",
    "expected after": 'after a closing quote the next value must follow; write "" for a quote inside quotes',
    "new-line character": "a carriage return stands inside the line; end lines with LF or CRLF",
}


@registry.readers("csv.v1")
class CSVReader(FileSet):
    """Rows of a CSV file (RFC 4180, strictly) as columns of text.

    The first row names the columns; with `header = false` it is a row like the others, and the columns are called
    `column1`, `column2` and so on. The file is UTF-8, with or without a byte order mark, whatever the locale, or has
    another `text_encoding`; packed files (.gz, .bz2, .xz, .zst) are unpacked. `delimiter`, unless given, is the one of
    comma, semicolon, tab and bar that cuts the header and the rows after it into as many values, several; of more than
    one that with the most values, and if none does the first that cuts the header. A tab is tried first in names that
    end in .tsv, packed or not. Wholly empty lines are no rows. `path` may be a pattern; `columns` and `limit` choose
    columns and the first rows.
    """

    suffixes = with_packed(".csv", ".tsv")
    takes_stdin = True

    def __init__(
        self,
        path: Path,
        delimiter: str | None = None,
        *,
        columns: list[str] | None = None,
        limit: int | None = None,
        text_encoding: str = UTF_8,
        header: bool = True,
    ):
        self.delimiter = delimiter
        self.header = header
        self.encoding = checked_encoding(text_encoding)
        super().__init__(path, columns, limit, delimiter=delimiter, text_encoding=self.encoding, header=header)
        if delimiter is not None and (not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n\0'):
            message = f'a delimiter is one character, such as "," or ";" or "\\t" (a tab), got {delimiter!r}'
            raise ArgumentError(problems=[Problem(message, where="delimiter")])
        if not isinstance(header, bool):
            message = f"header is true (the first row names the columns) or false, got {header!r}"
            raise ArgumentError(problems=[Problem(message, where="header")])

    def names_in(self, path: Path) -> Names:
        delimiter = self._delimiter(path)
        with opened(path) as file:
            lines = Lines(file, str(path), self.encoding)
            return self._named(records_of(lines, delimiter), lines)[0]

    def blocks_in(self, path: Path, room: int | None) -> Iterator[Block]:
        """Blocks of up to 4,096 rows, or 4 MiB of text; ragged or undecodable rows are reported at the end."""
        delimiter = self._delimiter(path)
        with opened(path) as file:
            lines = Lines(file, str(path), self.encoding)
            names, records = self._named(records_of(lines, delimiter), lines)
            first, start = "the header" if self.header else "the first row", 0
            for rows, numbers in stretches(_whole(records, len(names), lines, first), lines, room):
                columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
                rows.clear()
                yield Block(columns, Places(str(path), compact(numbers)), start)
                start += len(numbers)
            lines.faults.check()
            if start == 0:
                raise DataError(problems=[Problem("the file has a header but no rows", str(path), 1)])

    def _delimiter(self, path: Path) -> str | None:
        """The delimiter, by the first lines of the file, read apart; None where they can be read but once."""
        if self.delimiter is not None or (str(path) == STDIN and not is_kept()):
            return self.delimiter
        following: list[str] = []
        with opened(path) as file, suppress(LongLineError):
            lines = iter(Lines(file, str(path), self.encoding))
            first = header_lines(lines)
            following += islice(lines, FOLLOWING_LINES)
            return detected(first, following, usual_in(str(path)))
        return None

    def _named(self, records: Records, lines: Lines) -> tuple[Names, Records]:
        """The names of the columns, and the records that are rows."""
        line, first = next(records, (0, []))
        lines.faults.check()
        if not first:
            rule = "its first row must name the columns" if self.header else "it has no rows"
            raise FaultsError([Problem(f"the file is empty; {rule}", lines.path)], 1)
        for start, message in OTHER_FORMATS.items():
            if first[0].startswith(start):
                raise FaultsError([Problem(message, lines.path, line)], 1)
        if not self.header:
            return numbered(len(first)), chain([(line, first)], records)
        _check_names(first, lines.path, line)
        return tuple(first), records


def numbered(n: int) -> Names:
    """Names for the columns of a table that gives them none.

    >>> numbered(3)
    ('column1', 'column2', 'column3')
    """
    return tuple(f"column{position}" for position in range(1, n + 1))


def records_of(lines: Lines, delimiter: str | None) -> Records:
    """Each record with the line it begins at. One with a mistake becomes a fault; the next line begins another."""
    start, stream = 1, iter(lines)
    try:
        first = header_lines(stream)
        delimiter = delimiter or detected(first, [], usual_in(lines.path))
        rows = rows_in(chain(first, stream), delimiter)
        while (row := _next(rows, lines, start)) is not None:
            lines.end_record()
            if row and lines.bad.isdisjoint(range(start, rows.line_num + 1)):
                yield start, row
            start = rows.line_num + 1
    except LongLineError as err:
        lines.fault(str(err), start)


def rows_in(lines: Iterable[str], delimiter: str) -> Rows:
    """The rows of some lines, with values as long as a row may be; `Lines` tells of longer ones."""
    csv.field_size_limit(MAX_LINE)  # each time, since others in the process may set it
    return csv.reader(lines, delimiter=delimiter, strict=True)


def _next(rows: Rows, lines: Lines, start: int) -> list[str] | None:
    """The row that begins at line `start`; an empty one for a mistake, which becomes a fault; None at the end."""
    try:
        return next(rows, None)
    except csv.Error as err:
        message = next((message for words, message in CSV_ERRORS.items() if words in str(err)), str(err))
        is_later = rows.line_num > start and UNREAD not in message
        lines.fault(f"{message} (in line {rows.line_num})" if is_later else message, start)
        return []


def usual_in(path: str) -> str:
    """The delimiter that a file's name asks for."""
    return "\t" if plain(path).endswith(".tsv") else ","


def detected(first: Sequence[str], following: Sequence[str], usual: str) -> str:
    """The delimiter, by the lines of the header and some that follow it."""
    candidates = [usual, *(one for one in OTHER_DELIMITERS if one != usual)]
    if even := [one for one in candidates if is_even(first, following, one)]:
        return max(even, key=lambda one: widths(first, one)[0])  # of equal ones the first
    return next((one for one in candidates if is_split(first, one)), usual)


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
        return len(next((row for row in rows_in(lines, delimiter) if row), ())) > 1
    except csv.Error:
        return False


def is_even(header: Sequence[str], following: Sequence[str], delimiter: str) -> bool:
    """Whether a delimiter cuts the header and the rows after it into as many values, several.

    >>> is_even(['x;"c,d"'], ["1;2", "3;4"], ","), is_even(['x;"c,d"'], ["1;2", "3;4"], ";")
    (False, True)
    """
    rows = widths(following, delimiter)[:-1]  # the last row may go on
    return is_split(header, delimiter) and bool(rows) and {*widths(header, delimiter)[:1]} == {*rows}


def widths(lines: Sequence[str], delimiter: str) -> list[int]:
    """How many values a delimiter makes of each row, up to one that it cannot cut."""
    found: list[int] = []
    with suppress(csv.Error):
        found += (len(row) for row in rows_in(lines, delimiter) if row)
    return found


def _check_names(names: list[str], path: str, line: int) -> None:
    """FaultsError: a column has no name, or that of another."""
    wrong = _wrong_names(names)
    if first := [Problem(message + NO_HEADER, path, line) for message in islice(wrong, MAX_SHOWN)]:
        raise FaultsError(first, len(first) + sum(1 for _ in wrong))


def _wrong_names(names: list[str]) -> Iterator[str]:
    seen = set()
    for position, name in enumerate(names, 1):
        if not name.strip():
            remedy = "give it one, or leave the column out (pandas: to_csv(index=False))"
            yield f"column {position} has no name: {remedy}"
        elif name in seen:
            yield f"two columns are named {shown(name)}"
        seen.add(name)


def _whole(records: Records, width: int, lines: Lines, first: str) -> Records:
    """The records that have `width` values; the others become faults."""
    for line, row in records:
        if len(row) == width:
            yield line, row
        else:
            lines.fault(f"expected {width} values as in {first}, got {len(row)}", line)
