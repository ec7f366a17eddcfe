"""Losses: values by hand, gradients by finite differences, the reference's numbers, and what is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.losses import CategoricalCrossentropyV4, L2Distance, Loss
from trainer_cli.registry import registry

CASES = json.loads((Path(__file__).parent / "reference" / "losses.json").read_text(encoding="utf-8"))
CrossEntropy = CategoricalCrossentropyV4


def cases(name: str) -> list[dict[str, Any]]:
    return [case for case in CASES if case["name"] == name]


def softmax(logits: Array) -> Array:
    exps = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exps / exps.sum(axis=1, keepdims=True))


def finite_differences(value: Callable[[Array], float], at: Array, eps: float = 1e-6) -> Array:
    grad = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        step = np.zeros_like(at)
        step[index] = eps
        grad[index] = (value(at + step) - value(at - step)) / (2 * eps)
    return grad


LOGITS = np.random.default_rng(3).normal(size=(5, 4))
CLASSES = np.array([0, 3, 1, 1, 2])
ONE_HOT = np.eye(4)[CLASSES]
SOFT = softmax(np.random.default_rng(4).normal(size=(5, 4)))
WEIGHTS = np.array([0.5, 2.0, 0.0, 1.0, 1.25])


# Cross-entropy, .v4


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


def check_gradient(loss: Loss, truths: Array, weights: Array | None) -> None:
    """The gradient is the one of the logits, for probabilities through a softmax."""

    def value(logits: Array) -> float:
        return loss.get_loss(logits if loss.takes == "logits" else softmax(logits), truths, weights)

    grad = loss.get_grad(LOGITS if loss.takes == "logits" else softmax(LOGITS), truths, weights)
    assert grad.dtype == np.float64
    np.testing.assert_allclose(grad, finite_differences(value, LOGITS), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["even", "weighted"])
@pytest.mark.parametrize("truths", [CLASSES, ONE_HOT, SOFT], ids=["classes", "one-hot", "soft"])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
@pytest.mark.parametrize("from_logits", [False, True])
def test_the_gradient_is_the_value_s(
    from_logits: bool, label_smoothing: float, truths: Array, weights: Array | None
) -> None:
    check_gradient(CrossEntropy(from_logits=from_logits, label_smoothing=label_smoothing), truths, weights)


def test_a_gradient_that_forgets_the_mean_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    good = CrossEntropy.__call__

    def summed(self: Loss, guesses: Array, truths: Any, weights: Any = None) -> tuple[Array, float]:
        grad, value = good(self, guesses, truths, weights)  # type: ignore[arg-type]
        return grad * len(guesses), value

    monkeypatch.setattr(CrossEntropy, "__call__", summed)
    with pytest.raises(AssertionError):
        check_gradient(CrossEntropy(), CLASSES, None)


@pytest.mark.parametrize("case", cases("CategoricalCrossentropy"), ids=lambda case: str(case["kwargs"]))
def test_the_gradient_is_the_reference_s(case: dict[str, Any]) -> None:
    guesses, truths = np.array(case["guesses"]), np.array(case["truths"])
    grad = CrossEntropy(**case["kwargs"]).get_grad(guesses, truths)
    np.testing.assert_allclose(grad, case["grad"], atol=1e-7)  # its smoothed truths are float32


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
    assert math.isnan(L2Distance().get_loss(infinite, infinite))
    assert math.isinf(L2Distance().get_loss(np.array([[3e38]], dtype=np.float32), -infinite[:, :1]))


# Distance


@pytest.mark.parametrize("case", cases("L2Distance"), ids=lambda case: str(case["kwargs"]))
def test_l2_distance_is_the_reference_s(case: dict[str, Any]) -> None:
    grad, value = L2Distance(**case["kwargs"])(np.array(case["guesses"]), np.array(case["truths"]))
    np.testing.assert_allclose(grad, case["grad"], rtol=1e-14)
    assert value == pytest.approx(case["value"], rel=1e-14)


def test_l2_distance_is_registered_and_takes_any_outputs() -> None:
    assert registry.losses.get("L2Distance.v1") is L2Distance
    assert (L2Distance().link, L2Distance().takes) == ("none", "any")


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["even", "weighted"])
@pytest.mark.parametrize("normalize", [True, False])
def test_l2_distance_is_the_sum_of_its_squared_gradient(normalize: bool, weights: Array | None) -> None:
    loss = L2Distance(normalize=normalize)
    grad, value = loss(LOGITS, SOFT, weights)
    assert value == pytest.approx((grad**2).sum())
    # The gradient is the one of half the weighted sum of squares over the mass.
    w = np.ones(5) if weights is None else weights
    mass = w.sum() if normalize else 1.0
    half = finite_differences(lambda guesses: float((w[:, None] * (guesses - SOFT) ** 2).sum() / (2 * mass)), LOGITS)
    np.testing.assert_allclose(grad, half, rtol=1e-6, atol=1e-9)


# What all losses promise

LOSSES: dict[str, tuple[Loss, Array, Array]] = {
    "v4": (CrossEntropy(), softmax(LOGITS), CLASSES),
    "v4 smoothed": (CrossEntropy(label_smoothing=0.1), softmax(LOGITS), SOFT),
    "v4 logits": (CrossEntropy(from_logits=True), LOGITS, CLASSES),
    "L2 mean": (L2Distance(), LOGITS, SOFT),
    "L2 sum": (L2Distance(normalize=False), LOGITS, SOFT),
}


def check_parts(loss: Loss, guesses: Array, truths: Array, weights: Array | None, cut: int) -> None:
    """Gradients times shares are the gradient of the whole, and the portions add up to its value."""
    grad, value = loss(guesses, truths, weights)
    whole = loss.mass(truths, weights)
    grads, portions = [], []
    for rows in (slice(None, cut), slice(cut, None)):
        part = None if weights is None else weights[rows]
        part_grad, part_value = loss(guesses[rows], truths[rows], part)
        mass = loss.mass(truths[rows], part)
        share = 1.0 if whole is None or mass is None else mass / whole
        grads.append(part_grad * share)
        portions.append(loss.portion(part_value, share) if whole is not None else part_value)
    np.testing.assert_allclose(np.concatenate(grads), grad, rtol=1e-12, atol=1e-15)
    assert sum(portions) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("name", LOSSES)
@given(cut=st.integers(1, 4), weighted=st.booleans())
def test_parts_add_up_to_the_whole(name: str, cut: int, weighted: bool) -> None:
    check_parts(*LOSSES[name], WEIGHTS if weighted else None, cut)


def test_a_sum_of_squares_scaled_like_a_mean_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(L2Distance, "portion", Loss.portion)
    with pytest.raises(AssertionError):
        check_parts(*LOSSES["L2 mean"], None, 2)


def check_equal_weights(loss: Loss, guesses: Array, truths: Array) -> None:
    """Rows that weigh the same have the mean of rows without weights."""
    grad, value = loss(guesses, truths, np.full(5, 0.25))
    np.testing.assert_allclose(grad, loss.get_grad(guesses, truths), rtol=1e-14)
    assert value == pytest.approx(loss.get_loss(guesses, truths), rel=1e-14)


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "L2 sum"])
def test_equal_weights_change_nothing_about_a_mean(name: str) -> None:
    check_equal_weights(*LOSSES[name])


def test_a_mass_that_ignores_the_weights_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CrossEntropy, "mass", lambda self, truths, weights=None: float(len(truths)))
    with pytest.raises(AssertionError):
        check_equal_weights(*LOSSES["v4"])


@pytest.mark.parametrize("name", LOSSES)
def test_rows_that_all_weigh_nothing_have_no_say(name: str) -> None:
    loss, guesses, truths = LOSSES[name]
    grad, value = loss(guesses, truths, np.zeros(5))
    assert value == 0.0
    assert not grad.any()


@pytest.mark.parametrize("name", LOSSES)
def test_inputs_are_left_alone_and_layout_does_not_matter(name: str) -> None:
    loss, guesses, truths = LOSSES[name]
    before = guesses.copy(), truths.copy(), WEIGHTS.copy()
    grad, value = loss(guesses, truths, WEIGHTS)
    assert not np.shares_memory(grad, guesses)
    for array, copy in zip((guesses, truths, WEIGHTS), before, strict=True):
        assert np.array_equal(array, copy)
    strided = np.repeat(guesses, 2, axis=1)[:, ::2]
    again, same = loss(strided, truths, WEIGHTS)
    assert np.array_equal(again, grad)
    assert same == value
    turned, same = loss(np.asfortranarray(guesses), truths, WEIGHTS)
    np.testing.assert_allclose(turned, grad, rtol=1e-14, atol=1e-17)
    assert same == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize("name", LOSSES)
def test_the_gradient_has_the_type_of_the_guesses(name: str) -> None:
    loss, guesses, truths = LOSSES[name]
    narrow = loss.get_grad(guesses.astype(np.float32), truths, WEIGHTS)
    assert narrow.dtype == np.float32
    np.testing.assert_allclose(narrow, loss.get_grad(guesses, truths, WEIGHTS), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", LOSSES)
def test_whole_numbers_and_lists_are_converted_once(name: str) -> None:
    loss, _, truths = LOSSES[name]
    whole = np.eye(5, 4, dtype=np.int64)
    whole[4, 0] = 1
    as_floats = loss(whole.astype(np.float64), truths)
    for form in (whole, whole.tolist(), whole.astype(np.float16)):
        grad, value = loss(form, truths.tolist())
        assert grad.dtype == np.float64
        assert np.array_equal(grad, as_floats[0])
        assert value == as_floats[1]


P = softmax(LOGITS)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: CrossEntropy()(P, CLASSES[:3]),
            ShapeError,
            r"truths must be 5 class numbers or have the guesses' shape \(5, 4\), got shape \(3,\)",
        ),
        (lambda: CrossEntropy()(P, ONE_HOT[:, :3]), ShapeError, r"shape \(5, 4\), got shape \(5, 3\)"),
        (lambda: CrossEntropy()(P[0], CLASSES), ShapeError, r"guesses must be \(rows, columns\).*got shape \(4,\)"),
        (lambda: CrossEntropy()(P[:0], CLASSES[:0]), ShapeError, r"at least one of each, got shape \(0, 4\)"),
        (lambda: CrossEntropy()(P, CLASSES + 1), ArgumentError, r"class numbers go from 0 to 3, got 4 in row 1"),
        (lambda: CrossEntropy()(P, CLASSES - 1), ArgumentError, r"class numbers go from 0 to 3, got -1 in row 0"),
        (
            lambda: CrossEntropy()(P, CLASSES * 1.0),
            ArgumentError,
            r"must be a class number \(an integer\), got float64",
        ),
        (lambda: CrossEntropy()(P, list("abcde")), ArgumentError, r"must be a class number \(an integer\), got <U1"),
        (
            lambda: CrossEntropy()(P, ONE_HOT * 2),
            ArgumentError,
            r"truths must lie in \[0, 1\], got values from 0.0 to 2.0",
        ),
        (lambda: CrossEntropy()(P, ONE_HOT * np.nan), ArgumentError, r"truths must lie in \[0, 1\], got .* nan"),
        (
            lambda: CrossEntropy()(P, np.ones((5, 4))),
            ArgumentError,
            r"each row of truths must add up to 1, row 0 adds up to 4",
        ),
        (
            lambda: CrossEntropy()(LOGITS, CLASSES),
            ArgumentError,
            r"guesses must be probabilities.*set from_logits = true",
        ),
        (lambda: CrossEntropy()("text", CLASSES), ArgumentError, r"guesses must be an array of numbers, got str"),
        (
            lambda: CrossEntropy()(P, CLASSES, WEIGHTS[:2]),
            ShapeError,
            r"weights must be one for each of 5 rows, got shape \(2,\)",
        ),
        (
            lambda: CrossEntropy()(P, CLASSES, -WEIGHTS),
            ArgumentError,
            r"weights must be finite and not negative, got -2.0",
        ),
        (lambda: CrossEntropy()(P, CLASSES, WEIGHTS * np.nan), ArgumentError, r"weights must be finite"),
        (lambda: CrossEntropy()(P, CLASSES, WEIGHTS + np.inf), ArgumentError, r"weights must be finite"),
        (lambda: CrossEntropy(label_smoothing=-0.1), ArgumentError, r"label_smoothing must be at least 0.*got -0.1"),
        (lambda: CrossEntropy(label_smoothing=math.nan), ArgumentError, r"label_smoothing must be .* got nan"),
        (
            lambda: CrossEntropy(label_smoothing=0.75)(P, CLASSES),
            ArgumentError,
            r"label_smoothing must be below 0.75 for 4 classes, got 0.75",
        ),
        (
            lambda: CrossEntropy(label_smoothing=0.1)(np.ones((2, 1)), np.zeros(2, int)),
            ArgumentError,
            r"label_smoothing must be 0 for 1 classes",
        ),
        (
            lambda: L2Distance()(LOGITS, SOFT[:, :2]),
            ShapeError,
            r"truths must have the guesses' shape \(5, 4\), got shape \(5, 2\)",
        ),
        (lambda: L2Distance()(LOGITS, list("abcde")), ArgumentError, r"truths must be an array of numbers, got list"),
        (lambda: L2Distance()(LOGITS, SOFT, np.ones((5, 1))), ShapeError, r"for each of 5 rows, got shape \(5, 1\)"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
