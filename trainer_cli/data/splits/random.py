"""Rows held out by chance."""

from __future__ import annotations

from collections.abc import Iterable

from trainer_cli.data.block import Block
from trainer_cli.data.splits.split import Parts, check_shares, held_out, sizes
from trainer_cli.randomness import generator
from trainer_cli.registry import registry


@registry.splits("random.v1")
class RandomSplit:
    """Hold out rows drawn by chance: of n rows `dev * n` as dev data and `test * n` for a last test, rounded.

    They are the first of a permutation drawn from (seed, "split"), the dev rows before the test rows: a share for a
    test takes no row from the dev data.
    """

    def __init__(self, dev: float = 0.1, test: float = 0.0):
        check_shares(dev, test)
        self.dev = dev
        self.test = test

    def choose(self, columns: tuple[str, ...], target: tuple[str, ...]) -> None:
        pass

    def divide(self, blocks: Iterable[Block], seed: int) -> Parts:
        n = sum(len(block) for block in blocks)
        n_dev, n_test = sizes(n, self.dev, self.test)
        order = generator(seed, "split").permutation(n)
        return held_out(n, order[:n_dev], order[n_dev : n_dev + n_test])
