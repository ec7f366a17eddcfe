"""Sums along one fixed binary tree, whoever computes the parts and in whatever order they arrive."""

from __future__ import annotations

import numpy as np

from trainer_cli.arrays import Array


class TreeSum:
    """Add up M arrays, given one by one, along the tree that splits M of them at the largest power of two below M.

    `((0 1) (2 3)) ((4 5) 6)` for seven: any process that sums a whole subtree gets the same bits. At most
    ceil(log2 M) + 1 arrays are held, made at their first use and kept for the next sum.
    """

    def __init__(self) -> None:
        # Sums of whole subtrees that are not part of a larger one yet, by level.
        self._partial: dict[int, Array] = {}
        self._kept: dict[int, Array] = {}

    def add(self, array: Array, level: int = 0) -> None:
        """Take in the next part, or the sum of the next `2**level` parts, as many of which came before. `array` is
        overwritten."""
        level = self._merge(array, level)
        if level not in self._kept:
            self._kept[level] = np.empty_like(array)
        self._kept[level][...] = array
        self._partial[level] = self._kept[level]

    def lend(self, array: Array, level: int = 0) -> None:
        """The same without a copy: nobody else touches `array` until `finish`."""
        self._partial[self._merge(array, level)] = array

    def _merge(self, array: Array, level: int) -> int:
        """Add to a subtree's sum those that it completes a larger one with; the level of that."""
        while level in self._partial:
            array += self._partial.pop(level)
            level += 1
        return level

    def finish(self, out: Array) -> None:
        """Write the sum of all parts into `out`, and start anew."""
        first, *others = sorted(self._partial)
        out[...] = self._partial[first]
        for level in others:
            out += self._partial[level]
        self._partial.clear()
