"""One of several equal parts held out, for cross-validation."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

import numpy as np

from trainer_cli.arrays import Ints
from trainer_cli.data.block import Block
from trainer_cli.data.encoders.choice import chosen
from trainer_cli.data.splits.split import DEV, TRAIN, Parts, keys, texts
from trainer_cli.errors import bad_argument
from trainer_cli.randomness import generator
from trainer_cli.registry import registry


@registry.splits("fold.v1")
class FoldSplit:
    """Hold out part `fold` (from 1) of `folds`: each row is held out in exactly one of them, and trained on in others.

    The rows are dealt out one by one in the order of a permutation drawn from (seed, "split"); with `column`, class by
    class of it, so that every fold has its share of each, give or take a row. With `group` rows of one key stay
    together: group by group, the largest first, to the fold that has the fewest rows; equally large ones in the order
    of sha256(seed, key). Stone, "Cross-Validatory Choice and Assessment of
    Statistical Predictions" (1974).
    """

    def __init__(self, fold: int, folds: int = 5, column: str | None = None, group: str | None = None):
        if folds < 2:
            raise bad_argument("folds", f"must be at least 2, got {folds}")
        if not 1 <= fold <= folds:
            raise bad_argument("fold", f"goes from 1 to folds = {folds}, got {fold}")
        if column is not None and group is not None:
            raise bad_argument("group", "rows are dealt out by the classes of a column or by groups: give one of them")
        self.fold, self.folds, self.column, self.group = fold, folds, column, group

    def choose(self, columns: tuple[str, ...], target: tuple[str, ...]) -> None:
        for argument, name in (("column", self.column), ("group", self.group)):
            if name is not None:
                chosen(name, columns, argument)

    def divide(self, blocks: Iterable[Block], seed: int) -> Parts:
        return np.where(self.folds_of(blocks, seed) == self.fold - 1, DEV, TRAIN).astype(np.uint8)

    def folds_of(self, blocks: Iterable[Block], seed: int) -> Ints:
        """The fold in which each row is held out, from 0."""
        return self._by_group(blocks, seed) if self.group is not None else self._dealt_out(blocks, seed)

    def _by_group(self, blocks: Iterable[Block], seed: int) -> Ints:
        assert self.group is not None
        groups, rows = numbered(key for block in blocks for key in keys(block, self.group))
        counts = np.bincount(rows, minlength=len(groups)).tolist()
        sizes, fold_of = [0] * self.folds, np.zeros(len(groups), np.int64)
        for group in sorted(range(len(groups)), key=lambda i: (-counts[i], digest(groups[i], seed))):
            fold = sizes.index(min(sizes))
            fold_of[group], sizes[fold] = fold, sizes[fold] + counts[group]
        return fold_of[rows]

    def _dealt_out(self, blocks: Iterable[Block], seed: int) -> Ints:
        column = self.column
        classes = numbered(
            name for block in blocks for name in (texts(block, column) if column else [""] * len(block))
        )[1]
        n = len(classes)
        order = generator(seed, "split").permutation(n)
        order = order[np.argsort(classes[order], kind="stable")]
        folds = np.empty(n, np.int64)
        folds[order] = np.arange(n) % self.folds
        return folds


def numbered(names: Iterable[str]) -> tuple[list[str], Ints]:
    """The different names in the order in which they come, and for each name which of them it is."""
    numbers: dict[str, int] = {}
    found = np.fromiter((numbers.setdefault(name, len(numbers)) for name in names), np.int64)
    return list(numbers), found


def digest(key: str, seed: int) -> bytes:
    return sha256(f"{seed}\0{key}".encode("utf-8", "surrogatepass")).digest()
