"""Outputs a token: losses, scores and shares count tokens."""

from __future__ import annotations

import numpy as np
import pytest

from trainer_cli.arrays import Array, Batch, Ragged
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.evaluate import count, evaluate, probabilities
from trainer_cli.gradient import loss_share
from trainer_cli.layer_watch import check_gradient
from trainer_cli.layers import Softmax
from trainer_cli.losses import CategoricalCrossentropyV4
from trainer_cli.metrics.accuracy import Accuracy

LENGTHS = np.array([2, 0, 1])
P = np.array([[0.5, 0.5], [0.25, 0.75], [0.9, 0.1]])
CLASSES = np.array([0, 1, 1])
GUESSES, TRUTHS = Ragged(P, LENGTHS), Ragged(CLASSES, LENGTHS)


def test_the_loss_of_ragged_guesses_is_that_of_their_tokens() -> None:
    loss = CategoricalCrossentropyV4()
    grad, value = loss(GUESSES, TRUTHS, np.array([2.0, 5.0, 1.0]))
    flat, same = loss(P, CLASSES, np.array([2.0, 2.0, 1.0]))
    assert value == same
    np.testing.assert_array_equal(grad.data, flat)
    assert grad.lengths is LENGTHS
    assert loss.mass(TRUTHS) == 3
    assert loss.mass(TRUTHS, np.array([2.0, 5.0, 1.0])) == 5


def test_tokens_of_unknown_tags_do_not_count() -> None:
    loss = CategoricalCrossentropyV4()
    truths = TRUTHS.like(np.array([0, -1, 1]))
    grad, value = loss(GUESSES, truths)
    assert not grad.data[1].any()
    assert value == pytest.approx((np.log(2) - np.log(0.1)) / 2)
    assert loss.mass(truths) == 2


def test_sentences_without_tokens_cost_nothing() -> None:
    empty = Ragged(P[:0], np.zeros(2, np.int64))
    grad, value = CategoricalCrossentropyV4()(empty, Ragged(CLASSES[:0], empty.lengths))
    assert (grad.data.shape, value) == ((0, 2), 0.0)
    tally = Accuracy()
    count("accuracy", tally, empty, Ragged(CLASSES[:0], empty.lengths), None)
    assert np.isnan(tally.result())


@pytest.mark.parametrize("truths", [CLASSES, Ragged(CLASSES, LENGTHS[::-1])])
def test_truths_must_be_as_ragged_as_guesses(truths: Array | Ragged) -> None:
    with pytest.raises(ShapeError, match="the truths of ragged guesses must be ragged, of the same lengths, got"):
        CategoricalCrossentropyV4()(GUESSES, truths)
    with pytest.raises(ShapeError, match="weights must be one for each of 3 rows"):
        CategoricalCrossentropyV4()(GUESSES, TRUTHS, np.ones(2))


def test_a_part_of_a_batch_counts_by_its_tokens() -> None:
    whole = Batch(GUESSES, TRUTHS, None, np.arange(3))
    part = Batch(Ragged(P[:2], LENGTHS[:2]), Ragged(CLASSES[:2], LENGTHS[:2]), None, np.arange(2))
    assert loss_share(CategoricalCrossentropyV4(), part, whole) == pytest.approx(2 / 3)


class Rows:
    """A metric that wants sequences as they are."""

    ragged = True
    higher_is_better = True

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def update(self, probabilities: Ragged, truths: Ragged, weights: Array | None = None) -> None:
        self.lengths += probabilities.lengths.tolist()

    def merge(self, other: Rows) -> None:
        self.lengths += other.lengths

    def result(self) -> float:
        return float(len(self.lengths))


def test_an_evaluation_counts_tokens_and_rows_for_who_wants_them() -> None:
    X = Ragged(np.array([[2.0, 0.0], [0.0, 2.0], [0.0, 1.0]], np.float32), LENGTHS)
    model = Softmax().initialize(X, np.zeros((1, 2), np.float32))
    model.set_param("W", np.eye(2))
    batch = Batch(X, TRUTHS, np.array([2.0, 1.0, 1.0]), np.arange(3))
    scores = evaluate(model, CategoricalCrossentropyV4(), {"accuracy": Accuracy(), "rows": Rows()}, [batch] * 2)
    assert scores.metrics == {"accuracy": 1.0, "rows": 6.0}
    assert scores.n == 6


def test_logits_of_tokens_become_probabilities() -> None:
    found = probabilities(Ragged(np.log(P), LENGTHS), "softmax")
    np.testing.assert_allclose(found.data, P)


def test_a_gradient_of_other_lengths_is_refused() -> None:
    check_gradient("dX", GUESSES, GUESSES)
    check_gradient("dX", {"a": P}, {"a": P})
    with pytest.raises(ArgumentError, match="dX must be ragged, with the same lengths, got an array"):
        check_gradient("dX", P, GUESSES)
    with pytest.raises(ArgumentError, match="dX must be a dict of a, got"):
        check_gradient("dX", P, {"a": P})
    with pytest.raises(ArgumentError, match=r"dX at a must have the shape \(3, 2\), got an array \(2, 2\)"):
        check_gradient("dX", {"a": P[:2]}, {"a": P})
