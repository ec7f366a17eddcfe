"""Rows that a metric must keep: in memory up to a size, beyond it in a file without a name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ShapeError
from trainer_cli.metrics.scratch import NUMBER_BYTES, Floats, Scratch

MEMORY_BYTES = 1 << 20


class Spill:
    """Rows of float64, all of one width, to be read as often as asked in the order in which they came.

    What is more than `MEMORY_BYTES` goes to a file, a chunk of rows at a time, column by column.
    """

    def __init__(self) -> None:
        self.n = 0
        self.width = 0
        self._held: list[Floats] = []
        self._n_held = 0
        self._chunks: list[tuple[int, int]] = []  # the place of each, and its number of rows
        self._scratch = Scratch()

    def __getstate__(self) -> list[Floats]:
        """Its rows: no other process can read its file."""
        return list(self.blocks())

    def __setstate__(self, blocks: list[Floats]) -> None:
        self.__init__()  # type: ignore[misc]
        for rows in blocks:
            self.add(rows)

    def add(self, rows: Array) -> None:
        """Keep a copy of the rows (B, width). ShapeError: those before had another width."""
        if self.n and rows.shape[1] != self.width:
            raise ShapeError(f"all rows of a metric must have as many columns, got {rows.shape[1]} after {self.width}")
        self.width = rows.shape[1]
        self._held.append(np.array(rows, np.float64, order="F"))
        self._n_held += len(rows)
        self.n += len(rows)
        if self._n_held * self.width * NUMBER_BYTES > MEMORY_BYTES:
            held = np.concatenate(self._held)
            self._chunks.append((self._scratch.append(held.T), len(held)))
            self._held, self._n_held = [], 0

    def merge(self, other: Spill) -> None:
        """Keep copies of the other's rows after its own."""
        for rows in other.blocks():
            self.add(rows)

    def blocks(self, columns: Sequence[int] | None = None) -> Iterator[Floats]:
        """The rows, a block at a time, in these columns or in all (negative numbers count from the last one)."""
        if not self.n:
            return
        wanted = list(range(self.width)) if columns is None else [column % self.width for column in columns]
        for start, n in self._chunks:
            yield np.stack([self._scratch.read(start + column * n, n) for column in wanted], axis=1)
        if self._held:
            self._held = [np.concatenate(self._held)]
            yield self._held[0][:, wanted]
