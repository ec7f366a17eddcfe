"""The order in which a run uses its rows, and where it is in that order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from trainer_cli.arrays import Array, Batch, Ints, Rows, Stored, n_rows, slice_rows, take
from trainer_cli.balance import Balance
from trainer_cli.batchers.batcher import Batcher, row_lengths
from trainer_cli.errors import ArgumentError
from trainer_cli.randomness import generator
from trainer_cli.schedules.schedule import Schedule


class Data(Protocol):
    """Encoded rows: inputs, targets, and sample weights or None."""

    @property
    def X(self) -> Rows | Stored: ...

    @property
    def Y(self) -> Rows | Stored: ...

    @property
    def weights(self) -> Array | None: ...


@dataclass(frozen=True)
class Position:
    """How far a run has come: `step` updates, in the pass `epoch` (from 0) at its row `offset`, `samples` rows in all.

    `carry` is the fraction of a row that a fractional batch size has left over.
    """

    step: int = 0
    epoch: int = 0
    offset: int = 0
    samples: int = 0
    carry: float = 0.0


class Epochs:
    """Batches without end: every row exactly once a pass, in an order that is a function of (seed, pass).

    The batch of step s has `batch_size(s)` rows, a pass's last one what is left; the schedule goes on over the passes,
    and fractions are carried over so that the mean size is right. `position` is that after the last batch given.
    A `batcher` may arrange and cut them otherwise; with a `balance` every row is used as often as it says.
    """

    def __init__(
        self,
        data: Data,
        batch_size: Schedule,
        *,
        seed: int,
        position: Position | None = None,
        batcher: Batcher | None = None,
        balance: Balance | None = None,
    ):
        self.data = data
        self.n_rows = n_rows(data.Y) if balance is None else balance.n_rows
        self.batch_size = batch_size
        self.seed = seed
        self.position = position or Position()
        self.batcher = batcher or Batcher()
        self.balance = balance
        if self.n_rows == 0:
            raise ArgumentError("an epoch needs at least one row of training data, got none")
        self.lengths = row_lengths(data.X) if self.batcher.by_lengths else None

    def __iter__(self) -> Iterator[Batch]:
        order, order_epoch = np.zeros(0, np.int64), -1
        lengths = order
        while True:
            at = self.position
            if at.offset >= self.n_rows:
                at = replace(at, epoch=at.epoch + 1, offset=0)
            if order_epoch != at.epoch:
                order, order_epoch = self.order(at.epoch), at.epoch
                lengths = self.lengths_of(order)
            size, carry = self.batcher.cut(lengths[at.offset :], self.batch_size, at.step, at.carry)
            if size < 1:
                raise ArgumentError(f"a batch has at least one row, got {size} of {type(self.batcher).__name__}.cut()")
            rows = order[at.offset : at.offset + size]
            self.position = Position(at.step + 1, at.epoch, at.offset + len(rows), at.samples + len(rows), carry)
            yield take_batch(self.data, rows)

    def order(self, epoch: int) -> Ints:
        """The rows of one pass in their order: a permutation drawn from (seed, "shuffle", epoch), as arranged."""
        drawn: int | Ints = self.n_rows
        if self.balance is not None:
            drawn = self.balance.rows(generator(self.seed, "balance", epoch))
        rows = generator(self.seed, "shuffle", epoch).permutation(drawn)
        arranged = self.batcher.arrange(rows, self.lengths_of(rows), generator(self.seed, "batcher", epoch))
        if arranged is not rows and not np.array_equal(np.sort(arranged), np.sort(rows)):
            name = type(self.batcher).__name__
            raise ArgumentError(f"arrange() of a batcher must give the rows it gets in another order, {name} does not")
        return arranged

    def lengths_of(self, rows: Ints) -> Ints:
        """How long each of these rows is; 1 where nobody asks."""
        if self.lengths is None:
            return np.broadcast_to(np.int64(1), len(rows))
        return self.lengths[rows]


def take_batch(data: Data, rows: Ints) -> Batch:
    weights = None if data.weights is None else data.weights[rows]
    return Batch(take(data.X, rows), take(data.Y, rows), weights, rows)


def consecutive(data: Data, batch_size: int) -> Iterator[Batch]:
    """The rows in their own order, `batch_size` at a time, the last batch shorter: for evaluation."""
    for start in range(0, n_rows(data.Y), batch_size):
        stop = min(start + batch_size, n_rows(data.Y))
        weights = None if data.weights is None else data.weights[start:stop]
        X, Y = slice_rows(data.X, start, stop), slice_rows(data.Y, start, stop)
        yield Batch(X, Y, weights, np.arange(start, stop))


def micro_batches(batch: Batch, n: float) -> Iterator[Batch]:
    """Cut a batch into at most `n` contiguous parts of at least one row whose sizes differ by at most one.

    Of a fraction the whole part counts; ArgumentError below 1.
    """
    if n < 1:
        raise ArgumentError(f"accumulate_gradient must be at least 1, got {n:g}")
    size = len(batch.rows)
    n = min(int(n), size)
    if n == 1:
        yield batch
        return
    for index in range(n):
        start, stop = (index * size + n - 1) // n, ((index + 1) * size + n - 1) // n
        weights = None if batch.weights is None else batch.weights[start:stop]
        yield Batch(slice_rows(batch.X, start, stop), slice_rows(batch.Y, start, stop), weights, batch.rows[start:stop])
