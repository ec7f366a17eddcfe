"""Metrics of the probabilities of classes beside scikit-learn's, and that parts merge to the bit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as peer
from tallies import check_merge, quick_peers, tallied

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.metrics import (
    Accuracy,
    Brier,
    CalibrationError,
    FScore,
    LogLoss,
    Matthews,
    Precision,
    Recall,
    TopK,
    calibration_error,
)

QUICK = pytest.fixture(quick_peers, autouse=True)
EVERY = (lambda: TopK(2), Brier, CalibrationError)
EACH = pytest.mark.parametrize("kind", EVERY, ids=["top_k", "brier", "calibration_error"])


def case(index: int) -> tuple[Array, Array, Array | None]:
    rng = np.random.default_rng(index)
    n, n_classes = int(rng.integers(2, 60)), int(rng.integers(3, 7))
    P = rng.dirichlet(np.full(n_classes, rng.choice([0.3, 1.0])), n)
    return P, rng.integers(0, n_classes, n), rng.random(n) if index % 2 else None


def test_a_thousand_cases_of_top_k_are_the_peer_s() -> None:
    for index in range(1000):
        P, truths, weights = case(index)
        k = 1 + index % (P.shape[1] - 1)
        more = {"k": k, "labels": range(P.shape[1]), "sample_weight": weights}
        assert (
            abs(
                tallied(lambda k=k: TopK(k), P, truths, weights).result() - peer.top_k_accuracy_score(truths, P, **more)
            )
            < 1e-12
        )


def test_a_thousand_cases_of_brier_are_the_peer_s() -> None:
    for index in range(1000):
        P, truths, weights = case(index)
        n = P.shape[1]
        more = {"labels": list(range(n)), "sample_weight": weights}
        assert abs(tallied(Brier, P, truths, weights).result() - peer.brier_score_loss(truths, P, **more)) < 1e-12
        p, bits = P[:, 0], truths % 2
        expected = peer.brier_score_loss(bits, p, sample_weight=weights, labels=[0, 1])
        assert abs(tallied(Brier, np.stack([1 - p, p], axis=1), bits, weights).result() - expected) < 1e-12
        assert abs(tallied(Brier, p, bits, weights).result() - expected) < 1e-12


def by_the_paper(P: Array, truths: Array, weights: Array | None, n_bins: int) -> float:
    """The formula of Guo et al. (2017), a bin at a time."""
    weights = np.ones(len(P)) if weights is None else weights
    confidence, right = P.max(axis=1), P.argmax(axis=1) == truths
    total = 0.0
    for m in range(1, n_bins + 1):
        inside = (confidence > (m - 1) / n_bins) & (confidence <= m / n_bins)
        if inside.any():
            share = weights[inside].sum()
            gap = (weights * right)[inside].sum() / share - (weights * confidence)[inside].sum() / share
            total += share / weights.sum() * abs(gap)
    return total


def check_calibration() -> None:
    for index in range(1000):
        P, truths, weights = case(index)
        if index % 3 == 0:
            P = np.round(P, 1) + 0.0  # on the edges of bins; no probabilities, but the formula is the same
        n_bins = 5 + index % 11
        found = tallied(lambda n=n_bins: CalibrationError(n), P, truths, weights).result()
        assert abs(found - by_the_paper(P, truths, weights, n_bins)) < 1e-12


def test_a_thousand_calibration_errors_are_those_of_the_paper() -> None:
    check_calibration()


def test_a_bin_that_is_open_on_the_wrong_side_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration_error, "_judged", lambda P, truths: (P.max(axis=1) + 1e-9, P.argmax(1) == truths))
    with pytest.raises(AssertionError):
        check_calibration()


@EACH
def test_parts_merge_to_the_bit_in_any_order_and_split(kind: Any) -> None:
    for index in range(10):
        check_merge(kind, index, *case(index))


def test_accuracy_by_weight_is_the_same_in_any_split() -> None:
    for index in range(10):
        check_merge(Accuracy, index, *case(2 * index + 1))


def test_scores_by_hand() -> None:
    P = np.array([[0.6, 0.3, 0.1], [0.6, 0.3, 0.1], [0.2, 0.4, 0.4]])
    assert tallied(lambda: TopK(2), P, np.array([1, 2, 2])).result() == 2 / 3
    assert tallied(lambda: TopK(1), P, np.array([0, 0, 2])).result() == 2 / 3  # of equals the first
    assert tallied(Brier, P[:1], np.array([0])).result() == pytest.approx(0.16 + 0.09 + 0.01)
    # Bins of 0.5: two rows with 0.6, one right; one with 0.4, which is wrong.
    assert tallied(lambda: CalibrationError(2), P, np.array([0, 1, 2])).result() == pytest.approx((0.2 + 0.4) / 3)


def test_one_column_is_the_second_of_two() -> None:
    rng = np.random.default_rng(1)
    p, bits = rng.random(50), rng.integers(0, 2, 50)
    for kind in (Brier, CalibrationError):
        two = tallied(kind, np.stack([1 - p, p], axis=1), bits).result()
        assert tallied(kind, p, bits).result() == pytest.approx(two, abs=1e-12)
        assert tallied(kind, p[:, None], bits[:, None]).result() == tallied(kind, p, bits).result()


def test_top_1_is_accuracy_to_the_bit() -> None:
    for index in range(50):
        P, truths, weights = case(index)
        P = np.round(P, 1)
        assert tallied(lambda: TopK(1), P, truths, weights).result() == tallied(Accuracy, P, truths, weights).result()


@EACH
def test_what_cannot_be_told_is_no_number(kind: Any) -> None:
    P, truths, _ = case(0)
    assert math.isnan(kind().result())
    assert math.isnan(tallied(kind, P, truths, np.zeros(len(P))).result())


def test_a_probability_that_is_no_number() -> None:
    P = np.array([[np.nan, 0.5, 0.5], [0.8, 0.1, 0.1]])
    assert tallied(lambda: TopK(2), P, np.array([0, 0])).result() == 0.5
    assert math.isnan(tallied(Brier, P, np.array([0, 0])).result())
    assert math.isnan(tallied(CalibrationError, P, np.array([0, 0])).result())


def test_a_class_that_training_never_had_is_one_more_class_with_probability_0() -> None:
    """What a model says that knows the class and never takes it for probable; F of the class is 0."""
    P, truths, weights = case(3)
    n = P.shape[1]
    more = np.concatenate([P, np.zeros((len(P), 1))], axis=1)
    truths[::3] = n
    unknown = np.where(truths == n, -1, truths)
    for kind in (Accuracy, lambda: TopK(2), Brier, CalibrationError, LogLoss, Precision, Recall, FScore, Matthews):
        for part in (weights, None):
            assert tallied(kind, P, unknown, part).result() == tallied(kind, more, truths, part).result()
    assert tallied(Recall, P, unknown).by_class() == tallied(Recall, more, truths).by_class()[:n]
    assert tallied(Recall, P, np.full(len(P), -1)).result() == {"macro": 0.0, "micro": 0.0, "weighted": 0.0}


def test_of_two_classes_an_unknown_one_is_the_worst_guess() -> None:
    assert tallied(Brier, np.array([[0.0, 1.0]]), np.array([-1])).result() == 1.0
    assert tallied(LogLoss, np.array([[0.0, 1.0]]), np.array([-1])).result() == pytest.approx(-math.log(2**-52))


@EACH
def test_wrong_rows_are_refused(kind: Any) -> None:
    P = np.full((3, 3), 0.3)
    with pytest.raises(ShapeError, match=r"truths must be 3 class numbers or have the guesses' shape \(3, 3\)"):
        tallied(kind, P, np.array([0, 1]))
    with pytest.raises(ArgumentError, match="class numbers go from 0 to 2, got -2 in row 1"):
        tallied(kind, P, np.array([0, -2, 1]))


def test_settings_that_say_nothing_are_refused() -> None:
    with pytest.raises(ArgumentError, match="top_k: k must be at least 1, got 0"):
        TopK(0)
    with pytest.raises(ArgumentError, match="top_k: k must be below the number of classes, which is 3: got 3"):
        tallied(lambda: TopK(3), np.full((2, 3), 0.3), np.array([0, 1]))
    with pytest.raises(ArgumentError, match="calibration_error: n_bins must be at least 1, got 0"):
        CalibrationError(0)
    for kind in (Brier, CalibrationError):
        with pytest.raises(ArgumentError, match=r"must be probabilities in \[0, 1\], got values from -1 to 2"):
            tallied(kind, np.array([[2.0, -1.0]]), np.array([0]))
