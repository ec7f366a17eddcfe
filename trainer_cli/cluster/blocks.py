"""How the micro-batches of a step are dealt out to workers: in subtrees of the tree along which they are added."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple


class Block(NamedTuple):
    """The `2**level` micro-batches from `start` on, a multiple of that: one subtree, summed by whoever computes it."""

    start: int
    level: int

    @property
    def stop(self) -> int:
        return self.start + (1 << self.level)


def blocks(start: int, stop: int) -> Iterator[Block]:
    """The largest subtrees, from left to right, that make up the micro-batches `start` to `stop` (excluded).

    >>> list(blocks(3, 8))
    [Block(start=3, level=0), Block(start=4, level=2)]
    """
    while start < stop:
        level = (stop - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        yield Block(start, level)
        start += 1 << level


def dealt(n: int, n_workers: int) -> list[list[Block]]:
    """`n` micro-batches for so many workers, each a run of them, whose numbers differ by one at most.

    >>> [[tuple(block) for block in each] for each in dealt(7, 2)]
    [[(0, 1), (2, 0)], [(3, 0), (4, 1), (6, 0)]]
    """
    n_workers = min(n, n_workers)
    edges = [index * n // n_workers for index in range(n_workers + 1)]
    return [list(blocks(start, stop)) for start, stop in pairwise(edges)]
