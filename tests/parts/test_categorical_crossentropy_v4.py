"""Cross-entropy in nats: values by hand, exactness for any logits, truths in all their forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from loss_cases import CLASSES, LOGITS, ONE_HOT, SOFT, WEIGHTS, P, check_gradient, softmax

from trainer_cli.arrays import Array
from trainer_cli.losses import CategoricalCrossentropyV4 as CrossEntropy
from trainer_cli.ops import get_ops
from trainer_cli.registry import registry


def test_v4_is_registered_and_says_what_it_takes() -> None:
    assert registry.losses.get("CategoricalCrossentropy.v4") is CrossEntropy
    assert (CrossEntropy().link, CrossEntropy().takes) == ("none", "probabilities")
    logits = CrossEntropy(from_logits=True)
    assert (logits.link, logits.takes) == ("softmax", "logits")


def test_the_cross_entropy_of_certainty_is_zero_and_of_a_coin_log_2() -> None:
    loss = CrossEntropy()
    assert loss.get_loss(np.eye(3), np.arange(3)) == 0.0
    assert loss.get_loss(np.full((4, 2), 0.5), np.array([0, 1, 1, 0])) == pytest.approx(math.log(2), rel=1e-15)


def test_the_value_is_the_mean_by_weight_of_minus_log_p() -> None:
    guesses = np.array([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]])
    expected = (3 * math.log(2) + 1 * -math.log(0.1)) / 4
    assert CrossEntropy().get_loss(guesses, np.array([0, 1]), np.array([3.0, 1.0])) == pytest.approx(expected)


def test_the_pair_is_gradient_then_value_and_its_halves() -> None:
    loss, p = CrossEntropy(), softmax(LOGITS)
    grad, value = loss(p, CLASSES, WEIGHTS)
    assert np.array_equal(loss.get_grad(p, CLASSES, WEIGHTS), grad)
    assert loss.get_loss(p, CLASSES, WEIGHTS) == value
    assert type(value) is float


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["even", "weighted"])
@pytest.mark.parametrize("truths", [CLASSES, ONE_HOT, SOFT], ids=["classes", "one-hot", "soft"])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
@pytest.mark.parametrize("from_logits", [False, True])
def test_the_gradient_is_the_value_s(
    from_logits: bool, label_smoothing: float, truths: Array, weights: Array | None
) -> None:
    check_gradient(CrossEntropy(from_logits=from_logits, label_smoothing=label_smoothing), truths, weights)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
def test_class_numbers_and_one_hot_rows_are_the_same(label_smoothing: float) -> None:
    loss, p = CrossEntropy(label_smoothing=label_smoothing), softmax(LOGITS)
    grad, value = loss(p, CLASSES)
    for truths in (ONE_HOT, ONE_HOT.astype(np.int64), ONE_HOT.astype(bool), list(CLASSES), CLASSES.astype(np.uint8)):
        other_grad, other_value = loss(p, truths)
        np.testing.assert_allclose(other_grad, grad, atol=1e-16)
        assert other_value == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize("scale", [1.0, 30.0, 1e4, 3e38])
def test_logits_of_any_size_are_exact_in_float32(scale: float) -> None:
    logits = (scale * np.array([[1, -1, 0.5], [-1, 1, 1], [0, 0, 0], [-1, -1, 0.25]])).astype(np.float32)
    truths = np.array([1, 1, 2, 0])
    wide = logits.astype(np.longdouble)
    top = wide.max(axis=1, keepdims=True)
    exact = np.log(np.exp(wide - top).sum(axis=1)) + top[:, 0] - wide[np.arange(4), truths]
    grad, value = CrossEntropy(from_logits=True)(logits, truths)
    assert value == pytest.approx(float(exact.mean()), rel=2e-7)
    assert grad.dtype == np.float32
    np.testing.assert_allclose(grad, (softmax(wide) - np.eye(3)[truths]) / 4, rtol=1e-6, atol=1e-7)


def test_logits_at_ten_thousand_keep_small_differences() -> None:
    # 1e4 has steps of 1e-3 in float32: a loss formed from the log-sum-exp itself would be off by half of that.
    logits = np.full((1, 2), 1e4, dtype=np.float32)
    assert CrossEntropy(from_logits=True).get_loss(logits, np.array([0])) == pytest.approx(math.log(2), rel=1e-12)


def test_a_loss_far_below_float32_s_rounding_is_not_lost() -> None:
    logits = np.array([[0.0, -25.0]], dtype=np.float32)
    value = CrossEntropy(from_logits=True).get_loss(logits, np.array([0]))
    assert value == pytest.approx(math.log1p(math.exp(-25.0)), rel=1e-4)


def test_a_probability_of_zero_costs_the_log_of_the_smallest_float() -> None:
    for dtype in (np.float32, np.float64):
        value = CrossEntropy().get_loss(np.array([[1.0, 0.0]], dtype=dtype), np.array([1]))
        assert value == pytest.approx(-math.log(np.finfo(dtype).tiny), rel=1e-6)


def test_label_smoothing_gives_the_rest_to_the_other_classes() -> None:
    p = np.array([[0.7, 0.2, 0.1]])
    grad, value = CrossEntropy(label_smoothing=0.3)(p, np.array([0]))
    np.testing.assert_allclose(grad, [[0.0, 0.05, -0.05]], atol=1e-15)
    assert value == pytest.approx(-(0.7 * math.log(0.7) + 0.15 * math.log(0.2) + 0.15 * math.log(0.1)))


def test_nan_goes_through_for_the_loop_to_stop_at() -> None:
    bad = np.array([[np.nan, 0.5], [0.5, 0.5]])
    assert math.isnan(CrossEntropy().get_loss(bad, np.array([0, 0])))
    assert math.isnan(CrossEntropy(from_logits=True).get_loss(bad, np.array([0, 0])))
    infinite = np.array([[np.inf, 0.0]])
    for truths in (np.array([0]), np.array([[1, 0]])):
        assert math.isnan(CrossEntropy(from_logits=True).get_loss(infinite, truths, np.array([2.0])))


@pytest.mark.parametrize("truths", [["d", "a", "b"], ("d", "a", "b"), np.array(["d", "a", "b"])])
def test_names_put_texts_in_order(truths: list[str]) -> None:
    loss = CrossEntropy(names=["a", "b", "c", "d"])
    grad, value = loss(P[:3], truths)
    expected_grad, expected = loss(P[:3], np.array([3, 0, 1]))
    assert np.array_equal(grad, expected_grad)
    assert value == expected
    assert loss.mass(truths) == 3.0


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["even", "weighted"])
def test_with_the_ops_of_a_model_it_is_the_same(weights: Array | None) -> None:
    logits, classes = LOGITS.astype(np.float32), np.asarray(CLASSES)
    plain, compiled = CrossEntropy(from_logits=True), CrossEntropy(from_logits=True)
    compiled.use_ops(get_ops("numba"))
    for found, wanted in zip(compiled(logits, classes, weights), plain(logits, classes, weights), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)


def test_guesses_with_the_bytes_of_another_machine_are_the_same_numbers() -> None:
    for found, wanted in zip(CrossEntropy()(P.astype(">f8"), CLASSES), CrossEntropy()(P, CLASSES), strict=True):
        np.testing.assert_array_equal(found, wanted)
