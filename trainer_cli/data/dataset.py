"""Encoded data in memory, or as a stream of batches, every row knowing its file and line."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from trainer_cli.arrays import Array, Batch, Ints, Ragged, Rows, Stored, n_rows, slice_rows
from trainer_cli.data.block import Block, Places
from trainer_cli.data.cache import Cache
from trainer_cli.data.encoder import Encoder, Target
from trainer_cli.data.faults import Faults, within
from trainer_cli.data.gather import Gather
from trainer_cli.data.reader import Reader
from trainer_cli.data.row_weights import RowWeights
from trainer_cli.data.stored import n_bytes
from trainer_cli.errors import DataError, Problem

ALIKE = RowWeights()


@dataclass(frozen=True)
class Dataset:
    """Inputs, targets and sample weights (or None) of `n` rows, and where each row stands."""

    X: Rows | Stored
    Y: Rows | Stored
    weights: Array | None
    starts: tuple[int, ...]
    places: tuple[Places, ...]

    @property
    def n(self) -> int:
        return n_rows(self.X)

    def first(self, n: int) -> tuple[Rows, Rows]:
        """The inputs and targets of the first `n` rows."""
        return slice_rows(self.X, 0, n), slice_rows(self.Y, 0, n)

    def place(self, row: int) -> tuple[str, int]:
        """The file and line of a row (from 0); line 0 where the file has no lines."""
        places, start = self.block_of(row)
        return places.place(row - start)

    def number(self, row: int) -> int:
        """The number of a row in its file, from 0; of a part of the data they do not follow one another."""
        places, start = self.block_of(row)
        number = row if places.numbers is None else int(places.numbers[row - start])
        return number - places.before

    def block_of(self, row: int) -> tuple[Places, int]:
        """Where the rows of a row's block stand, and the first of them."""
        block = bisect_right(self.starts, row) - 1
        return self.places[block], self.starts[block]


@dataclass(frozen=True)
class StoredDataset(Dataset):
    """Rows that lie in files. Where one stands is looked up in the data when it is asked for."""

    reader: Reader

    def block_of(self, row: int) -> tuple[Places, int]:
        start = 0
        for block in self.reader.blocks():
            if row < start + len(block):
                return block.places, start
            start += len(block)
        raise IndexError(f"row {row} of {start}")


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
    found = load_within(math.inf, reader, features, target, expected, weights)
    assert found is not None
    return found


def load_within(
    most: float, reader: Reader, features: Encoder, target: Target, expected: int = 0, weights: RowWeights = ALIKE
) -> Dataset | None:
    """The same, or None when the encoded rows take, or going by the first of `expected` ones will take, more than
    `most` bytes."""
    X, Y, starts, places = Gather(expected), Gather(expected), [], []
    W: list[Array] = []
    size = 0
    for block, X_block, Y_block, W_block in encoded(reader, features, target, weights):
        size += n_bytes(X_block) + n_bytes(Y_block)
        if max(size, size / (X.n + len(block)) * expected) > most:
            return None
        starts.append(X.n)
        places.append(block.places)
        X.add(X_block)
        Y.add(Y_block)
        W += [] if W_block is None else [W_block]
    if X.n == 0:
        raise no_rows()
    return Dataset(X.result(), Y.result(), together(W), tuple(starts), tuple(places))


def store(
    cache: Cache, key: str, reader: Reader, features: Encoder, target: Target, weights: RowWeights = ALIKE
) -> Dataset:
    """All encoded rows in files of the cache, where they are written if they are not there."""

    def blocks() -> Iterator[Mapping[str, Rows]]:
        n = 0
        for _, X, Y, W in encoded(reader, features, target, weights):
            n += n_rows(X)
            yield {"X": X, "Y": Y} | ({} if W is None else {"weights": W})
        if n == 0:
            raise no_rows()

    parts = cache.load(key, blocks())
    W = parts.get("weights")
    counts = None if W is None else slice_rows(W, 0, n_rows(W))
    assert counts is None or isinstance(counts, np.ndarray)
    return StoredDataset(parts["X"], parts["Y"], counts, (), (), reader)


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
