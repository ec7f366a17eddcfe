"""Every batcher uses each row exactly once a pass and goes on from any batch; what each makes of lengths."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_cli.arrays import Array, Ints, Ragged, Rows
from trainer_cli.balance import Balance
from trainer_cli.batchers.batcher import Batcher, row_lengths
from trainer_cli.batchers.by_length import LengthBatcher
from trainer_cli.batchers.rows import RowBatcher
from trainer_cli.batchers.words import WordBatcher
from trainer_cli.epochs import Epochs
from trainer_cli.errors import ArgumentError
from trainer_cli.registry import registry
from trainer_cli.schedules import compounding
from trainer_cli.schedules.schedule import Schedule, as_schedule

BATCHERS: dict[str, Batcher] = {
    "rows.v1": RowBatcher(),
    "words.v1": WordBatcher(20, 0.2),
    "by_length.v1": LengthBatcher(pool=16, run=4),
}


@dataclass
class Texts:
    X: Rows
    Y: Array
    weights: Array | None = None


def texts(lengths: Ints) -> Texts:
    """Rows of so many words each."""
    return Texts(Ragged(np.zeros(lengths.sum(), np.int64), lengths), np.arange(len(lengths)))


def drawn_lengths(n: int, seed: int = 0) -> Ints:
    return np.random.default_rng(seed).integers(0, 30, n)


def epochs_of(batcher: Batcher, lengths: Ints, size: Schedule | None = None, **more: object) -> Epochs:
    schedule = batcher.size or size or compounding(2.5, 7.0, 1.1)
    return Epochs(texts(lengths), schedule, seed=3, batcher=batcher, **more)  # type: ignore[arg-type]


def passes(epochs: Epochs, n: int) -> list[list[list[int]]]:
    """The rows of each batch of the first passes."""
    found: list[list[list[int]]] = [[] for _ in range(n)]
    for batch in epochs:
        if epochs.position.epoch == n:
            return found
        found[epochs.position.epoch].append(batch.rows.tolist())
    raise AssertionError


def used(batches: list[list[int]]) -> list[int]:
    return sorted(row for batch in batches for row in batch)


def test_every_batcher_is_tested() -> None:
    assert {name for name in registry.batchers.names() if registry.batchers.is_built_in(name)} == set(BATCHERS)


@pytest.mark.parametrize("name", BATCHERS)
@given(n=st.integers(1, 120), seed=st.integers(0, 100))
@settings(max_examples=30)
def test_every_row_is_used_exactly_once_a_pass(name: str, n: int, seed: int) -> None:
    for batches in passes(epochs_of(BATCHERS[name], drawn_lengths(n, seed)), 3):
        assert used(batches) == list(range(n))
        assert all(batches)


@pytest.mark.parametrize("name", BATCHERS)
@pytest.mark.parametrize("with_balance", [False, True])
def test_batches_go_on_from_any_position(name: str, with_balance: bool) -> None:
    lengths = drawn_lengths(53)
    balance = Balance(np.array([0] * 40 + [1] * 13)) if with_balance else None
    whole = [batch.rows.tolist() for batch in islice(epochs_of(BATCHERS[name], lengths, balance=balance), 40)]
    before = epochs_of(BATCHERS[name], lengths, balance=balance)
    for n_done in range(1, 40):
        next(iter(before))
        after = epochs_of(BATCHERS[name], lengths, balance=balance, position=before.position)
        assert [batch.rows.tolist() for batch in islice(after, 40 - n_done)] == whole[n_done:]


def test_the_check_sees_an_order_that_is_not_derived() -> None:
    class Forgetful(Batcher):
        """Draws from a generator of its own, which no resume brings back."""

        def __init__(self) -> None:
            self.own = np.random.default_rng(0)

        def arrange(self, rows: Ints, lengths: Ints, generator: np.random.Generator) -> Ints:
            return self.own.permutation(rows)

    batcher, lengths = Forgetful(), drawn_lengths(20)
    before = epochs_of(batcher, lengths)
    whole = [batch.rows.tolist() for batch in islice(before, 3)]
    after = epochs_of(batcher, lengths, position=epochs_of(batcher, lengths).position)
    assert [batch.rows.tolist() for batch in islice(after, 3)] != whole


@pytest.mark.parametrize("name", BATCHERS)
def test_each_pass_has_an_order_of_its_own(name: str) -> None:
    first, second, third = passes(epochs_of(BATCHERS[name], drawn_lengths(60)), 3)
    assert first != second != third


def test_rows_alone_are_what_a_run_has_without_a_batcher() -> None:
    lengths = drawn_lengths(30)
    plain = Epochs(texts(lengths), compounding(2.5, 7.0, 1.1), seed=3)
    assert passes(plain, 2) == passes(epochs_of(RowBatcher(), lengths), 2)


@given(seed=st.integers(0, 200), size=st.integers(1, 60), tolerance=st.floats(0, 1))
@settings(max_examples=60)
def test_a_batch_of_words_has_as_many_as_fit(seed: int, size: int, tolerance: float) -> None:
    lengths = drawn_lengths(80, seed)
    (batches,) = passes(epochs_of(WordBatcher(size, tolerance), lengths), 1)
    counted = np.maximum(lengths, 1)
    most = size * (1 + tolerance)
    for batch, following in zip(batches, [*batches[1:], []], strict=True):
        n_words = counted[batch].sum()
        assert n_words <= most or len(batch) == 1
        if following:  # the batch is full, or the next row is too long for it
            assert n_words >= size or n_words + counted[following[0]] > most
        assert counted[batch[:-1]].sum() < size


def test_the_size_in_words_may_be_a_schedule() -> None:
    batcher = WordBatcher(as_schedule([10, 20, 30]), 0)
    sizes = [sum(batch.X.lengths) for batch in islice(epochs_of(batcher, np.full(100, 5)), 4)]
    assert sizes == [10, 20, 30, 30]


def test_rows_of_a_batch_are_about_as_long_as_each_other() -> None:
    lengths = drawn_lengths(4000)
    spread = {}
    for name, batcher in (("random", RowBatcher()), ("alike", LengthBatcher(pool=1024, run=32))):
        (batches,) = passes(epochs_of(batcher, lengths, as_schedule(32)), 1)
        spread[name] = np.mean([np.ptp(lengths[batch]) for batch in batches])
    assert spread["random"] > 25
    assert spread["alike"] < 2


def test_batches_of_like_length_come_in_no_order_of_length() -> None:
    lengths = drawn_lengths(4096)
    (batches,) = passes(epochs_of(LengthBatcher(pool=4096, run=32), lengths, as_schedule(32)), 1)
    means = [lengths[batch].mean() for batch in batches]
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.3


@pytest.mark.parametrize(
    ("counts", "uses"),
    [([6, 3], [6, 6]), ([7, 2, 3], [7, 7, 7]), ([50, 1, 4], [50, 10, 40]), ([4, 4], [4, 4]), ([5, 0, 2], [5, 5])],
)
def test_classes_come_as_often_as_the_largest_but_no_row_more_than_ten_times(
    counts: list[int], uses: list[int]
) -> None:
    classes = np.repeat(np.arange(len(counts)), counts)
    balance = Balance(classes)
    assert balance.n_uses == uses
    for seed in range(5):
        rows = balance.rows(np.random.default_rng(seed))
        n_times = np.bincount(rows, minlength=len(classes))
        assert n_times.min() >= 1
        assert n_times.max() <= 10
        for number, n_uses in zip(np.flatnonzero(counts), uses, strict=True):
            own = n_times[classes == number]
            assert own.sum() == n_uses
            assert own.max() - own.min() <= 1


def test_a_balanced_pass_uses_what_balance_draws_in_another_order() -> None:
    classes = np.array([0] * 20 + [1] * 7)
    epochs = epochs_of(RowBatcher(), drawn_lengths(27), balance=Balance(classes))
    first, second = passes(epochs, 2)
    assert epochs.n_rows == 40
    assert [int((classes[used(batches)] == 1).sum()) for batches in (first, second)] == [20, 20]
    assert used(first) != used(second)  # other rows of the rare class come a third time


def test_lengths_are_the_longest_of_all_parts() -> None:
    one, other = Ragged(np.zeros(3), np.array([1, 2])), Ragged(np.zeros(4), np.array([3, 1]))
    assert row_lengths({"a": one, "b": other, "c": np.zeros((2, 4))}).tolist() == [3, 2]  # type: ignore[union-attr]
    assert row_lengths((one, other)).tolist() == [3, 2]  # type: ignore[union-attr]
    assert row_lengths(np.zeros((2, 4))) is None
    assert row_lengths({"a": np.zeros((2, 4))}) is None


class Dropping(Batcher):
    def arrange(self, rows: Ints, lengths: Ints, generator: np.random.Generator) -> Ints:
        return rows[1:]


class Empty(Batcher):
    def cut(self, lengths: Ints, size: Schedule, step: int, carry: float) -> tuple[int, float]:
        return 0, carry


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: WordBatcher(20, -0.1), "tolerance: tolerance must be a finite number of at least 0, got -0.1"),
        (lambda: WordBatcher(float("nan")), "got nan"),
        (lambda: next(iter(epochs_of(WordBatcher(0.5), drawn_lengths(5)))), "at least one word, got a size of 0.5"),
        (lambda: LengthBatcher(pool=10, run=20), "pool: must be at least run = 20 rows, got 10"),
        (lambda: LengthBatcher(run=0), "run: must be at least 1 rows, got 0"),
        (lambda: next(iter(epochs_of(Dropping(), drawn_lengths(5)))), "in another order, Dropping does not"),
        (lambda: next(iter(epochs_of(Empty(), drawn_lengths(5)))), "at least one row, got 0 of Empty.cut()"),
    ],
)
def test_what_makes_no_batches_is_refused(make: object, said: str) -> None:
    assert callable(make)
    with pytest.raises(ArgumentError) as caught:
        make()
    assert said in str(caught.value)
