"""Records as JSON objects, one a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trainer_cli.data.block import Block, Places
from trainer_cli.data.faults import FaultsError, shown
from trainer_cli.data.readers.encoding import UTF_8, checked_encoding
from trainer_cli.data.readers.files import opened
from trainer_cli.data.readers.fileset import FileSet, Names
from trainer_cli.data.readers.lines import Lines, LongLineError, compact, stretches
from trainer_cli.data.readers.objects import Missing, Objects, UnfitError, checked_missing
from trainer_cli.data.readers.unpack import with_packed
from trainer_cli.errors import Problem
from trainer_cli.registry import registry

Record = Mapping[str, Any]


@registry.readers("jsonl.v1")
class JSONLReader(FileSet):
    """Rows of a file with one JSON object a line (https://jsonlines.org) as columns of text, tokens or numbers.

    The first object's keys are the columns, and every other one has the same; with `missing = "empty"` a key that one
    lacks is an empty value. Texts stay as they are, numbers, true and false are written as JSON writes them, null is an
    empty text. A list of texts is a row of tokens; lists of numbers, all of one length, are an array; an object is a
    DataError. The file is UTF-8, with or without a byte order mark, or has another `text_encoding`; packed files (.gz,
    .bz2, .xz, .zst) are unpacked; blank lines are no rows. `path` may be a pattern; `columns` and `limit` choose
    columns and the first rows.
    """

    suffixes = with_packed(".jsonl", ".ndjson")
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
            lines = self._lines(file, path)
            names = next((tuple(record) for _, record in parsed(lines)), ())
            lines.faults.check()
            if not names:
                raise no_objects(path)
            return names

    def blocks_in(self, path: Path, room: int | None) -> Iterator[Block]:
        """Blocks of up to 4,096 rows, or 4 MiB of text; lines that are no such objects are reported at the end."""
        with opened(path) as file:
            lines, objects, start = self._lines(file, path), Objects(self.missing), 0
            for rows, numbers in stretches(fitting(parsed(lines), objects, lines), lines, room):
                columns = objects.columns([values for _, values in rows])
                yield Block(columns, Places(str(path), compact(numbers)), start, [record for record, _ in rows])
                start += len(numbers)
            lines.faults.check()
            if start == 0:
                raise no_objects(path)

    def _lines(self, file: Any, path: Path) -> Lines:
        return Lines(file, str(path), self.encoding, "is a line end missing?")


def parsed(lines: Lines) -> Iterator[tuple[int, Record]]:
    """Each object with its line; a line that is none becomes a fault."""
    import srsly

    number = 0
    try:
        for number, line in enumerate(lines, 1):
            lines.end_record()
            if not line.strip() or number in lines.bad:
                continue
            try:
                record = srsly.json_loads(line)
            except ValueError as err:
                lines.fault(f"expected a JSON object: {err}{hint(line)}", number)
                continue
            if isinstance(record, dict) and record:
                yield number, record
            else:
                message = 'expected a JSON object such as {"text": "...", "label": "..."}'
                lines.fault(f"{message}, got {shown(line)}", number)
    except LongLineError as err:
        lines.fault(str(err), number + 1)


def hint(line: str) -> str:
    """What a line that begins an array may mean."""
    return '; an array of objects is read by @readers = "json.v1"' if line.strip() == "[" else ""


def fitting(
    records: Iterator[tuple[int, Record]], objects: Objects, lines: Lines
) -> Iterator[tuple[int, tuple[Record, list[Any]]]]:
    """The objects that fit, with their values; the others become faults."""
    for number, record in records:
        try:
            yield number, (record, objects.values(record))
        except UnfitError as err:
            lines.fault(str(err), number)


def no_objects(path: Path) -> FaultsError:
    return FaultsError([Problem("the file is empty; it must have one JSON object a line", str(path))], 1)
