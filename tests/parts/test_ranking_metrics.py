"""Metrics of an order beside their peers', in memory and in a file, and that parts merge to the bit."""

from __future__ import annotations

import math
import tracemalloc
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as peer
from tallies import check_merge, quick_peers, tallied

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError, ShapeError, StorageError
from trainer_cli.metrics import AUC, AveragePrecision, MedianError, Spearman, ordering, scratch, spill
from trainer_cli.metrics.ordering import ordered, stretches
from trainer_cli.metrics.spill import Spill
from trainer_cli.metrics.ties import ties

QUICK = pytest.fixture(quick_peers, autouse=True)
BY_CLASS = (AUC, AveragePrecision)
OF_NUMBERS = (MedianError, Spearman)
EVERY = (*BY_CLASS, *OF_NUMBERS)
EACH = pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
PEERS: dict[Any, Callable[..., float]] = {
    AUC: peer.roc_auc_score,
    AveragePrecision: peer.average_precision_score,
    MedianError: peer.median_absolute_error,
}


def classes_case(index: int, n_classes: int) -> tuple[Array, Array, Array | None]:
    """Probabilities with many ties, truths of all classes, and every other time weights, some of them 0."""
    rng = np.random.default_rng(index)
    n = int(rng.integers(2 * n_classes, 60))
    P = np.round(rng.dirichlet(np.ones(n_classes), n), int(rng.integers(1, 4)))
    P /= P.sum(axis=1, keepdims=True)
    truths = rng.permutation(np.append(np.arange(n_classes), rng.integers(0, n_classes, n - n_classes)))
    weights = np.where(rng.random(n) < 0.2, 0.0, rng.random(n))
    weights[[int(np.argmax(truths == k)) for k in range(n_classes)]] = 0.5
    return P, truths, weights if index % 2 else None


def numbers_case(index: int) -> tuple[Array, Array, Array | None]:
    rng = np.random.default_rng(index)
    n = int(rng.integers(2, 60))
    truths = np.round(rng.normal(size=n), int(rng.integers(0, 4)))
    guesses = np.round(truths + rng.normal(size=n), int(rng.integers(0, 4)))
    return guesses, truths, np.where(rng.random(n) < 0.2, 0.0, rng.random(n)) + 0.1 if index % 2 else None


def case(kind: Any, index: int) -> tuple[Array, Array, Array | None]:
    return classes_case(index, 2 + index % 3) if kind in BY_CLASS else numbers_case(index)


@pytest.mark.parametrize("kind", BY_CLASS)
def test_a_thousand_cases_of_two_classes_are_the_peer_s(kind: Any) -> None:
    for index in range(1000):
        P, truths, weights = classes_case(index, 2)
        expected = PEERS[kind](truths, P[:, 1], sample_weight=weights)
        assert abs(tallied(kind, P, truths, weights).result() - expected) < 1e-12
        assert abs(tallied(kind, P[:, 1], truths, weights).result() - expected) < 1e-12


@pytest.mark.parametrize("kind", BY_CLASS)
def test_a_thousand_cases_of_more_classes_are_the_peer_s_one_against_the_rest(kind: Any) -> None:
    for index in range(1000):
        P, truths, weights = classes_case(index, 3 + index % 3)
        more = {"multi_class": "ovr"} if kind is AUC else {}
        expected = PEERS[kind](truths, P, average="macro", sample_weight=weights, **more)
        assert abs(tallied(kind, P, truths, weights).result() - expected) < 1e-12


@pytest.mark.parametrize("kind", BY_CLASS)
def test_a_thousand_cases_of_flags_are_the_peer_s_each_a_class_of_its_own(kind: Any) -> None:
    for index in range(1000):
        rng = np.random.default_rng(index)
        shape = n, n_flags = int(rng.integers(4, 40)), 2 + index % 3
        P, flags = np.round(rng.random(shape), 1 + index % 3), rng.integers(0, 2, shape)
        flags[:2] = [[0] * n_flags, [1] * n_flags]
        weights = rng.random(n) + 0.1 if index % 2 else None
        expected = PEERS[kind](flags, P, average="macro", sample_weight=weights)
        assert abs(tallied(kind, P, flags, weights).result() - expected) < 1e-12


def test_a_thousand_median_errors_are_the_peer_s() -> None:
    for index in range(1000):
        guesses, truths, weights = numbers_case(index)
        expected = PEERS[MedianError](truths, guesses, sample_weight=weights)
        assert abs(tallied(MedianError, guesses[:, None], truths, weights).result() - expected) < 1e-12


