"""What the readers of JSON objects have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, NoReturn, Protocol

from trainer_cli.data.block import Block, Places
from trainer_cli.data.faults import Faults
from trainer_cli.data.readers.encoding import UTF_8, checked_encoding
from trainer_cli.data.readers.files import STDIN, opened
from trainer_cli.data.readers.fileset import FileSet, Names
from trainer_cli.data.readers.lines import compact, stretches
from trainer_cli.data.readers.objects import Missing, Objects, Record, UnfitError, checked_missing, flat, keys_of
from trainer_cli.errors import DataError, Problem


class Source(Protocol):
    """The objects of a file, each with the line it begins at; mistakes are gathered in `faults`."""

    faults: Faults
    n_bytes: int

    def records(self) -> Iterator[tuple[int, Record]]:
        """The objects; what is none becomes a fault."""

    def fault(self, message: str, line: int) -> None:
        """Note a mistake in a line."""

    def refuse_empty(self) -> NoReturn:
        """Report that there are no objects, or the mistakes because of which there are none."""


class RecordSet(FileSet):
    """Objects of one file, or of several. Their columns are settled by the first block of the first file.

    With `missing = "error"` it is its first object alone. `columns` that it has not are looked for in all of the data.
    """

    def __init__(
        self,
        path: Path,
        *,
        missing: Missing = "empty",
        columns: list[str] | None = None,
        limit: int | None = None,
        text_encoding: str = UTF_8,
    ):
        self.missing = checked_missing(missing)
        self.encoding = checked_encoding(text_encoding)
        self._objects: Objects | None = None
        super().__init__(path, columns, limit, missing=missing, text_encoding=self.encoding)

    @abstractmethod
    def source(self, file: IO[bytes], path: Path) -> Source:
        """The objects of an opened file."""

    def narrow(self, uses: Collection[str]) -> None:
        """Let only some columns matter: others may have values of any kind, and objects any other keys."""
        self.uses = frozenset(uses)

    def names_in(self, path: Path) -> Names:
        with opened(path) as file:
            source = self.source(file, path)
            records, _ = next(stretches(source.records(), source, self.limit, self.block_rows), ([], []))
            if not records:
                source.refuse_empty()
            return self._names(records)

    def blocks_in(self, path: Path, room: int | None) -> Iterator[Block]:
        """Blocks of up to 4,096 rows, or 4 MiB of text; what is no such object is reported at the end."""
        with opened(path) as file:
            source, start = self.source(file, path), 0
            objects: Objects | None = None
            for records, lines in stretches(source.records(), source, room, self.block_rows):
                objects = objects or self._settled(path, records)
                block = self._block(fitting(records, lines, objects, source), objects, path, start)
                if block is not None:
                    yield block
                start += len(records)
            if start == 0:
                source.refuse_empty()
            source.faults.check()

    def _block(
        self, rows: Sequence[tuple[int, Record, Sequence[object]]], objects: Objects, path: Path, start: int
    ) -> Block | None:
        if not rows:
            return None
        lines, records, values = zip(*rows, strict=True)
        wanted = self.wanted
        kept = list(records) if wanted is None else [wanted_of(record, wanted) for record in records]
        return Block(objects.columns(values), Places(str(path), compact(list(lines))), start, kept)

    def _settled(self, path: Path, records: Sequence[Record]) -> Objects:
        """How objects become columns: as the first file settles it."""
        if self._objects is None or path == self.tables()[0]:
            names = self._chosen(self._names(records))
            unseen = not set(names) <= set(keys_of(records))
            first = chain(records, self._all()) if unseen else records
            is_open = self.wanted is not None or self.uses is not None
            self._objects = Objects(names, first, self.missing, is_open=is_open, uses=self.uses)
        return self._objects

    def _names(self, records: Sequence[Record]) -> Names:
        """The names of the columns that the first objects settle; where they lack wanted ones, those of others too."""
        names = keys_of(records[:1] if self.missing == "error" and self.uses is None else records)
        unseen = set(self.wanted or ()) - set(names)
        found: dict[str, None] = {}
        for record in self._all() if unseen and str(self.path) != STDIN else records:
            if not unseen:
                break
            names_in = flat(record).keys()
            found |= dict.fromkeys(names_in)
            unseen -= names_in
        if not (names or found):
            raise DataError(problems=[Problem("the objects have no values", str(self.tables()[0]))])
        return tuple(dict.fromkeys((*names, *found)))

    def _all(self) -> Iterator[Record]:
        """The objects of all files, whatever mistakes there are."""
        for path in self.tables():
            with opened(path) as file:
                for _, record in self.source(file, path).records():
                    yield record


def wanted_of(record: Record, names: Sequence[str]) -> Record:
    """What an object has of some names; an object in it is whole.

    >>> wanted_of({"a": 1, "b": {"c": 2, "d": 3}, "e": 4}, ["b.c", "a"])
    {'b': {'c': 2, 'd': 3}, 'a': 1}
    """
    keys = [name if name in record else name.partition(".")[0] for name in names]
    return {key: record[key] for key in keys if key in record}


def fitting(
    records: Sequence[Record], lines: Sequence[int], objects: Objects, source: Source
) -> list[tuple[int, Record, Sequence[object]]]:
    """The objects that fit, each with its line and values; the others become faults."""
    found: list[tuple[int, Record, Sequence[object]]] = []
    for line, record in zip(lines, records, strict=True):
        try:
            found.append((line, record, objects.values(record)))
        except UnfitError as err:
            source.fault(str(err), line)
    return found
