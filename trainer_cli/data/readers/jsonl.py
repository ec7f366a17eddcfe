"""Records as JSON objects, one a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trainer_cli.data.block import BLOCK_BYTES, BLOCK_ROWS, Block, Places
from trainer_cli.data.faults import FaultsError, shown
from trainer_cli.data.readers.files import only_file, opened
from trainer_cli.data.readers.lines import Lines, LongLineError, compact
from trainer_cli.errors import Problem
from trainer_cli.registry import nearest, registry

SUFFIXES = (".jsonl", ".jsonl.gz")


@registry.readers("jsonl.v1")
class JSONLReader:
    """Rows of a file with one JSON object a line (https://jsonlines.org) as columns of text.

    The first object's keys are the columns, and every other one has the same. Texts stay as they are, numbers, true and
    false are written as JSON writes them, null is an empty text; a list or object is a DataError. The file is UTF-8,
    with or without a byte order mark; .gz is unpacked; blank lines are no rows.
    """

    def __init__(self, path: Path):
        self.path = Path(path)

    def columns(self) -> tuple[str, ...]:
        with opened(self.path) as file:
            lines = Lines(file, str(self.path))
            names = next((tuple(record) for _, record in self._records(lines)), ())
            lines.faults.check()
            return names or self._refuse_empty()

    def blocks(self) -> Iterator[Block]:
        """Blocks of up to 4,096 rows, or 4 MiB of text; lines that are no such objects are reported at the end."""
        with opened(self.path) as file:
            lines, start = Lines(file, str(self.path)), 0
            columns: dict[str, list[str]] = {}
            numbers: list[int] = []
            records: list[Mapping[str, Any]] = []
            block_start = 0
            for number, record in self._records(lines):
                columns = columns or {name: [] for name in record}
                if self._add(record, columns, number, lines):
                    numbers.append(number)
                    records.append(record)
                if len(numbers) == BLOCK_ROWS or lines.n_bytes - block_start > BLOCK_BYTES:
                    yield Block(columns, Places(str(self.path), compact(numbers)), start, records)
                    start, block_start = start + len(numbers), lines.n_bytes
                    columns, numbers, records = {name: [] for name in columns}, [], []
            if numbers:
                yield Block(columns, Places(str(self.path), compact(numbers)), start, records)
            lines.faults.check()
            if start == 0 and not numbers:
                self._refuse_empty()

    def files(self) -> tuple[Path, ...]:
        return (self.path,)

    def settings(self) -> dict[str, Any]:
        return {}

    @classmethod
    def at(cls, data: Path, **settings: Any) -> JSONLReader:
        return cls(only_file(data, SUFFIXES) if data.is_dir() else data, **settings)

    def _records(self, lines: Lines) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Each object with its line; a line that is none becomes a fault."""
        import srsly

        number = 0
        try:
            for number, line in enumerate(lines, 1):
                lines.end_record()
                if not line.strip():
                    continue
                try:
                    record = srsly.json_loads(line)
                except ValueError as err:
                    lines.fault(f"expected a JSON object: {err}", number)
                    continue
                if isinstance(record, dict) and record:
                    yield number, record
                else:
                    lines.fault(
                        f'expected a JSON object such as {{"text": "...", "label": "..."}}, got {shown(line)}', number
                    )
        except LongLineError as err:
            lines.fault(str(err), number + 1)

    def _add(self, record: Mapping[str, Any], columns: Mapping[str, list[str]], number: int, lines: Lines) -> bool:
        """Put a record's values into the columns, all or none of them."""
        for name in record.keys() ^ columns.keys():
            side = "lacks" if name in columns else "has"
            hint = "" if name in columns else nearest(name, list(columns))
            lines.fault(f"the object {side} the key {shown(name)}, unlike the first one.{hint}", number)
            return False
        values = {name: as_text(value) for name, value in record.items()}
        for name, value in values.items():
            if value is None:
                lines.fault(f"{name}: expected a text or a number, got {shown(str(record[name]))}", number)
                return False
        for name, value in values.items():
            columns[name].append(value or "")
        return True

    def _refuse_empty(self) -> Any:
        raise FaultsError([Problem("the file is empty; it must have one JSON object a line", str(self.path))], 1)


def as_text(value: Any) -> str | None:
    """A value as a column of text has it; None for what cannot stand in one."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, int | float) else None
