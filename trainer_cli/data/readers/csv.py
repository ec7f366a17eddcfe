"""Tables as text: comma- or tab-separated values, with a header row or without."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer_cli.data.block import Block, Places
from trainer_cli.data.faults import MAX_SHOWN, FaultsError, shown
from trainer_cli.data.readers.delimiters import FOLLOWING_LINES, detected, lines_above, opening, rows_in, usual_in
from trainer_cli.data.readers.encoding import UTF_8, checked_encoding
from trainer_cli.data.readers.files import STDIN, opened
from trainer_cli.data.readers.fileset import FileSet, Names
from trainer_cli.data.readers.lines import UNREAD, Lines, LongLineError, compact, stretches
from trainer_cli.data.readers.standard_input import is_kept
from trainer_cli.data.readers.unpack import with_packed
from trainer_cli.errors import ArgumentError, DataError, Problem
from trainer_cli.registry import registry

if TYPE_CHECKING:
    from _csv import Reader as Rows

# Each row with the line it begins at.
Records = Iterator[tuple[int, list[str]]]

# What a row with more values than a header of one may mean.
TITLE = "; if that is a title, skip = {} leaves it out"
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
    `column1`, `column2` and so on, as one that the first row gives no name is among others that have one. Blanks
    around a value or name are no part of it, unless they stand in quotes. `skip` is how many lines stand above the
    first row; a line `sep=;` there, as Excel has it, tells the delimiter. The file is UTF-8, with or without a byte
    order mark, whatever the locale, or has another `text_encoding`; packed files (.gz, .bz2, .xz, .zst) are
    unpacked. `delimiter`, unless given, is the one of comma, semicolon, tab and bar that cuts the header and the
    rows after it into as many values, several; of more than one that with the most values, and if none does the
    first that cuts the header. A tab is tried first in names that end in .tsv, packed or not. Wholly empty lines
    are no rows. `path` may be a pattern; `columns` and `limit` choose columns and the first rows.
    """

    suffixes = with_packed(".csv", ".tsv")
    takes_stdin = True
    used: str | None = None  # the delimiter of the file that is being read

    def __init__(
        self,
        path: Path,
        delimiter: str | None = None,
        *,
        columns: list[str] | None = None,
        limit: int | None = None,
        text_encoding: str = UTF_8,
        header: bool = True,
        skip: int = 0,
    ):
        self.delimiter = delimiter
        self.header = header
        self.encoding = checked_encoding(text_encoding)
        self.skip = skip
        settings: dict[str, Any] = {"delimiter": delimiter, "text_encoding": self.encoding, "header": header}
        super().__init__(path, columns, limit, **settings, skip=skip)
        if delimiter is not None and (not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n\0'):
            message = f'a delimiter is one character, such as "," or ";" or "\\t" (a tab), got {delimiter!r}'
            raise ArgumentError(problems=[Problem(message, where="delimiter")])
        if not isinstance(header, bool):
            message = f"header is true (the first row names the columns) or false, got {header!r}"
            raise ArgumentError(problems=[Problem(message, where="header")])
        if type(skip) is not int or skip < 0:
            message = f"skip is how many lines stand above the header, a whole number, got {skip!r}"
            raise ArgumentError(problems=[Problem(message, where="skip")])

    def names_in(self, path: Path) -> Names:
        delimiter = self._delimiter(path)
        with opened(path) as file:
            lines = Lines(file, str(path), self.encoding)
            return self._named(records_of(lines, delimiter, self.skip), lines)[0]

    def blocks_in(self, path: Path, room: int | None) -> Iterator[Block]:
        """Blocks of up to 4,096 rows, or 4 MiB of text; ragged or undecodable rows are reported at the end."""
        delimiter = self._delimiter(path)
        with opened(path) as file:
            lines = Lines(file, str(path), self.encoding)
            names, records = self._named(records_of(lines, delimiter, self.skip), lines)
            first, start = "the header" if self.header else "the first row", 0
            hint = TITLE.format(self.skip + 1) if self.header and len(names) == 1 else ""
            for rows, numbers in stretches(
                _whole(records, len(names), lines, first, hint), lines, room, self.block_rows
            ):
                self.used = lines.delimiter
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
            n_above, told, first = opening(lines, self.skip)
            following += islice(lines, FOLLOWING_LINES)
            if self.header and told is None and (above := lines_above(first, following, usual_in(str(path)))):
                raise title_above(path, n_above + len(first), n_above + above[0], above[1])
            return told or detected(first, following, usual_in(str(path)))
        return None

    def unnamed(self) -> Names:
        """The names that columns of the first file have for want of their own."""
        if not self.header or str(self.path) == STDIN:
            return ()
        path = self.tables()[0]
        with opened(path) as file:
            lines = Lines(file, str(path), self.encoding)
            _, first = next(records_of(lines, self._delimiter(path), self.skip), (0, []))
        return tuple(name for name, own in zip(named(first), first, strict=True) if name and not own.strip())

    def _named(self, records: Records, lines: Lines) -> tuple[Names, Records]:
        """The names of the columns, and the records that are rows."""
        line, first = next(records, (0, []))
        lines.faults.check()
        if not first:
            rule = "its first row must name the columns" if self.header else "it has no rows"
            raise FaultsError([Problem(f"the file is empty; {rule}", lines.path)], 1)
        if not self.header:
            return numbered(len(first)), chain([(line, first)], records)
        names = named(first)
        _check_names(names, lines.path, line)
        return tuple(names), records


def numbered(n: int) -> Names:
    """Names for the columns of a table that gives them none.

    >>> numbered(3)
    ('column1', 'column2', 'column3')
    """
    return tuple(f"column{position}" for position in range(1, n + 1))


def records_of(lines: Lines, delimiter: str | None, skip: int = 0) -> Records:
    """Each record with the line it begins at. One with a mistake becomes a fault; the next line begins another."""
    start, stream = 1, iter(lines)
    try:
        n_above, told, first = opening(stream, skip)
        start += n_above
        refuse_other_formats(first, lines.path, start)
        lines.delimiter = delimiter or told or detected(first, [], usual_in(lines.path))
        rows = rows_in(chain(first, stream), lines.delimiter)
        while (row := _next(rows, lines, start, n_above)) is not None:
            lines.end_record()
            if row and lines.bad.isdisjoint(range(start, n_above + rows.line_num + 1)):
                yield start, row
            start = n_above + rows.line_num + 1
    except LongLineError as err:
        lines.fault(str(err), start)


def refuse_other_formats(first: Sequence[str], path: str, start: int) -> None:
    """FaultsError: the first lines of a file, from line `start` on, are of another format."""
    line = next((at for at, text in enumerate(first) if text.strip()), 0)
    for beginning, message in OTHER_FORMATS.items():
        if first and first[line].startswith(beginning):
            raise FaultsError([Problem(message, path, start + line)], 1)


def _next(rows: Rows, lines: Lines, start: int, n_above: int) -> list[str] | None:
    """The row that begins at line `start`; an empty one for a mistake, which becomes a fault; None at the end.

    `n_above` lines of the file are not among those that the rows count.
    """
    try:
        return next(rows, None)
    except csv.Error as err:
        message = next((message for words, message in CSV_ERRORS.items() if words in str(err)), str(err))
        line = n_above + rows.line_num
        is_later = line > start and UNREAD not in message
        lines.fault(f"{message} (in line {line})" if is_later else message, start)
        return []


def named(names: Sequence[str]) -> list[str]:
    """Names without blanks around them; a column among others that has none is called by its number.

    >>> named(["", " x", "y "]), named(["x", "", ""])
    (['column1', 'x', 'y'], ['x', '', ''])
    """
    found = [name.strip() for name in names]
    is_header = 2 * found.count("") <= len(found)
    return [name or (f"column{at}" if is_header else "") for at, name in enumerate(found, 1)]


def _check_names(names: list[str], path: str, line: int) -> None:
    """FaultsError: a column has no name, or that of another."""
    wrong = _wrong_names(names)
    if first := [Problem(message + NO_HEADER, path, line) for message in islice(wrong, MAX_SHOWN)]:
        raise FaultsError(first, len(first) + sum(1 for _ in wrong))


def _wrong_names(names: list[str]) -> Iterator[str]:
    if n_unnamed := names.count(""):
        yield f"{n_unnamed} of {len(names)} columns have no name"
    seen = {""}
    for name in names:
        if name and name in seen:
            yield f"two columns are named {shown(name)}"
        seen.add(name)


def _whole(records: Records, width: int, lines: Lines, first: str, hint: str) -> Records:
    """The records that have `width` values; the others become faults, with a `hint`."""
    for line, row in records:
        if len(row) == width:
            yield line, row
        else:
            lines.fault(f"expected {width} values as in {first}, got {len(row)}{hint}", line)


def title_above(path: Path, line: int, skip: int, width: int) -> DataError:
    """What to do about lines above the header."""
    rule = f"this line has one value, the rows after it have {width}: if it is a title and no header"
    return DataError(problems=[Problem(f"{rule}, skip = {skip} leaves out what is above", str(path), line)])
