"""Rows held out by chance, of every class its share."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from trainer_cli.arrays import Ints, within
from trainer_cli.data.block import Block
from trainer_cli.data.encoders.choice import chosen
from trainer_cli.data.faults import refused, shown
from trainer_cli.data.splits.split import Parts, check_shares, held_out, sizes, texts
from trainer_cli.errors import DataError
from trainer_cli.randomness import generator
from trainer_cli.registry import registry

# So many different values may be classes, however few rows there are.
FEW_CLASSES = 20


@registry.splits("stratified.v1")
class StratifiedSplit:
    """Hold out rows by chance so that every class has its share: of the classes of `column`, else of the target's.

    In all there are as many dev and test rows as random.v1 takes; a class has its share of them, rounded down or up:
    up where the fraction is largest (the method of largest remainders, Hamilton 1792), of equal ones where the name
    comes first. The last row of a class is never held out, so training knows every class.
    """

    def __init__(self, dev: float = 0.1, test: float = 0.0, column: str | None = None):
        check_shares(dev, test)
        self.dev = dev
        self.test = test
        self.column = column

    def choose(self, columns: tuple[str, ...], target: tuple[str, ...]) -> None:
        if self.column is None:
            if len(target) != 1:
                raise refused("column", "the target is no single column: name the one whose classes count")
            self.column = target[0]
        chosen(self.column, columns, "column")

    def divide(self, blocks: Iterable[Block], seed: int) -> Parts:
        classes, names = self._classes(blocks)
        n = len(classes)
        order = generator(seed, "split").permutation(n)
        order = order[np.argsort(classes[order], kind="stable")]  # class by class, each in the order drawn
        counts = np.bincount(classes, minlength=len(names))
        n_dev, n_test = sizes(n, self.dev, self.test)
        dev = shares(counts, n_dev, counts - 1)
        test = shares(counts, n_test, counts - 1 - dev)
        rank = within(counts)  # of a row among those of its class
        n_first, n_both = np.repeat(dev, counts), np.repeat(dev + test, counts)
        return held_out(n, order[rank < n_first], order[(rank >= n_first) & (rank < n_both)])

    def _classes(self, blocks: Iterable[Block]) -> tuple[Ints, list[str]]:
        """The number of each row's class, by the order of the classes' names."""
        assert self.column is not None
        numbers: dict[str, int] = {}
        found = [np.zeros(0, np.int64)]
        for block in blocks:
            labels = texts(block, self.column)
            found.append(
                np.fromiter((numbers.setdefault(text, len(numbers)) for text in labels), np.int64, len(labels))
            )
        classes = np.concatenate(found)
        if len(numbers) * 2 > len(classes) and len(numbers) > FEW_CLASSES:
            raise self._no_classes(len(numbers), len(classes))
        names = sorted(numbers)
        places = np.empty(len(names), np.int64)
        places[[numbers[name] for name in names]] = np.arange(len(names))
        return places[classes], names

    def _no_classes(self, n_classes: int, n_rows: int) -> DataError:
        message = f"{shown(str(self.column))} has {n_classes} different values in {n_rows} rows, which are no classes"
        return refused("column", f"{message}: name another column, or take random.v1")


def shares(counts: Ints, n: int, most: Ints) -> Ints:
    """`n` divided in proportion to `counts` by largest remainders, at most `most` of each.

    >>> shares(np.array([50, 30, 20]), 7, np.array([49, 29, 19])), shares(np.array([9, 1]), 5, np.array([8, 0]))
    (array([4, 2, 1]), array([5, 0]))
    """
    # In whole numbers, so that a tie is one.
    found: Ints = np.minimum(n * counts // max(counts.sum(), 1), most)
    while (missing := n - int(found.sum())) > 0 and (found < most).any():
        free = np.flatnonzero(found < most)
        remainders = n * counts[free] - found[free] * counts.sum()
        found[free[np.argsort(-remainders, kind="stable")[:missing]]] += 1
    return found
