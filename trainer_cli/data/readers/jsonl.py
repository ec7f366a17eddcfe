"""Records as JSON objects, one a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, NoReturn

from trainer_cli.data.faults import FaultsError, shown
from trainer_cli.data.readers.delimiters import OTHER_DELIMITERS, is_split
from trainer_cli.data.readers.lines import Lines
from trainer_cli.data.readers.objects import Record
from trainer_cli.data.readers.recordset import RecordSet
from trainer_cli.data.readers.strict_json import decoded, reason
from trainer_cli.data.readers.unpack import with_packed
from trainer_cli.errors import Problem
from trainer_cli.registry import registry


@registry.readers("jsonl.v1")
class JSONLReader(RecordSet):
    """Rows of a file with one JSON object a line (https://jsonlines.org) as columns of text, tokens or numbers.

    The columns are the keys of the first block's objects (up to 4,096, or 4 MiB), in the order in which they
    appear; `columns` names others. A key that an object lacks is a missing value, as null is: an empty text, an
    empty list, or NaN. With `missing = "error"` every object has the keys of the first one. Texts stay as they are,
    numbers, true and false are written as JSON writes them. A list of texts is a row of tokens; lists of numbers,
    all of one length, are an array; lists with objects are texts as JSON writes them. Values in an object have
    dotted names, as `meta.lang` of `{"meta": {"lang": "en"}}` has. The file is UTF-8, with or without a byte order
    mark, or has another `text_encoding`; packed files (.gz, .bz2, .xz, .zst) are unpacked; blank lines are no rows.
    `path` may be a pattern; `columns` and `limit` choose columns and the first rows.
    """

    suffixes = with_packed(".jsonl", ".ndjson")
    takes_stdin = True

    def source(self, file: IO[bytes], path: Path) -> ObjectLines:
        return ObjectLines(file, str(path), self.encoding)


class ObjectLines(Lines):
    """The lines of a file, an object each."""

    def records(self) -> Iterator[tuple[int, Record]]:
        """Each object with its line; a line that is none becomes a fault."""
        return parsed(self)

    def refuse_empty(self) -> NoReturn:
        self.faults.check()
        raise FaultsError([Problem("the file is empty; it must have one JSON object a line", self.path)], 1)


def parsed(lines: Lines) -> Iterator[tuple[int, Record]]:
    """Each object with its line; a line that is none becomes a fault."""
    is_first = True
    for number, line in enumerate(lines, 1):
        lines.end_record()
        if not line.strip() or number in lines.bad:
            continue
        try:
            record = decoded(line)
        except ValueError as err:
            if is_first and is_table(line):
                lines.fault('the file looks like CSV: take @readers = "csv.v1"', number)
                return
            lines.fault(f"expected a JSON object: {reason(err)}{hint(line)}", number)
            continue
        finally:
            is_first = False
        if isinstance(record, dict) and record:
            yield number, record
        else:
            message = 'expected a JSON object such as {"text": "...", "label": "..."}'
            lines.fault(f"{message}, got {shown(line)}", number)


def hint(line: str) -> str:
    """What a line that begins an array may mean."""
    return '; an array of objects is read by @readers = "json.v1"' if line.strip() == "[" else ""


def is_table(line: str) -> bool:
    """Whether a line that is no JSON looks like the header of a table.

    >>> is_table("text,label"), is_table('{"text": "a", label}'), is_table("text")
    (True, False, False)
    """
    return line.lstrip()[:1] not in "{[" and any(is_split([line], delimiter) for delimiter in OTHER_DELIMITERS)
