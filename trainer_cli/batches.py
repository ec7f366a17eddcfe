"""Batches of rows for a loop written by hand: what `Ops.minibatch` and `Ops.multibatch` return."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from itertools import chain, islice, tee
from typing import Any, Protocol

import numpy as np

from trainer_cli.arrays import Ints, Ragged, take
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.prefetch import prefetch
from trainer_cli.randomness import generator
from trainer_cli.schedules.arguments import require_flags
from trainer_cli.schedules.schedule import Schedule, as_schedule

Size = float | Schedule | Iterable[float]


class Shuffler(Protocol):
    """Where orders come from: a seed, and a number for everything that shuffles."""

    seed: int

    def next_shuffle(self) -> int: ...


class SizedGenerator:
    """Batches that are never used up: each iteration is a new pass, shuffled anew where that was asked for.

    `len` is the number of batches of the pass that is under way, or else of the next one.

    >>> batches = SizedGenerator(lambda: iter("ab"), 2)
    >>> len(batches), list(batches), list(batches)
    (2, ['a', 'b'], ['a', 'b'])
    """

    def __init__(self, get_items: Callable[[], Iterator[Any]], length: int | Callable[[], int]):
        self.get_items = get_items
        self.length = length

    def __len__(self) -> int:
        return self.length() if callable(self.length) else self.length

    def __iter__(self) -> Iterator[Any]:
        return self.get_items()


def minibatch(ops: Shuffler, size: Size, sequence: Any, *, shuffle: bool, buffer: int) -> SizedGenerator:
    """See `Ops.minibatch`."""
    batches = multibatch(ops, size, [sequence], shuffle=shuffle, buffer=buffer)
    return SizedGenerator(lambda: (batch for (batch,) in batches), batches.length)


def multibatch(ops: Shuffler, size: Size, sequences: Sequence[Any], *, shuffle: bool, buffer: int) -> SizedGenerator:
    """See `Ops.multibatch`."""
    if isinstance(buffer, bool) or not isinstance(buffer, int) or buffer < 1:
        raise ArgumentError(f"buffer is a number of batches, at least 1, got {buffer!r}")
    require_flags("batches", shuffle=shuffle)
    try:
        schedule = as_schedule(size)
    except ArgumentError as err:
        raise ArgumentError(f"size, which comes first: {err}") from err
    whole_size(schedule, schedule.position, 0.0)  # a wrong size is told here, not in the first pass
    streams = [is_stream(sequence) for sequence in sequences]
    if not any(streams):
        passes: Passes = RowPasses(schedule, buffer, sequences, ops, shuffle)
    elif not all(streams):
        raise ArgumentError("a stream has no length that could be held against a sequence's: make a list of it")
    elif shuffle:
        raise ArgumentError("a stream cannot be shuffled: make a list of it, or leave shuffle off")
    else:
        passes = StreamPasses(schedule, buffer, sequences)
    return SizedGenerator(passes.items, passes.length)


def whole_size(schedule: Schedule, step: int, carry: float) -> tuple[int, float]:
    """How many rows the batch of a step gets, and the fraction carried on, so that the mean size is right.

    ArgumentError: the schedule gives less than 1.

    >>> whole_size(as_schedule(2.75), 0, 0.5)
    (3, 0.25)
    """
    wanted = schedule(step)
    if not wanted >= 1:
        raise ArgumentError(f"a batch has at least one row, got a size of {wanted:g} at step {step}")
    size = int(wanted + carry)
    return size, wanted + carry - size


class Passes:
    """Passes over data in batches. The sizes go on from pass to pass, and so does the fraction carried over.

    The schedule's position counts the batches handed out, so that whoever shares the schedule goes on from there.
    """

    def __init__(self, schedule: Schedule, buffer: int):
        self.schedule = schedule
        self.buffer = buffer
        self.carry = 0.0
        self.begun: tuple[int, float] | None = None
        self.n_begun = 0

    def items(self) -> Iterator[Any]:
        """One pass."""
        begun = self.begun = self.schedule.position, self.carry
        self.n_begun += 1
        batches = self.cut(self.sizes(begun))
        if self.buffer > 1:
            batches = prefetch(batches, self.buffer, self.leave)
        try:
            for batch, carry in batches:
                self.schedule.position += 1
                self.carry = carry
                yield batch
        finally:
            if self.begun is begun:
                self.begun = None

    def leave(self, rest: Callable[[], Iterator[tuple[list[Any], float]]]) -> None:
        """Take note that a pass was left, perhaps with batches that were cut ahead: `rest` gives them."""

    def sizes(self, begun: tuple[int, float]) -> Iterator[tuple[int, float]]:
        """The sizes from a step on, without drawing them, each with the fraction carried on after it."""
        step, carry = begun
        while True:
            size, carry = whole_size(self.schedule, step, carry)
            step += 1
            yield size, carry

    def cut(self, sizes: Iterator[tuple[int, float]]) -> Iterator[tuple[list[Any], float]]:
        """The batches of one pass, each with the fraction carried on."""
        raise NotImplementedError

    def length(self) -> int:
        raise NotImplementedError


class RowPasses(Passes):
    """Passes over sequences of equal length, every row once a pass."""

    def __init__(self, schedule: Schedule, buffer: int, sequences: Sequence[Any], ops: Shuffler, shuffle: bool):
        super().__init__(schedule, buffer)
        self.sequences = sequences
        self.n_rows = same_length(sequences)
        self.ops = ops
        self.number = ops.next_shuffle() if shuffle else None

    def cut(self, sizes: Iterator[tuple[int, float]]) -> Iterator[tuple[list[Any], float]]:
        order, start = self.order(), 0
        while start < self.n_rows:
            size, carry = next(sizes)
            rows = order[start : start + size]
            yield [pick(sequence, rows) for sequence in self.sequences], carry
            start += size

    def order(self) -> Ints:
        """The rows of the pass that has begun: drawn from (seed, "shuffle", number of this, number of the pass)."""
        if self.number is None:
            return np.arange(self.n_rows)
        return generator(self.ops.seed, "shuffle", self.number, self.n_begun - 1).permutation(self.n_rows)

    def length(self) -> int:
        sizes = self.sizes(self.begun or (self.schedule.position, self.carry))
        n_batches = start = 0
        while start < self.n_rows:
            start += next(sizes)[0]
            n_batches += 1
        return n_batches


class StreamPasses(Passes):
    """Passes over iterables without a length, drawn from as the batches are; each batch is a list."""

    def __init__(self, schedule: Schedule, buffer: int, streams: Sequence[Iterable[Any]]):
        super().__init__(schedule, buffer)
        self.streams = streams
        self.rest: Callable[[], Iterator[tuple[list[Any], float]]] | None = None

    def leave(self, rest: Callable[[], Iterator[tuple[list[Any], float]]]) -> None:
        self.rest = rest

    def sources(self) -> list[Iterator[Any]]:
        """The streams from their beginning; one that has none goes on behind the rows that were never given out."""
        rest, self.rest = self.rest, None
        if rest is None or not any(iter(stream) is stream for stream in self.streams):
            return [iter(stream) for stream in self.streams]
        parts = tee((part for part, _ in rest()), len(self.streams))
        return [
            chain(rows_of(left, i), stream) if iter(stream) is stream else iter(stream)
            for i, (left, stream) in enumerate(zip(parts, self.streams, strict=True))
        ]

    def cut(self, sizes: Iterator[tuple[int, float]]) -> Iterator[tuple[list[Any], float]]:
        sources, n_rows = self.sources(), 0
        for size, carry in sizes:
            parts = [list(islice(source, size)) for source in sources]
            lengths = [n_rows + len(part) for part in parts]
            if min(lengths) != max(lengths):
                raise ShapeError(
                    f"the streams of a batch must be equally long: one ended after {min(lengths)} rows, "
                    f"another went on to {max(lengths)}"
                )
            if not parts[0]:
                break
            n_rows = lengths[0]
            yield parts, carry
            if len(parts[0]) < size:
                break
        if n_rows == 0 and self.n_begun > 1 and any(iter(stream) is stream for stream in self.streams):
            raise ArgumentError("this stream was used up by an earlier pass: give a list, or make new batches of it")

    def length(self) -> int:
        raise TypeError("batches of a stream have no len(): how many there will be is not known before its end")


def rows_of(batches: Iterator[list[Any]], i: int) -> Iterator[Any]:
    """The rows of the i-th sequence, one by one."""
    for parts in batches:
        yield from parts[i]


def is_stream(sequence: Any) -> bool:
    """Whether rows come one by one, their number unknown. ArgumentError: there are no rows in an order at all."""
    is_rows = isinstance(sequence, Ragged) or (hasattr(sequence, "__len__") and hasattr(sequence, "__getitem__"))
    is_stream = isinstance(sequence, Iterable) and not isinstance(sequence, Sized)
    is_scalar = isinstance(sequence, str | bytes) or getattr(sequence, "ndim", 1) == 0
    if is_scalar or not (is_rows or is_stream):
        raise ArgumentError(f"batches are cut from a list, an array or another sequence of rows, got {sequence!r:.60}")
    return is_stream


def same_length(sequences: Sequence[Any]) -> int:
    """How many rows each sequence has. ShapeError: one has more than another."""
    lengths = [n_rows(sequence) for sequence in sequences]
    if min(lengths) != max(lengths):
        raise ShapeError(f"the sequences of a batch must have as many rows each, got {' and '.join(map(str, lengths))}")
    return lengths[0]


def n_rows(sequence: Any) -> int:
    if isinstance(sequence, Ragged):
        return len(sequence.lengths)
    if isinstance(sequence, dict):
        return same_length(list(sequence.values())) if sequence else 0
    if not hasattr(sequence, "__len__"):
        raise ArgumentError(f"batches are cut from sequences of rows, got {type(sequence).__name__}")
    return len(sequence)


def pick(sequence: Any, rows: Ints) -> Any:
    """Rows of a sequence in this order, copied: an array of an array, a list of a list, a tuple of a tuple.

    A tuple is a sequence of rows here; the parts of an input are the values of a dict.
    """
    if isinstance(sequence, np.ndarray | Ragged):
        return take(sequence, rows)
    if isinstance(sequence, dict):
        return {name: pick(part, rows) for name, part in sequence.items()}
    if hasattr(sequence, "shape"):  # another library's array
        return sequence[rows]
    picked = [sequence[row] for row in rows.tolist()]
    return tuple(picked) if isinstance(sequence, tuple) else picked
