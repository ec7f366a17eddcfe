"""One reader divided into training, dev and test rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from trainer_cli.data.block import Block
from trainer_cli.data.faults import Faults, refused
from trainer_cli.data.reader import Reader
from trainer_cli.data.splits.split import PARTS, Parts, Split
from trainer_cli.errors import ArgumentError, DataError


class PartReader:
    """The rows of one part of a reader's, in their order, with their places and numbers in the whole.

    `parts` has the part of each row, one byte a row; nothing else is kept of the data. It ends with them where they
    are not `whole`, of the first rows alone.
    """

    def __init__(self, reader: Reader, parts: Parts, part: int, *, whole: bool = True):
        self.reader = reader
        self.parts = parts
        self.part = part
        self.whole = whole

    @property
    def n(self) -> int:
        return int(np.count_nonzero(self.parts == self.part))

    def columns(self) -> tuple[str, ...]:
        return self.reader.columns()

    def blocks(self) -> Iterator[Block]:
        start = 0
        for block in self.reader.blocks():
            stop = start + len(block)
            rows = np.flatnonzero(self.parts[start:stop] == self.part)
            if len(rows):
                yield block.take(rows)
            start = stop
            if start >= len(self.parts) and not self.whole:
                return


def divide(reader: Reader, split: Split, seed: int, max_rows: int | None = None) -> dict[str, PartReader]:
    """Read the rows once (the first `max_rows`, or a few more) and give a reader of each part by its name.

    Mistakes of the rows are left to whoever reads the parts, who reports them with others. DataError: a column does
    not fit the split, or a part that should have rows has none.
    """
    faults, n_rows = Faults(), 0

    def counted() -> Iterator[Block]:
        nonlocal n_rows
        for block in faults.watch(reader.blocks()):
            n_rows += len(block)
            yield block
            if max_rows is not None and n_rows >= max_rows:
                return

    try:
        parts = checked(split.divide(counted(), seed), n_rows, split)
        check_none_empty(np.bincount(parts, minlength=len(PARTS)).tolist(), split)
    except DataError as err:
        faults.add_error(err)
        raise faults.error() from err
    whole = max_rows is None or n_rows < max_rows
    return {name: PartReader(reader, parts, part, whole=whole) for part, name in enumerate(PARTS)}


def checked(parts: object, n_rows: int, split: Split) -> Parts:
    """The parts that a split gave; ArgumentError: a user's gave something else."""
    found = np.asarray(parts)
    if found.shape != (n_rows,) or found.dtype.kind not in "iu" or not np.isin(found, range(len(PARTS))).all():
        rule = f"divide() of a split must give one of 0, 1, 2 (training, dev, test) for each of the {n_rows} rows"
        raise ArgumentError(f"{rule}, which {type(split).__name__} does not")
    return found.astype(np.uint8)


def check_none_empty(counts: Sequence[int], split: Split) -> None:
    """DataError: no row is in a part that was asked for."""
    wanted = {"train": True, "dev": True, "test": getattr(split, "test", 0) > 0}
    empty = [name for name, count in zip(PARTS, counts, strict=True) if wanted[name] and not count]
    n_rows = sum(counts)
    if n_rows and empty:
        shown = ", ".join(f"{count} {name}" for name, count in zip(PARTS, counts, strict=True) if wanted[name])
        key = "dev" if empty[0] == "train" else empty[0]
        raise refused(key, f"of the {n_rows} rows the split makes {shown}: another share, or more data, is needed")
