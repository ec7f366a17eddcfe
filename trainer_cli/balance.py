"""Rows of rare classes used more often, so that all classes come about equally often."""

from __future__ import annotations

import numpy as np

from trainer_cli.arrays import Ints

# A rare row is used so many times a pass at most.
MAX_TIMES = 10


class Balance:
    """How often each row is used in a pass: every class as often as the largest, none of its rows more than 10 times.

    `classes` (B,) are class numbers. Every row is used at least once a pass, and of one class none more than once
    oftener than another: which ones is drawn by chance for each pass. A pass has `n_rows` rows.
    """

    def __init__(self, classes: Ints):
        counts = np.bincount(classes)
        self.classes = [np.flatnonzero(classes == number) for number in np.flatnonzero(counts)]
        self.n_uses = [min(int(counts.max()), MAX_TIMES * len(rows)) for rows in self.classes]

    @property
    def n_rows(self) -> int:
        return sum(self.n_uses)

    def rows(self, generator: np.random.Generator) -> Ints:
        """The rows of one pass, class by class, as often as they are used."""
        parts = []
        for rows, n_uses in zip(self.classes, self.n_uses, strict=True):
            n_times, n_more = divmod(n_uses, len(rows))
            parts += [np.tile(rows, n_times), generator.permutation(rows)[:n_more]]
        return np.concatenate(parts)
