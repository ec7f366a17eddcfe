"""Tallies: what accuracy counts, that parts merge exactly, and what is refused."""

from __future__ import annotations

import copy
import itertools
import math
import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.metrics import Accuracy, Tally
from trainer_cli.registry import registry

STREAM = np.random.default_rng(5)
P = STREAM.dirichlet(np.ones(4), size=101).astype(np.float32)
TRUTHS = STREAM.integers(0, 4, 101)
WEIGHTS = STREAM.random(101)


def accuracy(probabilities: Array, truths: object, weights: Array | None = None) -> float:
    tally = Accuracy()
    tally.update(probabilities, truths, weights)
    return tally.result()


def test_accuracy_is_registered_and_a_tally() -> None:
    assert registry.metrics.get("accuracy.v1") is Accuracy
    assert isinstance(Accuracy(), Tally)
    assert Accuracy.higher_is_better


def test_accuracy_counts_rows_whose_largest_column_is_right() -> None:
    p = np.array([[0.2, 0.8], [0.6, 0.4], [0.5, 0.5], [0.1, 0.9]])
    assert accuracy(p, np.array([1, 1, 0, 1])) == 0.75  # of equals the first


def test_accuracy_weighs_rows() -> None:
    p = np.array([[0.2, 0.8], [0.6, 0.4], [0.9, 0.1]])
    assert accuracy(p, np.array([1, 1, 0]), np.array([3.0, 1.0, 0.0])) == 0.75


def test_one_hot_rows_and_lists_are_class_numbers() -> None:
    expected = accuracy(P, TRUTHS)
    assert (
        accuracy(P, np.eye(4)[TRUTHS]) == accuracy(P, TRUTHS.tolist()) == accuracy(P, TRUTHS.astype("u1")) == expected
    )
    assert expected == np.mean(P.argmax(axis=1) == TRUTHS)


@pytest.mark.parametrize("truths", [[1, 0, 1, 1], [1.0, 0.0, 1.0, 1.0], [True, False, True, True]])
@pytest.mark.parametrize("column", [True, False])
def test_one_column_is_yes_from_a_half_on(truths: list[float], column: bool) -> None:
    p = np.array([0.5, 0.49, 0.9, 0.1])
    given_truths = np.array(truths)[:, None] if column else np.array(truths)
    assert accuracy(p[:, None], given_truths) == accuracy(p, given_truths) == 0.75


def test_a_row_with_nan_is_wrong() -> None:
    assert accuracy(np.array([[np.nan, 0.5], [0.9, 0.1]]), np.array([0, 0])) == 0.5
    assert accuracy(np.array([[np.nan], [0.1]]), np.array([0, 0])) == 0.5


def test_no_rows_is_nan_and_so_is_no_weight() -> None:
    assert math.isnan(Accuracy().result())
    assert math.isnan(accuracy(P, TRUTHS, np.zeros(101)))


def check_merging(cuts: list[int], weights: Array | None, order: int) -> None:
    """Tallies of parts, merged in any order, give the bits of the tally that saw the parts one after the other."""
    edges = [0, *sorted(set(cuts)), 101]
    parts, whole = [], Accuracy()
    for start, stop in itertools.pairwise(edges):
        rows = slice(start, stop)
        parts.append(Accuracy())
        for tally in (parts[-1], whole):
            tally.update(P[rows], TRUTHS[rows], None if weights is None else weights[rows])
    random.Random(order).shuffle(parts)
    merged = Accuracy()
    for part in parts:
        before = part.result()
        merged.merge(part)
        assert part.result() == before
    assert merged.result() == whole.result()
    assert (merged.correct, merged.total) == (whole.correct, whole.total)


@given(st.lists(st.integers(1, 100), max_size=8), st.booleans(), st.integers(0, 99))
def test_merging_parts_is_exact(cuts: list[int], weighted: bool, order: int) -> None:
    check_merging(cuts, WEIGHTS if weighted else None, order)


def test_without_weights_no_cut_changes_a_bit() -> None:
    whole = accuracy(P, TRUTHS)
    for size in (1, 2, 3, 50, 100):
        tally = Accuracy()
        for start in range(0, 101, size):
            tally.update(P[start : start + size], TRUTHS[start : start + size])
        assert tally.result() == whole


def test_a_merge_that_drops_counts_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def dropping(self: Accuracy, other: Accuracy) -> None:
        self.correct += other.correct

    monkeypatch.setattr(Accuracy, "merge", dropping)
    with pytest.raises((AssertionError, OverflowError)):
        check_merging([30, 60], None, 0)


def test_sums_that_round_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    good = Accuracy.__init__

    def rounding(self: Accuracy) -> None:
        good(self)
        self.correct = self.total = 0.0  # type: ignore[assignment]

    monkeypatch.setattr(Accuracy, "__init__", rounding)
    with pytest.raises(AssertionError):
        check_merging(list(range(1, 101)), WEIGHTS, order=3)


def test_a_deep_copy_counts_alone() -> None:
    configured = Accuracy()
    one = copy.deepcopy(configured)
    one.update(P, TRUTHS)
    assert math.isnan(configured.result())


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: accuracy(P, TRUTHS[:3]),
            ShapeError,
            r"accuracy: truths must be 101 class numbers .* got shape \(3,\)",
        ),
        (lambda: accuracy(P, TRUTHS + 1), ArgumentError, r"accuracy: class numbers go from 0 to 3, got 4"),
        (lambda: accuracy(P, TRUTHS, WEIGHTS[:3]), ShapeError, r"weights must be one for each of 101 rows"),
        (lambda: accuracy(P[:0], TRUTHS[:0]), ShapeError, r"at least one of each, got shape \(0, 4\)"),
        (lambda: accuracy(P[:, :1], TRUTHS[:3]), ShapeError, r"one for each of 101 rows, got shape \(3,\)"),
        (lambda: accuracy(P[:2, :1], np.array([0.5, 1.0])), ArgumentError, r"must be 0 or 1, got 0.5 in row 0"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
