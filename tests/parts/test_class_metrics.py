"""Metrics of classes beside scikit-learn's, and that parts merge to the bit."""

from __future__ import annotations

import math
import tracemalloc
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as peer
from tallies import check_merge, tallied

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.metrics import Accuracy, FScore, LogLoss, Matthews, Precision, Recall, confusion
from trainer_cli.registry import registry

AVERAGES = ("macro", "micro", "weighted")
EVERY = (Precision, Recall, FScore, Matthews, LogLoss)
EACH = pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)


def case(index: int) -> tuple[Array, Array, Array | None]:
    """Probabilities, truths of all classes or only the first ones, and every other time weights."""
    rng = np.random.default_rng(index)
    n, n_classes = int(rng.integers(2, 60)), int(rng.integers(2, 6))
    probabilities = rng.dirichlet(np.full(n_classes, rng.choice([0.1, 1.0])), n)
    truths = rng.integers(0, rng.integers(1, n_classes + 1), n)
    return probabilities, truths, rng.random(n) if index % 2 else None


def test_a_thousand_cases_of_scores_by_class_are_the_peer_s() -> None:
    for index in range(1000):
        P, truths, weights = case(index)
        more = {"labels": list(range(P.shape[1])), "sample_weight": weights, "zero_division": np.nan}
        expected = peer.precision_recall_fscore_support(truths, P.argmax(axis=1), average=None, **more)
        tallies = [tallied(kind, P, truths, weights) for kind in (Precision, Recall, FScore)]
        for tally, scores in zip(tallies, expected[:3], strict=True):
            np.testing.assert_allclose(tally.by_class(), scores, rtol=0, atol=1e-12)
        for average in AVERAGES:
            means = peer.precision_recall_fscore_support(truths, P.argmax(axis=1), average=average, **more)
            for tally, score in zip(tallies, means[:3], strict=True):
                found = tally.result()[average]
                # Where no class with rows has the score, the peer's weighted mean of nothing is 0.
                nothing = math.isnan(found) and (math.isnan(score) or (average == "weighted" and score == 0))
                assert nothing or abs(found - score) < 1e-12


def test_a_class_without_rows_counts_once_a_row_is_taken_for_it() -> None:
    truths, other = np.array([0, 0, 1, 1]), np.eye(4)[[0, 0, 1, 1]]
    taken = np.eye(4)[[0, 0, 1, 2]]  # nobody has class 2 or 3, and nobody is taken for 3
    for kind, whole, scores in (
        (Precision, 2 / 3, [1, 1, 0, math.nan]),
        (Recall, 3 / 4, [1, 1 / 2, math.nan, math.nan]),
        (FScore, 5 / 9, [1, 2 / 3, 0, math.nan]),
    ):
        tally = tallied(kind, taken, truths, None)
        np.testing.assert_allclose(tally.by_class(), scores, rtol=0, atol=1e-15)
        assert tally.result()["macro"] == pytest.approx(whole, abs=1e-15)
        assert tallied(kind, other, truths, None).result()["macro"] == 1


def test_a_thousand_cases_of_accuracy_matthews_and_log_loss_are_the_peer_s() -> None:
    for index in range(1000):
        P, truths, weights = case(index)
        expected = peer.accuracy_score(truths, P.argmax(axis=1), sample_weight=weights)
        assert abs(tallied(Accuracy, P, truths, weights).result() - expected) < 1e-12
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of rows that are all of one class
            expected = peer.matthews_corrcoef(truths, P.argmax(axis=1), sample_weight=weights)
        found = tallied(Matthews, P, truths, weights).result()
        assert (math.isnan(found) and expected == 0) or abs(found - expected) < 1e-12
        expected = peer.log_loss(truths, P, labels=list(range(P.shape[1])), sample_weight=weights)
        found = tallied(LogLoss, P, truths, weights).result()
        assert abs(found - expected) / max(1.0, expected) < 1e-12


@EACH
def test_parts_merge_to_the_bit_in_any_order_and_split(kind: Any) -> None:
    for index in range(20):
        check_merge(kind, index, *case(index))


