"""Rows whose class training never had, number -1: no loss counts them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trainer_cli.errors import ArgumentError
from trainer_cli.losses import CategoricalCrossentropyV4, Focal, categorical_crossentropy_v4
from trainer_cli.losses.loss import Loss

P = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.3, 0.3, 0.4], [0.6, 0.2, 0.2]])
TRUTHS = np.array([0, -1, 2, -1])
KNOWN = np.array([0, 2])
WEIGHTS = np.array([1.0, 5.0, 3.0, 2.0])

LOSSES = [
    CategoricalCrossentropyV4(),
    CategoricalCrossentropyV4(from_logits=True),
    CategoricalCrossentropyV4(label_smoothing=0.1),
    CategoricalCrossentropyV4(class_weights=[1.0, 2.0, 3.0]),
    Focal(),
    Focal(class_weights=[1.0, 2.0, 3.0]),
]


def check_as_if_left_out(loss: Loss, weights: np.ndarray | None) -> None:
    kept = None if weights is None else weights[KNOWN]
    grad, value = loss(P, TRUTHS, weights)
    expected, expected_value = loss(P[KNOWN], TRUTHS[KNOWN], kept)
    assert value == pytest.approx(expected_value, rel=1e-14)
    np.testing.assert_allclose(grad[KNOWN], expected, rtol=1e-14)
    assert not grad[[1, 3]].any()
    assert loss.mass(TRUTHS, weights) == pytest.approx(loss.mass(TRUTHS[KNOWN], kept), rel=1e-15)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("loss", LOSSES)
def test_rows_of_unknown_classes_are_as_if_left_out(loss, weights):
    check_as_if_left_out(loss, weights)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_batch_of_unknown_classes_alone_weighs_nothing(loss):
    truths = np.full(4, -1)
    grad, value = loss(P, truths)
    assert (value, loss.mass(truths), grad.any()) == (0.0, 0.0, False)


def test_rows_that_count_as_the_first_class_would_be_noticed(monkeypatch):
    monkeypatch.setattr(
        categorical_crossentropy_v4, "without_unknown", lambda truths, weights: (abs(truths) % 3, weights)
    )
    with pytest.raises(AssertionError):
        check_as_if_left_out(CategoricalCrossentropyV4(), None)


def test_other_numbers_below_zero_are_wrong():
    with pytest.raises(ArgumentError, match="class numbers go from 0 to 2, got -2 in row 1"):
        CategoricalCrossentropyV4()(P, np.array([0, -2, -1, 1]))


def test_the_evaluation_takes_each_batch_by_its_known_rows():
    from trainer_cli.evaluate import whole_loss

    loss = CategoricalCrossentropyV4()
    parts = [(loss.get_loss(P[i : i + 2], TRUTHS[i : i + 2]), loss.mass(TRUTHS[i : i + 2])) for i in (0, 2)]
    assert whole_loss(loss, parts) == pytest.approx((-math.log(0.5) - math.log(0.4)) / 2, rel=1e-14)
