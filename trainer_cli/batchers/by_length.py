"""Batches of rows that are about as long as each other."""

from __future__ import annotations

import numpy as np

from trainer_cli.arrays import Ints
from trainer_cli.batchers.batcher import Batcher
from trainer_cli.errors import ArgumentError, Problem
from trainer_cli.registry import registry


@registry.batchers("by_length.v1")
class LengthBatcher(Batcher):
    """Batches of `batch_size` rows of similar length, so that little is padded where a model pads.

    Of the rows in the order drawn, each `pool` are sorted by length and cut into runs of `run` rows, and the runs of
    a pool are used in an order drawn by chance. A pool mixes anew in each pass; a larger one makes the rows of a run
    more alike, and `run` should be a batch or a few.
    """

    by_lengths = True

    def __init__(self, pool: int = 4096, run: int = 128):
        for name, value, rule in (("pool", pool, f"at least run = {run}"), ("run", run, "at least 1")):
            if value < max(1, run):
                raise ArgumentError(problems=[Problem(f"must be {rule} rows, got {value}", where=name)])
        self.pool = pool
        self.run = run

    def arrange(self, rows: Ints, lengths: Ints, generator: np.random.Generator) -> Ints:
        runs: list[Ints] = []
        for start in range(0, len(rows), self.pool):
            order = start + np.argsort(lengths[start : start + self.pool], kind="stable")
            cut = [order[first : first + self.run] for first in range(0, len(order), self.run)]
            runs += [cut[index] for index in generator.permutation(len(cut))]
        return rows[np.concatenate(runs)]
