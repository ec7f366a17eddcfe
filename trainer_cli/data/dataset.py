"""Encoded data in memory, or as a stream of batches, every row knowing its file and line."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from trainer_cli.arrays import Array, Batch, Ints, Ragged, Rows, n_rows, slice_rows
from trainer_cli.data.block import Block, Places
from trainer_cli.data.encoder import Encoder, Target
from trainer_cli.data.faults import Faults, within
from trainer_cli.data.gather import Gather
from trainer_cli.data.reader import Reader
from trainer_cli.data.row_weights import RowWeights
from trainer_cli.errors import DataError, Problem

ALIKE = RowWeights()


@dataclass(frozen=True)
class Dataset:
    """Inputs, targets and sample weights (or None) of `n` rows, and where each row stands."""

    X: Rows
    Y: Rows
    weights: Array | None
    starts: tuple[int, ...]
    places: tuple[Places, ...]

    @property
    def n(self) -> int:
        return n_rows(self.X)

    def place(self, row: int) -> tuple[str, int]:
        """The file and line of a row (from 0); line 0 where the file has no lines."""
        block = bisect_right(self.starts, row) - 1
        return self.places[block].place(row - self.starts[block])

    def number(self, row: int) -> int:
        """The number of a row in its file, from 0; of a part of the data they do not follow one another."""
        block = bisect_right(self.starts, row) - 1
        places = self.places[block]
        number = row if places.numbers is None else int(places.numbers[row - self.starts[block]])
        return number - places.before


def fit(
    reader: Reader, features: Encoder, target: Target, max_rows: int | None = None, weights: RowWeights = ALIKE
) -> int:
    """Fit both encoders on the reader's rows in one pass (the first `max_rows` or a little more); how many there were.

    All mistakes of the data are reported at once, as one DataError.
    """
    columns = reader.columns()
    with within("target"):
        target.choose(columns)
    with within("features"):
        hidden = (*target.reads, *weights.reads)
        features.choose(tuple(name for name in columns if name not in hidden))
    n, faults = 0, Faults()
    for block in faults.watch(reader.blocks()):
        faults.attempt(target.fit, block)
        faults.attempt(features.fit, block.without(hidden))
        n += len(block)
        if max_rows is not None and n >= max_rows:
            break
    faults.check()
    if n == 0:
        raise no_rows()
    with within("target"):
        target.finish_fit()
    with within("features"):
        features.finish_fit()
    return n


def load(reader: Reader, features: Encoder, target: Target, expected: int = 0, weights: RowWeights = ALIKE) -> Dataset:
    """Read and encode all rows. `expected` is how many there will be, where it is known."""
    X, Y, starts, places = Gather(expected), Gather(expected), [], []
    W: list[Array] = []
    for block, X_block, Y_block, W_block in encoded(reader, features, target, weights):
        starts.append(X.n)
        places.append(block.places)
        X.add(X_block)
        Y.add(Y_block)
        W += [] if W_block is None else [W_block]
    if X.n == 0:
        raise no_rows()
    return Dataset(X.result(), Y.result(), together(W), tuple(starts), tuple(places))


def stream(
    reader: Reader, features: Encoder, target: Target, batch_size: int, weights: RowWeights = ALIKE
) -> Iterator[Batch]:
    """Batches of `batch_size` consecutive rows, the last one shorter; memory does not grow with the data."""
    row, X, Y = 0, Gather(), Gather()
    W: list[Array] = []
    for _, X_block, Y_block, W_block in encoded(reader, features, target, weights):
        start, n = 0, n_rows(X_block)
        while start < n:
            stop = min(n, start + batch_size - X.n)
            X.add(slice_rows(X_block, start, stop))
            Y.add(slice_rows(Y_block, start, stop))
            W += [] if W_block is None else [W_block[start:stop]]
            start = stop
            if X.n == batch_size:
                yield _batch(X, Y, W, row)
                row, X, Y, W = row + batch_size, Gather(), Gather(), []
    if X.n:
        yield _batch(X, Y, W, row)
    elif row == 0:
        raise no_rows()


def encoded(
    reader: Reader, features: Encoder, target: Target, weights: RowWeights = ALIKE
) -> Iterator[tuple[Block, Rows, Rows, Array | None]]:
    """Each block with its inputs, targets and weights. After a first mistake no more come: the rest is read to report
    all."""
    faults = Faults()
    for block in faults.watch(reader.blocks()):
        X = faults.attempt(features.encode, block)
        Y = faults.attempt(target.encode, block)
        W = faults.attempt(weights.of, block)
        if X is not None and Y is not None:
            try:
                check_lengths(block, target.reads, X, Y)
            except DataError as err:
                faults.add_error(err)
        if X is not None and Y is not None and not faults:
            yield block, X, Y, W
    faults.check()


def check_lengths(block: Block, columns: Sequence[str], X: Rows, Y: Rows) -> None:
    """DataError: a row has not as many tags as tokens."""
    for part in X.values() if isinstance(X, dict) else [X]:
        if isinstance(part, Ragged) and isinstance(Y, Ragged):
            say = partial(complaint, part.lengths, Y.lengths)
            if len(wrong := np.flatnonzero(part.lengths != Y.lengths)):
                raise block.faulty(columns[0], wrong, say)


def complaint(n_tokens: Ints, n_tags: Ints, row: int) -> str:
    return f"{n_tags[row]} tag{'s' if n_tags[row] != 1 else ''} for {n_tokens[row]} tokens"


def no_rows() -> DataError:
    """The mistake of data that are empty; who knows the config adds which."""
    return DataError(problems=[Problem("the data has no rows")])


def together(weights: Sequence[Array]) -> Array | None:
    return np.concatenate(weights) if weights else None


def _batch(X: Gather, Y: Gather, weights: Sequence[Array], row: int) -> Batch:
    return Batch(X.result(), Y.result(), together(weights), np.arange(row, row + X.n))
