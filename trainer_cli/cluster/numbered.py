"""Rows of data by their numbers: what a worker that has the data itself is told of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from trainer_cli.arrays import Array, Batch, Ints, Rows, Stored
from trainer_cli.batchers.batcher import row_lengths
from trainer_cli.data.dataset import Dataset
from trainer_cli.epochs import Data


@dataclass(frozen=True)
class Numbered:
    """Rows of data of which only the numbers are taken along, and the targets, whose mass the driver needs."""

    data: Data
    X: Rows | Stored

    @classmethod
    def of(cls, data: Dataset) -> Self:
        return cls(data, Numbers(np.arange(data.n), row_lengths(data.X)))

    @property
    def Y(self) -> Rows | Stored:
        return self.data.Y

    @property
    def weights(self) -> Array | None:
        return self.data.weights


class Numbers(Stored):
    """The numbers of rows in the place of these, and how long each row is, if that is known."""

    def __init__(self, numbers: Ints, lengths: Ints | None):
        self.numbers, self.lengths = numbers, lengths

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, indexes: Ints) -> Array:
        return self.numbers[indexes]

    def slice_rows(self, start: int, stop: int) -> Array:
        return self.numbers[start:stop]


def by_numbers(rows: Ints) -> Batch:
    """A batch of which the numbers of its rows are told and nothing else."""
    return Batch(rows, rows, None, rows)
