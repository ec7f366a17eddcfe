"""Rows in order, however many there are: sorted stretches of them, merged as they are read back.

Knuth, *The Art of Computer Programming* 3, 5.4 (external sorting, balanced merging).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from trainer_cli.metrics.scratch import Floats, Scratch

# Rows that are sorted at once, and rows in each block that comes out.
SORTED_ROWS = 1 << 16
BLOCK_ROWS = 1 << 14
# So many runs are merged at once: each must have many rows in memory, or merging takes long.
MERGED_RUNS = 32

# Where a sorted run begins in its file, and its shape.
Place = tuple[int, tuple[int, ...]]


def ordered(blocks: Iterable[Floats]) -> Iterator[Floats]:
    """All rows (B, n) by their first column, equal ones by the second and so on, in blocks of `BLOCK_ROWS`.

    The blocks depend on the rows alone, not on how these were cut or in which order they came: what is computed of
    the blocks in turn is the same to the bit. There may be no NaN; -0.0 becomes 0.0.
    """
    scratch, places = Scratch(), list[Place]()
    for rows in stretches(blocks, SORTED_ROWS):
        rows += 0.0
        rows = in_order(rows)
        if len(rows) < SORTED_ROWS and not places:
            yield from stretches([rows], BLOCK_ROWS)
            return
        places.append((scratch.append(rows), rows.shape))
        del rows  # the next ones are gathered while this one waits
    while len(places) > MERGED_RUNS:
        scratch, places = longer(scratch, places)
    yield from stretches(merged(runs(scratch, places)), BLOCK_ROWS)


def longer(scratch: Scratch, places: list[Place]) -> tuple[Scratch, list[Place]]:
    """The runs merged to fewer, in a file of their own."""
    found, new = list[Place](), Scratch()
    for first in range(0, len(places), MERGED_RUNS):
        some, start, n = places[first : first + MERGED_RUNS], new.n, 0
        for rows in merged(runs(scratch, some)):
            new.append(rows)
            n += len(rows)
        found.append((start, (n, some[0][1][1])))
    return new, found


def runs(scratch: Scratch, places: list[Place]) -> list[Run]:
    """Runs that have `SORTED_ROWS` in memory together."""
    size = max(1, SORTED_ROWS // max(1, len(places)))
    return [Run(scratch, start, shape, size) for start, shape in places]


def in_order(rows: Floats) -> Floats:
    return rows[np.lexsort(rows.T[::-1])]


def stretches(blocks: Iterable[Floats], size: int) -> Iterator[Floats]:
    """The rows cut into blocks of `size`, the last one shorter."""
    held: list[Floats] = []
    n = 0
    for block in blocks:
        while n + len(block) >= size:
            cut = size - n
            yield np.concatenate([*held, block[:cut]])
            held, n, block = [], 0, block[cut:]
        if len(block):
            held.append(block)
            n += len(block)
    if n:
        yield np.concatenate(held)


class Run:
    """Sorted rows in a file, of which the next ones are in memory; `rows` is empty after the last."""

    def __init__(self, scratch: Scratch, start: int, shape: tuple[int, ...], size: int):
        self._scratch, self._next, self._size = scratch, start, size
        self._n_left, self._width = shape
        self.rows: Floats = np.empty((0, self._width))
        self.take(0)

    @property
    def last(self) -> tuple[float, ...]:
        return tuple(self.rows[-1].tolist())

    def take(self, n: int) -> Floats:
        """The first `n` rows in memory, which go; after the last of them come the next ones."""
        taken, self.rows = self.rows[:n], self.rows[n:]
        if not len(self.rows) and self._n_left:
            n_read = min(self._size, self._n_left)
            self.rows = self._scratch.read(self._next, n_read * self._width).reshape(n_read, self._width)
            self._next, self._n_left = self._next + n_read * self._width, self._n_left - n_read
        return taken


def merged(runs: list[Run]) -> Iterator[Floats]:
    """The rows of all runs in order: each time those up to the first of the runs' last rows in memory."""
    while runs := [run for run in runs if len(run.rows)]:
        bound = min(run.last for run in runs)
        yield in_order(np.concatenate([run.take(n_up_to(run.rows, bound)) for run in runs]))


def n_up_to(rows: Floats, bound: tuple[float, ...]) -> int:
    """How many sorted rows come before `bound` or are equal to it."""
    low, high = 0, len(rows)
    for column, value in enumerate(bound):
        among = rows[low:high, column]
        low, high = low + int(among.searchsorted(value)), low + int(among.searchsorted(value, side="right"))
        if low == high:
            break
    return high
