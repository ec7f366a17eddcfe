"""Losses without a counterpart in the reference: values by hand, and how they relate to one another."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loss_cases import CLASSES, LABELS, LOGITS, ONE_HOT, SOFT, WEIGHTS, P, check_gradient, softmax

from trainer_cli.arrays import Array
from trainer_cli.evaluate import probabilities
from trainer_cli.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropyV4,
    Focal,
    Huber,
    Loss,
    MeanSquaredError,
    QuantileLoss,
    focal,
)

ELEMENTWISE: list[Loss] = [BinaryCrossentropy(), MeanSquaredError(), Huber(), QuantileLoss()]
EACH = pytest.mark.parametrize("loss", ELEMENTWISE, ids=lambda loss: type(loss).__name__)


# A mean over all numbers


@EACH
def test_a_batch_is_the_mean_of_its_numbers_taken_alone(loss: Loss) -> None:
    guesses, truths = LOGITS, LABELS.astype(float)
    alone = [loss(guesses[i : i + 1, j : j + 1], truths[i : i + 1, j : j + 1]) for i in range(5) for j in range(4)]
    grad, value = loss(guesses, truths)
    assert value == pytest.approx(np.mean([each[1] for each in alone]))
    np.testing.assert_allclose(grad.ravel(), np.concatenate([each[0].ravel() for each in alone]) / 20)


@EACH
def test_rows_count_by_their_weight(loss: Loss) -> None:
    rows = [loss.get_loss(LOGITS[i : i + 1], LABELS[i : i + 1]) for i in range(5)]
    assert loss.get_loss(LOGITS, LABELS, WEIGHTS) == pytest.approx(np.average(rows, weights=WEIGHTS))


@EACH
def test_truths_of_one_column_may_be_flat_and_rows_of_any_shape(loss: Loss) -> None:
    column, flat = loss(LOGITS[:, :1], LABELS[:, :1]), loss(LOGITS[:, :1], LABELS[:, 0].tolist())
    assert np.array_equal(column[0], flat[0])
    assert column[1] == flat[1]
    cube, same = loss(LOGITS.reshape(5, 2, 2), LABELS.reshape(5, 2, 2), WEIGHTS)
    grad, value = loss(LOGITS, LABELS, WEIGHTS)
    assert np.array_equal(cube.reshape(5, 4), grad)
    assert same == value


@EACH
def test_a_guess_that_is_right_has_neither_loss_nor_gradient(loss: Loss) -> None:
    truths = np.array([[1.0, 0.0]])
    guesses = 1e3 * (2 * truths - 1) if loss.takes == "logits" else truths
    grad, value = loss(guesses, truths)
    assert (grad.any(), value) == (False, 0.0)


# Each by itself


def test_mean_squared_error_by_hand() -> None:
    grad, value = MeanSquaredError()(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.0, 2.0], [5.0, 1.0]]))
    assert value == (1 + 0 + 4 + 9) / 4
    assert grad.tolist() == [[0.5, 0.0], [-1.0, 1.5]]


def test_huber_is_half_the_square_near_and_a_line_far() -> None:
    near = np.clip(LOGITS, -0.9, 0.9)
    zeros = np.zeros_like(near)
    assert Huber().get_loss(near, zeros) == pytest.approx(MeanSquaredError().get_loss(near, zeros) / 2)
    grad, value = Huber(delta=2.0)(np.array([[-7.0]]), np.array([[0.0]]))
    assert (grad.tolist(), value) == ([[-2.0]], 2.0 * (7.0 - 1.0))


@given(st.floats(0.05, 0.95), st.integers(3, 30))
def test_no_guess_is_better_than_the_quantile(quantile: float, n: int) -> None:
    truths = np.random.default_rng(n).normal(size=(n, 1))
    loss = QuantileLoss(quantile=quantile)
    best = np.quantile(truths, quantile, method="inverted_cdf")
    at_best = loss.get_loss(np.full((n, 1), best), truths)
    assert all(loss.get_loss(np.full((n, 1), guess), truths) >= at_best - 1e-12 for guess in np.linspace(-3, 3, 61))


def test_the_median_s_loss_is_half_the_mean_distance() -> None:
    assert QuantileLoss().get_loss(LOGITS, SOFT) == pytest.approx(np.abs(LOGITS - SOFT).mean() / 2)


def test_binary_crossentropy_is_that_of_each_label_s_probability() -> None:
    p = probabilities(LOGITS, BinaryCrossentropy().link)
    nats = -np.where(LABELS == 1, np.log(p), np.log(1 - p))
    grad, value = BinaryCrossentropy()(LOGITS, LABELS)
    assert value == pytest.approx(nats.mean(), rel=1e-14)
    np.testing.assert_allclose(grad, (p - LABELS) / 20, rtol=1e-12)


def test_binary_crossentropy_of_one_label_is_that_of_two_classes() -> None:
    logits, labels = LOGITS[:, :1], LABELS[:, 0]
    two = CategoricalCrossentropyV4(from_logits=True)(np.hstack([np.zeros_like(logits), logits]), labels)
    grad, value = BinaryCrossentropy()(logits, labels)
    assert value == pytest.approx(two[1], rel=1e-14)
    np.testing.assert_allclose(grad, two[0][:, 1:], rtol=1e-12)


@pytest.mark.parametrize("size", [0.0, 1.0, 30.0, 1e4, 3e38])
@pytest.mark.parametrize("label", [0.0, 0.25, 1.0])
def test_binary_crossentropy_is_exact_for_logits_of_any_size_in_float32(size: float, label: float) -> None:
    for logit in (size, -size):
        wide = np.longdouble(np.float32(logit))
        exact = np.logaddexp(0, wide) * (1 - label) + np.logaddexp(0, -wide) * label
        grad, value = BinaryCrossentropy()(np.array([[logit]], dtype=np.float32), np.array([[label]]))
        assert value == pytest.approx(float(exact), rel=3e-7)
        assert grad[0, 0] == pytest.approx(float(np.exp(-np.logaddexp(0, -wide)) - label), rel=1e-6, abs=1e-7)


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_binary_crossentropy_by_its_definition_is_found_out() -> None:
    # What the exact form is there for: the definition gives inf or NaN at a logit of 100.
    logit = np.float32(100.0)
    p = 1 / (1 + np.exp(-logit, dtype=np.float32))
    with np.errstate(divide="ignore"):
        by_definition = -np.log(1 - p)
    assert not math.isfinite(by_definition)
    assert BinaryCrossentropy().get_loss(np.array([[logit]]), [[0.0]]) == 100.0


# Focal


@pytest.mark.parametrize("from_logits", [False, True])
def test_focal_of_gamma_0_is_crossentropy(from_logits: bool) -> None:
    guesses = LOGITS if from_logits else P
    grad, value = Focal(gamma=0.0, from_logits=from_logits)(guesses, CLASSES, WEIGHTS)
    expected = CategoricalCrossentropyV4(from_logits=from_logits)(guesses, CLASSES, WEIGHTS)
    np.testing.assert_allclose(grad, expected[0], rtol=1e-12)
    assert value == pytest.approx(expected[1], rel=1e-12)


def test_focal_by_hand() -> None:
    guesses = np.array([[0.25, 0.75], [0.9, 0.1]])
    expected = (0.25**3 * -math.log(0.75) + 0.9**3 * -math.log(0.1)) / 2
    assert Focal(gamma=3.0).get_loss(guesses, np.array([1, 1])) == pytest.approx(expected)


@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0, 2.0, 5.0])
def test_focal_s_gradient_is_the_value_s_for_any_gamma(gamma: float) -> None:
    check_gradient(Focal(gamma=gamma), CLASSES, WEIGHTS)
    check_gradient(Focal(gamma=gamma, from_logits=True), ONE_HOT, None)


def test_a_focal_gradient_that_holds_the_factor_fixed_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    good = focal.focal

    def held(log_p: Array, gamma: float) -> tuple[Array, Array]:
        return good(log_p, gamma)[0], (1 - np.exp(log_p)) ** gamma

    monkeypatch.setattr(focal, "focal", held)
    with pytest.raises(AssertionError):
        check_gradient(Focal(gamma=2.0), CLASSES, None)


@pytest.mark.parametrize("gamma", [0.3, 2.0])
def test_focal_is_finite_for_certain_rows(gamma: float) -> None:
    logits = np.array([[1e4, -1e4], [-1e4, 1e4], [90.0, 0.0]], dtype=np.float32)
    grad, value = Focal(gamma=gamma, from_logits=True)(logits, np.array([0, 0, 0]))
    assert value == pytest.approx(2e4 / 3)
    np.testing.assert_allclose(grad, [[0, 0], [-1 / 3, 1 / 3], [0, 0]], atol=1e-12)
    assert Focal(gamma=gamma).get_loss(np.eye(2), np.array([0, 1])) == 0.0
    assert softmax(logits)[2, 0] == 1.0