def test_scores_by_hand() -> None:
    """Class 0: 1 of 2 found and 1 of 1 right; class 1: all found, 1 of 2 right; class 2 has no rows and no guesses."""
    P = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.3, 0.7, 0.0]])
    truths = np.array([0, 0, 1])
    np.testing.assert_equal(tallied(Precision, P, truths).by_class(), [1.0, 0.5, math.nan])
    np.testing.assert_equal(tallied(Recall, P, truths).by_class(), [0.5, 1.0, math.nan])
    np.testing.assert_allclose(tallied(FScore, P, truths).by_class(), [2 / 3, 2 / 3, math.nan])
    assert tallied(Recall, P, truths).result() == {"macro": 0.75, "micro": 2 / 3, "weighted": 2 / 3}
    assert tallied(LogLoss, P, truths).result() == pytest.approx(-np.log([0.9, 0.2, 0.7]).mean())


WITH_NAN = np.array([[0.2, 0.8], [np.nan, np.nan], [0.6, 0.4], [0.9, np.nan]]), np.array([1, 0, 0, 0])


@pytest.mark.parametrize("weights", [None, np.ones(4)])
def test_a_row_with_a_nan_is_a_miss_of_its_class(weights: Array | None) -> None:
    P, truths = WITH_NAN
    assert tallied(Accuracy, P, truths, weights).result() == 0.5
    assert tallied(Recall, P, truths, weights).by_class() == [1 / 3, 1.0]
    assert tallied(Recall, P, truths, weights).result()["micro"] == 0.5
    assert tallied(Precision, P, truths, weights).by_class() == [1.0, 1.0]
    assert tallied(FScore, P, truths, weights).by_class() == [0.5, 1.0]
    assert tallied(lambda: FScore(threshold=0.5), P, truths, weights).by_class() == [0.5, 1.0]


def test_for_matthews_rows_with_a_nan_are_taken_for_a_class_that_none_has() -> None:
    P, truths = WITH_NAN
    assert tallied(Matthews, P, truths).result() == pytest.approx(peer.matthews_corrcoef(truths, [1, 2, 0, 2]))


@EACH
def test_parts_with_rows_of_nan_merge_to_the_bit(kind: Any) -> None:
    P, truths, weights = case(5)
    P[::3] = np.nan
    check_merge(kind, 0, P, truths, weights)


@pytest.mark.parametrize("kind", [Precision, Recall, FScore, Matthews])
def test_a_score_costs_what_classes_and_rows_do_and_not_pairs_of_classes(kind: Any) -> None:
    n = 1000
    truths = np.arange(100) * 7
    P = np.zeros((100, n), np.float32)
    P[np.arange(100), truths + np.arange(100) % 2] = 1
    tracemalloc.start()
    tallied(kind, P, truths).result()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * n * n  # bytes: a number for each pair would be 4 times as much


def test_a_class_without_rows_would_be_noticed_as_a_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confusion, "ratio", lambda a, b: a / b if b else a * 0)
    with pytest.raises(AssertionError):
        test_scores_by_hand()


@EACH
def test_no_rows_are_no_number(kind: Any) -> None:
    found = kind().result()
    assert all(math.isnan(value) for value in (found.values() if isinstance(found, dict) else [found]))


@EACH
def test_wrong_rows_are_refused(kind: Any) -> None:
    P = np.full((3, 2), 0.5)
    with pytest.raises(ShapeError, match=r"truths must be 3 class numbers or have the guesses' shape \(3, 2\)"):
        kind().update(P, np.array([0, 1]))
    with pytest.raises(ArgumentError, match="class numbers go from 0 to 1, got 2 in row 1"):
        kind().update(P, np.array([0, 2, 1]))


def test_one_hot_rows_are_class_numbers() -> None:
    P, truths, _ = case(4)
    for kind in EVERY:
        np.testing.assert_equal(
            tallied(kind, P, np.eye(P.shape[1])[truths]).result(), tallied(kind, P, truths).result()
        )


def test_they_are_registered_and_say_what_is_better() -> None:
    names = ("precision.v1", "recall.v1", "f_score.v1", "matthews.v1", "log_loss.v1")
    assert [registry.metrics.get(name).higher_is_better for name in names] == [True, True, True, True, False]
