"""What readers of files have in common: several files as one table, some of its columns, its first rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from trainer_cli.data.block import BLOCK_ROWS, Block, listing
from trainer_cli.data.faults import Faults, refused, shown
from trainer_cli.data.readers.files import STDIN, found, only_file
from trainer_cli.errors import ArgumentError, DataError, Problem
from trainer_cli.registry import QUOTED, nearest

# As many rows as are scored at once by default.
SMALL_BLOCK = 1024

Names = tuple[str, ...]
T = TypeVar("T")


class FileSet(ABC):
    """The rows of one file, or of all that fit a pattern, one after the other in the order of their names.

    `columns` are the ones to give, in that order; left out, all. `limit` is how many rows to give, the first ones.
    Further keywords are settings, by which a saved model reads other data as its training data were read; these two
    are none: other data may lack a column, and are read to their end. Every file has the columns of the first.
    """

    suffixes: ClassVar[tuple[str, ...]] = ()
    takes_stdin: ClassVar[bool] = False

    def __init__(self, path: Path, columns: Sequence[str] | None, limit: int | None, **settings: Any):
        self.path = Path(path)
        self.wanted = checked_columns(columns)
        self.limit = checked_limit(limit)
        self.uses: frozenset[str] | None = None
        self.block_rows = BLOCK_ROWS
        self._settings = settings

    @abstractmethod
    def names_in(self, path: Path) -> Names:
        """The names of a file's columns."""

    @abstractmethod
    def blocks_in(self, path: Path, room: int | None) -> Iterator[Block]:
        """A file's rows, `room` at most; mistakes in these are a DataError at the end."""

    def in_small_blocks(self) -> None:
        """Let blocks have fewer rows, where they are lines of text: what is held of a file is two of them."""
        self.block_rows = SMALL_BLOCK

    def is_used(self, name: str) -> bool:
        """Whether a column matters; as long as nobody has said which do, all do."""
        return self.uses is None or name in self.uses

    def columns(self) -> Names:
        return self._chosen(self.names_in(self.tables()[0]))

    def blocks(self) -> Iterator[Block]:
        """The rows; mistakes of all files are reported at the end."""
        faults, n = Faults(), 0
        first: tuple[Names, str] | None = None
        for path in self.tables():
            before = n
            room = None if self.limit is None else self.limit - n
            if room == 0:
                break
            for block in faults.watch(self._alike(path, room, first)):
                first = first or (tuple(block.columns), str(path))
                yield chosen(block, self._chosen(first[0]), n, before)
                n += len(block)
        faults.check()

    def tables(self) -> tuple[Path, ...]:
        """The files whose rows follow one another."""
        if str(self.path) == STDIN and not self.takes_stdin:
            raise refused("path", "this reader takes a file, not standard input")
        return found(self.path)

    def files(self) -> tuple[Path, ...]:
        return self.tables()

    def paths(self) -> tuple[Path, ...]:
        return (self.path,)

    def settings(self) -> dict[str, Any]:
        return dict(self._settings)

    @classmethod
    def at(cls, data: Path, **settings: Any) -> Self:
        return cls(only_file(data, cls.suffixes) if data.is_dir() else data, **settings)

    def _alike(self, path: Path, room: int | None, first: tuple[Names, str] | None) -> Iterator[Block]:
        """A file's rows; DataError: it has other columns than the first file's, whose names and path are given."""
        for block in self.blocks_in(path, room):
            if first is not None and block.columns.keys() != set(first[0]):
                theirs = f"those of {first[1]}, {listing(first[0])}"
                message = f"the columns must be {theirs}; got {listing(block.columns)}"
                raise DataError(problems=[Problem(message, str(path), block.header_line)])
            yield block

    def _chosen(self, names: Names) -> Names:
        for name in self.wanted or ():
            if name not in names:
                message = f"the data have no column {shown(name)}.{nearest(name, list(names), QUOTED)}"
                raise refused("columns", f"{message} Their columns are {listing(names)}")
        return names if self.wanted is None else self.wanted


def chosen(block: Block, names: Names, start: int, before: int) -> Block:
    """Some columns of a block, which begins with row `start` of data whose earlier files have `before` rows."""
    records = block.records
    if records is not None and len(names) < len(block.columns):
        records = [{name: record[name] for name in names if name in record} for record in records]
    columns = {name: block.columns[name] for name in names}
    return Block(columns, replace(block.places, before=before), start, records, block.lines, block.categories)


def first_rows(blocks: Iterator[Block], room: int | None) -> Iterator[Block]:
    """The blocks as far as there is `room`, the last one cut."""
    for block in blocks:
        if room is not None and len(block) >= room:
            columns = {name: values[:room] for name, values in block.columns.items()}
            paths = block.places.paths
            places = block.places if paths is None else replace(block.places, paths=paths[:room])
            kept = first(block.records, room), first(block.lines, room), first(block.categories, room)
            yield Block(columns, places, block.start, *kept)
            return
        room = None if room is None else room - len(block)
        yield block


def first(values: Sequence[T] | None, n: int) -> Sequence[T] | None:
    return None if values is None else values[:n]


def checked_columns(columns: object) -> Names | None:
    """The names of columns as they were given; ArgumentError: they are no list of names, or name one twice."""
    if columns is None:
        return None
    if not isinstance(columns, list | tuple) or not columns or not all(isinstance(name, str) for name in columns):
        message = f'columns are a list of names, such as ["text", "label"], got {columns!r}'
        raise ArgumentError(problems=[Problem(message, where="columns")])
    if twice := [name for name in columns if columns.count(name) > 1]:
        raise ArgumentError(problems=[Problem(f"{shown(twice[0])} is named twice", where="columns")])
    return tuple(columns)


def checked_limit(limit: object) -> int | None:
    """The number of rows as it was given; ArgumentError: it is none of at least 1."""
    if limit is None or (type(limit) is int and limit >= 1):
        return limit
    message = f"limit is how many rows to read, a whole number of at least 1, got {limit!r}"
    raise ArgumentError(problems=[Problem(message, where="limit")])
