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
        self._partial: list[Array] = []
        self._n_added = 0

    def add(self, array: Array, level: int = 0) -> None:
        """Take in the next part, or the sum of the next `2**level` parts, as many of which came before. `array` is
        overwritten."""
        n = 1 << level
        while self._n_added >> level & 1:
            array += self._partial[level]
            level += 1
        while level >= len(self._partial):
            self._partial.append(np.empty_like(array))
        self._partial[level][...] = array
        self._n_added += n

    def finish(self, out: Array) -> None:
        """Write the sum of all parts into `out`, and start anew."""
        levels = [level for level in range(len(self._partial)) if self._n_added >> level & 1]
        out[...] = self._partial[levels[0]]
        for level in levels[1:]:
            out += self._partial[level]
        self._n_added = 0
