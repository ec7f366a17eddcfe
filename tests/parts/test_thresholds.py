"""Thresholds of F scores: given, and the best one beside a search by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as peer
from tallies import check_merge, quick_peers, tallied

from trainer_cli.arrays import Array
from trainer_cli.config.registry import registry
from trainer_cli.errors import ArgumentError
from trainer_cli.metrics import FScore, MultilabelF, ordering, spill, threshold
from trainer_cli.metrics.threshold import best_threshold, between

QUICK = pytest.fixture(quick_peers, autouse=True)


def best_f_score() -> FScore:
    return FScore(threshold="best")


def best_multilabel_f() -> MultilabelF:
    return MultilabelF(threshold="best")


def two_classes(index: int) -> tuple[Array, Array, Array | None]:
    """Probabilities with many ties, truths that are sometimes all of one class or of one that training never had."""
    rng = np.random.default_rng(index)
    n = int(rng.integers(1, 40))
    p = np.round(rng.random(n), int(rng.integers(1, 3))).astype(np.float32 if index % 3 else np.float64)
    truths = rng.integers(-1 if index % 4 == 0 else 0, 2 if index % 5 else 1, n)
    return np.stack([1 - p, p], axis=1), truths, rng.random(n) if index % 2 else None


def flags(index: int) -> tuple[Array, Array, Array | None]:
    rng = np.random.default_rng(index)
    shape = int(rng.integers(1, 20)), int(rng.integers(1, 5))
    P = np.round(rng.random(shape), int(rng.integers(1, 3)))
    return P, (rng.random(shape) < rng.choice([0.1, 0.5])).astype(float), rng.random(shape[0]) if index % 2 else None


def highest(kind: Any, key: str, P: Array, truths: Array, weights: Array | None) -> float:
    """The highest score of all thresholds that could matter."""
    scores = [P.astype(float), np.nextafter(P.astype(np.float64), np.inf), np.zeros((1, P.shape[1]))]
    found = []
    for value in np.unique(np.concatenate(scores)).tolist():
        tally = kind()
        tally.threshold = value
        tally.update(P, truths, weights)
        found.append(tally.result()[key])
    return float(np.nanmax(found)) if not np.isnan(found).all() else math.nan


@pytest.mark.parametrize(
    ("kind", "best", "key", "case"),
    [(FScore, best_f_score, "macro", two_classes), (MultilabelF, best_multilabel_f, "micro", flags)],
    ids=["classes", "flags"],
)
def test_no_threshold_scores_higher_than_the_best_one(kind: Any, best: Any, key: str, case: Any) -> None:
    for index in range(80):
        rows = case(index)
        tally = tallied(best, *rows)
        found, value = tally.result(), tally.best_threshold
        expected = highest(kind, key, *rows)
        assert found["threshold"] == value
        assert (math.isnan(expected) and math.isnan(found[key])) or abs(found[key] - expected) < 1e-12
        given = kind()
        given.threshold = value
        given.update(*rows)
        if not math.isnan(value):
            np.testing.assert_equal({**given.result(), "threshold": value}, found)


def test_a_best_that_is_not_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threshold, "between", lambda above, below: below)
    with pytest.raises(AssertionError):
        test_no_threshold_scores_higher_than_the_best_one(FScore, best_f_score, "macro", two_classes)


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize(("best", "case"), [(best_f_score, two_classes), (best_multilabel_f, flags)])
def test_parts_merge_to_the_bit(best: Any, case: Any, small: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if small:
        monkeypatch.setattr(spill, "MEMORY_BYTES", 50)
        monkeypatch.setattr(ordering, "SORTED_ROWS", 7)
        monkeypatch.setattr(ordering, "BLOCK_ROWS", 5)
    for index in range(4):
        check_merge(best, index, *case(index))
        check_merge(MultilabelF, index, *flags(index))


def test_a_thousand_cases_of_flags_are_the_peer_s() -> None:
    for index in range(1000):
        P, truths, weights = flags(index)
        found = tallied(MultilabelF, P, truths, weights).result()
        for average in ("micro", "macro", "samples"):
            if P.shape[1] == 1 and average == "samples":
                continue  # which the peer takes for two classes
            more = {"average": average, "sample_weight": weights, "zero_division": np.nan}
            if P.shape[1] == 1:
                more |= {"average": "binary"}
            expected = peer.f1_score(truths, P >= 0.5, **more)
            nothing = math.isnan(found[average]) and math.isnan(expected)
            assert nothing or abs(found[average] - expected) < 1e-12


def test_a_thousand_cases_of_a_given_threshold_are_the_peer_s() -> None:
    for index in range(1000):
        P, truths, weights = two_classes(index)
        truths = np.maximum(truths, 0)
        tally = FScore(threshold=0.3)
        tally.update(P, truths, weights)
        more = {"labels": [0, 1], "average": None, "sample_weight": weights, "zero_division": np.nan}
        expected = peer.f1_score(truths, P[:, 1].astype(float) >= 0.3, **more)
        np.testing.assert_allclose(tally.by_class(), expected, rtol=0, atol=1e-12)


def test_the_threshold_lies_in_the_middle_and_near_a_half() -> None:
    """Every threshold in (0.2, 0.9] is right of all rows; of those on rows alone, 0.55 is the middle."""
    P = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.05, 0.95]])
    tally = tallied(best_f_score, P, np.array([0, 0, 1, 1]))
    assert tally.best_threshold == pytest.approx(0.55)
    assert tally.by_class() == [1.0, 1.0]
    assert tally.result() == {"macro": 1.0, "micro": 1.0, "weighted": 1.0, "threshold": tally.best_threshold}


def tied(*probabilities: float) -> float:
    """The best of thresholds that all score the same."""
    rows = np.array([[-probability, 1.0] for probability in probabilities])
    return best_threshold([rows], lambda sums: np.ones(len(sums)))


def test_of_thresholds_that_score_the_same_the_one_nearest_to_a_half_is_taken_then_the_higher() -> None:
    # Beside what takes no row (1, or just above) and all (the lowest): the middles of neighbours.
    assert tied(0.875, 0.75, 0.125) == 0.4375  # of 1, 0.8125, 0.4375, 0.0625: not the highest one
    assert tied(0.875, 0.5, 0.125) == 0.6875  # as far as 0.3125
    assert tied(0.75, 0.625, 0.375, 0.25) == 0.5


@pytest.mark.parametrize("wrong", [lambda value: value, lambda value: -value, lambda value: 0.0])
def test_a_choice_by_another_rule_would_be_noticed(monkeypatch: pytest.MonkeyPatch, wrong: Any) -> None:
    """As distance from a half stands the value itself (the lowest), its opposite (the highest), nothing."""
    monkeypatch.setattr(threshold, "from_a_half", wrong)
    with pytest.raises(AssertionError):
        test_of_thresholds_that_score_the_same_the_one_nearest_to_a_half_is_taken_then_the_higher()


def test_a_threshold_parts_its_neighbours_in_either_precision() -> None:
    low, high = np.float32(0.5), np.nextafter(np.float32(0.5), np.float32(1))
    assert between(float(high), float(low)) == float(high)
    assert best_threshold([np.array([[-1.0, 5.0, 0.0]])], lambda sums: -sums[:, 0]) > 1
    assert best_threshold([np.array([[0.0, 5.0, 0.0]])], lambda sums: sums[:, 0]) == 0


def test_what_cannot_be_told_is_no_number() -> None:
    for best in (best_f_score, best_multilabel_f):
        assert math.isnan(best().best_threshold)
        assert all(math.isnan(value) for value in best().result().values())
        odd = tallied(best, np.array([[np.nan, 0.5], [0.5, 0.5]]), np.eye(2))
        assert math.isnan(odd.best_threshold)
        assert all(math.isnan(value) for value in odd.result().values())
    assert math.isnan(tallied(MultilabelF, np.zeros((2, 2)), np.zeros((2, 2))).result()["samples"])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r'f_score: threshold must be a number from 0 to 1, or "best", got 1.5'):
        FScore(threshold=1.5)
    with pytest.raises(ArgumentError, match=r"multilabel_f: threshold must be a number from 0 to 1, or .* got 'high'"):
        MultilabelF(threshold="high")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="f_score: threshold is for two classes, here are 3: take it away"):
        tallied(best_f_score, np.full((2, 3), 0.3), np.array([0, 1]))
    with pytest.raises(
        ArgumentError, match=r"multilabel_f: truths must be flags, each 0 or 1, got 2.0 in row 1, column 0"
    ):
        tallied(MultilabelF, np.full((2, 1), 0.3), np.array([[0.0], [2.0]]))


def test_they_can_be_named_in_a_config() -> None:
    for name in ("f_score.v1", "multilabel_f.v1"):
        for value in (0.25, "best"):
            made = registry.resolve({"f": {"@metrics": name, "threshold": value}})["f"]
            assert made.threshold == value
