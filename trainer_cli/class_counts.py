"""How often each class was taken for which, and what follows for each class alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainer_cli.arrays import Array, Ints
from trainer_cli.metrics.confusion import as_float, ratio

UNKNOWN = "(unknown)"


@dataclass(frozen=True)
class ClassScore:
    """Precision, recall and their balance F1 of one class, NaN where there is none; `support` rows have the class.

    A class without rows has no recall; it has precision and F1, which are 0, where a row was taken for it.
    """

    name: str
    precision: float
    recall: float
    f1: float
    support: float

    @classmethod
    def of(cls, name: str, right: float, true: float, taken: float) -> ClassScore:
        """From the rows of the class that were taken for it, all rows that have it, and all that were taken for it."""
        precision, recall, f1 = ratio(right, taken), ratio(right, true), ratio(2 * right, true + taken)
        return cls(name, as_float(precision), as_float(recall), as_float(f1), true)


class ClassCounts:
    """Rows, or their weight, by their class and the one they were taken for, where there are any.

    A class that training never had is number -1.
    """

    def __init__(self, names: Sequence[str]):
        self.names = tuple(names)
        self.cells: dict[tuple[int, int], float] = {}

    def add(self, true: Ints, taken: Ints, weights: Array | None = None) -> None:
        """Count rows, (B,) each."""
        n = len(self.names)
        found, where = np.unique((true + 1) * n + taken, return_inverse=True)
        for cell, count in zip(found.tolist(), np.bincount(where, weights).tolist(), strict=True):
            i, j = divmod(cell, n)
            self.cells[i - 1, j] = self.cells.get((i - 1, j), 0) + count

    def by_class(self) -> list[ClassScore]:
        n = len(self.names)
        right, true, taken = [0.0] * n, [0.0] * n, [0.0] * n
        for (i, j), count in self.cells.items():
            taken[j] += count
            if i >= 0:
                true[i] += count
            if i == j:
                right[i] += count
        return [ClassScore.of(*each) for each in zip(self.names, right, true, taken, strict=True)]

    def matrix(self, classes: Sequence[int]) -> list[list[float]]:
        """The counts among some classes: a row for each true one, a column for each it was taken for."""
        return [[self.cells.get((i, j), 0) for j in classes] for i in classes]

    def unknown(self, classes: Sequence[int]) -> list[float]:
        """The rows of classes that training never had, by the class they were taken for."""
        return [self.cells.get((-1, j), 0) for j in classes]

    @property
    def has_unknown(self) -> bool:
        return any(i < 0 for i, _ in self.cells)

    @property
    def n_wrong(self) -> float:
        return sum(count for (i, j), count in self.cells.items() if i != j)

    def most_confused(self, n: int) -> list[int]:
        """The `n` classes with the most mistakes, of theirs and for them, in the order of their numbers."""
        wrong = [0.0] * len(self.names)
        for (i, j), count in self.cells.items():
            if i != j:
                wrong[j] += count
                if i >= 0:
                    wrong[i] += count
        return sorted(sorted(range(len(wrong)), key=lambda k: -wrong[k])[:n])


class FlagCounts:
    """Rows, or their weight, by label: those that have it and are given it, that have it, and that are given it."""

    def __init__(self, names: Sequence[str]):
        self.names = tuple(names)
        self._sums = np.zeros((3, len(self.names)))

    def add(self, true: Array, given: Array, weights: Array | None = None) -> None:
        """Count rows of flags, (B, n) each."""
        counts = np.ones(len(true)) if weights is None else weights
        self._sums += [(flags * counts[:, None]).sum(axis=0) for flags in (true & given, true, given)]

    def by_class(self) -> list[ClassScore]:
        return [ClassScore.of(*each) for each in zip(self.names, *self._sums.tolist(), strict=True)]
