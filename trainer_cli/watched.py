"""A reader while it is used: it stops for a signal, and what it gives is checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from trainer_cli.data.block import Block
from trainer_cli.data.reader import Reader
from trainer_cli.errors import DataError, Problem
from trainer_cli.signals import StopFlag
from trainer_cli.user_code import definition, short_path


class WatchedReader:
    """A reader that stops for a signal between blocks."""

    def __init__(self, reader: Reader, flag: StopFlag):
        self._reader = reader
        self._flag = flag

    def columns(self) -> tuple[str, ...]:
        return self._reader.columns()

    def blocks(self) -> Iterator[Block]:
        return self._flag.watch(checked_blocks(self._reader))


def check_names(reader: Reader) -> None:
    """DataError at its definition if a reader's columns are no names."""
    names = reader.columns()
    if not isinstance(names, tuple | list) or not all(isinstance(name, str) for name in names):
        raise misdefined(type(reader).columns, f"a reader's columns() must give a tuple of names, not {names!r:.80}")


def checked_blocks(reader: Reader) -> Iterator[Block]:
    """The blocks of a reader. DataError at its definition if it gives anything else."""
    blocks = reader.blocks()
    wrong = None if isinstance(blocks, Iterable) else blocks
    for block in blocks if isinstance(blocks, Iterable) else [wrong]:
        if not isinstance(block, Block):
            message = f"a reader's blocks() must yield Block objects, not {type(block).__name__}"
            raise misdefined(type(reader).blocks, message)
        yield block


def misdefined(part: Any, message: str) -> DataError:
    """The mistake of a user's part, at its definition."""
    path, line = definition(part)
    return DataError(problems=[Problem(message, short_path(path), line)])