def test_a_thousand_rank_correlations_are_the_peer_s() -> None:
    """The peer knows no weights: whole ones are rows that come again."""
    for index in range(1000):
        guesses, truths, _ = numbers_case(index)
        times = np.random.default_rng(index).integers(1, 4, len(guesses)) if index % 2 else np.ones(len(guesses), int)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of numbers that are all equal
            expected = float(stats.spearmanr(np.repeat(guesses, times), np.repeat(truths, times)).statistic)
        found = tallied(Spearman, guesses, truths, times).result()
        assert (math.isnan(found) and math.isnan(expected)) or abs(found - expected) < 1e-12


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is kept goes to a file, and is sorted in stretches of a few rows."""
    monkeypatch.setattr(spill, "MEMORY_BYTES", 100)
    monkeypatch.setattr(ordering, "SORTED_ROWS", 7)
    monkeypatch.setattr(ordering, "BLOCK_ROWS", 5)


@EACH
def test_parts_merge_to_the_bit_in_any_order_and_split(kind: Any) -> None:
    for index in range(4):
        check_merge(kind, index, *case(kind, index))


@EACH
def test_parts_in_files_merge_to_the_bit_in_any_order_and_split(kind: Any, small: None) -> None:
    for index in range(4):
        check_merge(kind, index, *case(kind, index))


@EACH
def test_a_file_gives_what_memory_gives(kind: Any, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [tallied(kind, *case(kind, index)).result() for index in range(30)]
    monkeypatch.undo()
    expected = [tallied(kind, *case(kind, index)).result() for index in range(30)]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_runs_that_are_merged_by_their_first_column_alone_would_be_noticed(
    small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = np.random.default_rng(0).integers(0, 3, (100, 2)).astype(float)

    def check() -> None:
        expected = rows[np.lexsort(rows.T[::-1])]
        np.testing.assert_array_equal(np.concatenate(list(ordered([rows[:40], rows[40:]]))), expected)

    check()
    monkeypatch.setattr(ordering, "n_up_to", lambda rows, bound: int(rows[:, 0].searchsorted(bound[0], side="right")))
    with pytest.raises(AssertionError):
        check()


@pytest.mark.parametrize("merged_runs", [2, 3, 1000])
@pytest.mark.parametrize("n", [0, 1, 6, 7, 8, 49, 50, 700])
def test_rows_come_in_order_in_blocks_of_one_size(
    n: int, merged_runs: int, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordering, "MERGED_RUNS", merged_runs)
    rows = np.random.default_rng(n).integers(-4, 4, (n, 3)).astype(float)
    for pieces in (1, 3, 13):
        blocks = list(ordered(np.array_split(rows, pieces)))
        assert [len(block) for block in blocks] == [len(block) for block in stretches([rows], 5)]
        if n:
            np.testing.assert_array_equal(np.concatenate(blocks), rows[np.lexsort(rows.T[::-1])])


def test_equal_scores_are_taken_together_across_blocks() -> None:
    blocks = [np.array([[1.0, 1], [2, 1]]), np.array([[2.0, 3], [2, 1]]), np.array([[3.0, 7]])]
    np.testing.assert_array_equal(np.concatenate(list(ties(blocks))), [[1, 1], [2, 5], [3, 7]])
    infinite = np.array([[-np.inf, 1.0], [np.inf, 2], [np.inf, 3]])
    np.testing.assert_array_equal(np.concatenate(list(ties([infinite]))), [[-np.inf, 1], [np.inf, 5]])


N_MANY = 600_000
MOST_BYTES = 12 << 20


def peak(kind: Any, n: int) -> int:
    """The most memory in bytes while a metric counts n rows and tells its score."""
    rng, tally = np.random.default_rng(0), kind()
    tracemalloc.start()
    for start in range(0, n, 20_000):
        size = min(20_000, n - start)
        guesses, truths = rng.random(size), rng.integers(0, 2, size)
        tally.update(guesses, truths)
    assert not math.isnan(tally.result())
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


@EACH
def test_memory_does_not_grow_with_the_rows(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering, "MERGED_RUNS", 4)  # so that runs are merged to longer ones first
    assert peak(kind, N_MANY) < MOST_BYTES
    # Without a file the rows alone would be more.
    assert N_MANY * 3 * 8 > MOST_BYTES


def test_the_check_of_memory_sees_rows_that_are_all_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "MEMORY_BYTES", 1 << 30)
    assert peak(AUC, N_MANY) > MOST_BYTES


def test_the_check_of_memory_sees_rows_that_are_sorted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering, "SORTED_ROWS", 1 << 19)
    assert peak(AUC, N_MANY) > MOST_BYTES


def test_rows_that_do_not_fit_on_the_disk_are_told(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def seek(self, *args: int) -> int:
            return 0

        def write(self, data: Any) -> int:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            pass

    monkeypatch.setattr(scratch.tempfile, "TemporaryFile", lambda **more: Full())
    with pytest.raises(StorageError, match="a metric keeps could not be written: No space left on device; set TMPDIR"):
        tallied(AUC, *classes_case(0, 2))


def test_what_is_read_is_what_was_kept(small: None) -> None:
    rows = np.random.default_rng(1).random((50, 4))
    kept = Spill()
    for part in np.array_split(rows, 9):
        kept.add(part)
    np.testing.assert_array_equal(np.concatenate(list(kept.blocks())), rows)
    np.testing.assert_array_equal(np.concatenate(list(kept.blocks((2, -1)))), rows[:, (2, 3)])
    with pytest.raises(ShapeError, match="as many columns, got 3 after 4"):
        kept.add(rows[:, :3])


def test_scores_by_hand() -> None:
    assert tallied(AUC, np.array([0.1, 0.4, 0.4, 0.8]), np.array([0, 0, 1, 1])).result() == 3.5 / 4
    assert tallied(AveragePrecision, np.array([0.9, 0.8, 0.1]), np.array([1, 0, 1])).result() == (1 + 2 / 3) / 2
    assert tallied(MedianError, np.array([1.0, 2.0, 3.0, 9.0]), np.zeros(4)).result() == 2.5
    assert tallied(MedianError, np.array([1.0, 2.0, 3.0]), np.zeros(3), np.array([1.0, 1.0, 2.0])).result() == 2.5
    assert tallied(Spearman, np.array([1.0, 2.0, 3.0]), np.array([5.0, 9.0, 7.0])).result() == 0.5


def test_a_class_that_is_absent_is_left_out_of_the_mean() -> None:
    P, truths, _ = classes_case(2, 3)
    more = np.concatenate([P * 0.5, np.full((len(P), 1), 0.5)], axis=1)
    for kind in BY_CLASS:
        assert tallied(kind, more, truths).result() == pytest.approx(tallied(kind, P * 0.5, truths).result(), abs=0)


def test_a_class_that_training_never_had_is_of_the_rest() -> None:
    P = np.array([[0.2, 0.3, 0.5], [0.6, 0.2, 0.2], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
    for kind in BY_CLASS:
        flags = np.eye(4)[[0, 0, 1, -1]][:, :3]
        assert tallied(kind, P, np.array([0, 0, 1, -1])).result() == tallied(kind, P, flags).result()


@EACH
def test_what_cannot_be_told_is_no_number(kind: Any) -> None:
    assert math.isnan(kind().result())
    ones = np.ones(3)
    assert math.isnan(tallied(kind, ones / 2, ones, np.zeros(3)).result())
    assert math.isnan(tallied(kind, np.array([np.nan, 0.5, 0.1]), np.array([0.0, 1.0, 1.0])).result())
    assert math.isnan(tallied(AUC, ones / 2, ones).result())
    assert math.isnan(tallied(AveragePrecision, ones / 2, ones * 0).result())
    assert math.isnan(tallied(Spearman, np.array([1.0, 2.0, 3.0]), ones).result())


def test_ranks_of_equal_numbers_have_no_correlation_whatever_the_weights() -> None:
    rising, equal = np.arange(6.0), np.full(6, 0.7)
    for seed in range(20):
        weights = np.random.default_rng(seed).random(6)
        for guesses, truths in ((equal, rising), (rising, equal)):
            parts = [tallied(Spearman, *(rows[i : i + 1] for rows in (guesses, truths, weights))) for i in range(6)]
            for part in parts[1:]:
                parts[0].merge(part)
            assert math.isnan(tallied(Spearman, guesses, truths, weights).result())
            assert math.isnan(parts[0].result())


def test_rows_without_weight_make_no_numbers_different() -> None:
    guesses, counts = np.array([1.0, 1.0, 5.0]), np.array([1.0, 1.0, 0.0])
    assert math.isnan(tallied(Spearman, guesses, np.array([1.0, 2.0, 3.0]), counts).result())


@pytest.mark.parametrize("weight", [0.1, 0.3, 0.7, 1e-3, 1 / 3])
def test_half_of_fractional_weights_is_met_exactly(weight: float) -> None:
    for n in range(2, 41, 2):
        errors, counts = np.arange(1.0, n + 1), np.full(n, weight)
        assert tallied(MedianError, errors, np.zeros(n), counts).result() == (n + 1) / 2


@pytest.mark.parametrize("block", [1, 2, 3])
def test_half_of_the_weight_may_end_a_block(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(ordering, "BLOCK_ROWS", block)
    test_half_of_fractional_weights_is_met_exactly(0.1)


def test_a_unit_scales_the_median_and_not_the_ranks() -> None:
    tally = tallied(MedianError, np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    tally.unit = 10.0
    assert tally.result() == 20.0
    assert not hasattr(Spearman(), "unit")


def test_wrong_rows_are_refused() -> None:
    P = np.full((3, 2), 0.5)
    with pytest.raises(ArgumentError, match="auc: class numbers go from 0 to 1, got 2 in row 1"):
        tallied(AUC, P, np.array([0, 2, 1]))
    with pytest.raises(
        ArgumentError, match=r"average_precision: truths for one column must be 0 or 1, got 0.5 in row 0"
    ):
        tallied(AveragePrecision, P[:, 0], np.full(3, 0.5))
    with pytest.raises(ArgumentError, match=r"auc: truths must be flags, each 0 or 1, got 0.5 in row 0, column 0"):
        tallied(AUC, P, P)
    tally = tallied(AUC, P, np.array([0, 1, 1]))
    with pytest.raises(
        ShapeError, match="auc: all rows must be of one kind, got 2 columns, flags after 2 columns, class"
    ):
        tally.update(P, np.eye(2)[[0, 1, 1]])
    for kind, name in ((MedianError, "median_error"), (Spearman, "spearman")):
        with pytest.raises(ShapeError, match=rf"{name}: guesses must be one number a row, got shape \(3, 2\)"):
            tallied(kind, P, P)
