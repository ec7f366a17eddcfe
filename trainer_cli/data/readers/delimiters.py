"""How the lines of a table are cut: which delimiter, where the header is, and what blanks are no part of a value."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from trainer_cli.data.readers.files import MAX_LINE
from trainer_cli.data.readers.unpack import plain

if TYPE_CHECKING:
    from _csv import Reader as Rows

# The header, with newlines in its names, is looked for in so many lines.
HEADER_LINES = 20
# So many lines after it are looked at to find the delimiter.
FOLLOWING_LINES = 20
# What is tried, in this order, where the usual delimiter leaves the header in one piece.
OTHER_DELIMITERS = (",", ";", "\t", "|")
# The line by which Excel is told the delimiter.
SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


def usual_in(path: str) -> str:
    """The delimiter that a file's name asks for."""
    return "\t" if plain(path).endswith(".tsv") else ","


def opening(stream: Iterator[str], skip: int = 0) -> tuple[int, str | None, list[str]]:
    """How many lines stand above the header, the delimiter that the last of them tells, and the header's own lines.

    >>> opening(iter(["Sales", "sep=;", "a;b", "1;2"]), skip=1)
    (2, ';', ['a;b'])
    """
    n_above = sum(1 for _ in islice(stream, skip))
    first = header_lines(stream)
    told = SEPARATOR.fullmatch(first[-1]) if first else None
    return (n_above, None, first) if told is None else (n_above + len(first), told[1], header_lines(stream))


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


def detected(first: Sequence[str], following: Sequence[str], usual: str) -> str:
    """The delimiter, by the lines of the header and some that follow it."""
    candidates = candidates_of(usual)
    if even := [one for one in candidates if is_even(first, following, one)]:
        return max(even, key=lambda one: widths(first, one)[0])  # of equal ones the first
    return next((one for one in candidates if is_split(first, one)), usual)


def candidates_of(usual: str) -> list[str]:
    return [usual, *(one for one in OTHER_DELIMITERS if one != usual)]


def lines_above(first: Sequence[str], following: Sequence[str], usual: str) -> tuple[int, int] | None:
    """How many lines, from those of what seems to be the header on, stand above the rows and their header, and how
    many values these have; None where it is a header.

    A title is in one piece, and what follows it is not: all rows have as many values, of a delimiter that is not the
    usual one at least three.

    >>> lines_above(["Sales of May"], ["", "x;y;z", "1;2;3", "4;5;6"], ",")
    (2, 3)
    >>> lines_above(["text"], ["some text", "some, more", "some text"], ",")
    """
    candidates = candidates_of(usual)
    if not any(map(str.strip, first)) or any(is_even(first, following, one) for one in candidates):
        return None
    for one in candidates:
        found = [width for width in (widths([line], one)[:1] for line in following) if width]
        rows = [n for [n] in found]
        while rows and rows[0] == 1:
            del rows[0]
        least = 2 if one == usual else 3
        if len(rows) >= 2 and {*rows} == {rows[0]} and rows[0] >= least and not is_split(first, one):
            index = next(i for i, line in enumerate(following) if widths([line], one)[:1] == [rows[0]])
            return len(first) + index, rows[0]
    return None


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


def rows_in(lines: Iterable[str], delimiter: str) -> Rows:
    """The rows of some lines, with values as long as a row may be; `Lines` tells of longer ones."""
    csv.field_size_limit(MAX_LINE)  # each time, since others in the process may set it
    is_blank = delimiter == " "
    return csv.reader(trimmed(lines, delimiter), delimiter=delimiter, strict=True, skipinitialspace=not is_blank)


def trimmed(lines: Iterable[str], delimiter: str) -> Iterator[str]:
    """Lines without the blanks behind their values; those in quotes stay.

    >>> list(trimmed(['a ,"b ,c" ,d \\n'], ","))
    ['a,"b ,c",d\\n']
    """
    if delimiter == " ":
        yield from lines
        return
    blank = " " + delimiter
    at = re.escape(delimiter)
    quoted = re.compile(rf'(?:^|(?<={at})) *"[^"]*(?:""[^"]*)*("?)|( +)(?=(?:{at}|\r|\n|\Z))')
    is_open = False
    for line in lines:
        if '"' in line or is_open:
            line, is_open = unblanked(line, quoted, is_open=is_open)
        elif blank in line or line.endswith((" \n", " \r\n", " ")):
            line = quoted.sub("", line)
        yield line


def unblanked(line: str, pattern: re.Pattern[str], *, is_open: bool) -> tuple[str, bool]:
    """A line with quotes without the blanks that `pattern` finds outside of them, and whether one stays open at its
    end; `is_open` tells whether one is at its start."""
    pieces, end, goes_on = [], 0, False
    whole = f'"{line}' if is_open else line
    for found in pattern.finditer(whole):
        if found[2] is None:
            goes_on = not found[1]
        else:
            pieces.append(whole[end : found.start()])
            end = found.end()
    text = "".join([*pieces, whole[end:]])
    return text[is_open:], goes_on
