"""What every loss promises: gradients of values, parts that add up, weights, types, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loss_cases import (
    CLASSES,
    LABELS,
    LOGITS,
    LOSSES,
    OF_SQUARES,
    ONE_HOT,
    SEQUENCES,
    SOFT,
    WEIGHTS,
    P,
    check_gradient,
    v4,
)

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.extras import ENGINES
from trainer_cli.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalCrossentropyV4,
    CosineDistance,
    Focal,
    Huber,
    L2Distance,
    Loss,
    MeanSquaredError,
    QuantileLoss,
    SequenceCategoricalCrossentropy,
    categorical_crossentropy_v4,
)
from trainer_cli.registry import registry


def test_the_cases_are_all_that_is_built_in() -> None:
    built_in = {name for name in registry.losses.names() if registry.losses.is_built_in(name)} - set(ENGINES)
    assert {name.split(":")[0] for name in LOSSES} | SEQUENCES == built_in


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_takes_and_links_as_its_outputs_do(name: str) -> None:
    loss = LOSSES[name][0]
    is_crossentropy = name.startswith(("Categorical", "Focal"))
    if is_crossentropy:
        expected = ("softmax", "logits") if "logits" in name else ("none", "probabilities")
    else:
        expected = ("sigmoid", "logits") if name.startswith("Binary") else ("none", "any")
    assert (loss.link, loss.takes) == expected


# Gradients


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["even", "weighted"])
@pytest.mark.parametrize("name", [name for name in LOSSES if name not in OF_SQUARES])
def test_the_gradient_is_the_value_s(name: str, weights: Array | None) -> None:
    loss, _, truths = LOSSES[name]
    check_gradient(loss, truths, weights)


@pytest.mark.parametrize("name", [name for name in LOSSES if name not in OF_SQUARES and "sum" not in name])
def test_a_gradient_that_forgets_the_mean_is_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loss, _, truths = LOSSES[name]
    good = type(loss).get_grad
    monkeypatch.setattr(type(loss), "get_grad", lambda self, g, t, w=None: good(self, g, t, w) * len(g))
    with pytest.raises(AssertionError):
        check_gradient(loss, truths, None)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["even", "weighted"])
@pytest.mark.parametrize("name", OF_SQUARES)
def test_the_value_is_the_sum_of_the_squared_gradient(name: str, weights: Array | None) -> None:
    loss, guesses, truths = LOSSES[name]
    grad, value = loss(guesses, truths, weights)
    assert value == pytest.approx(float((grad**2).sum()), rel=1e-14)


@pytest.mark.parametrize("name", LOSSES)
def test_the_pair_is_gradient_then_value_and_its_halves(name: str) -> None:
    loss, guesses, truths = LOSSES[name]
    grad, value = loss(guesses, truths, WEIGHTS)
    assert np.array_equal(loss.get_grad(guesses, truths, WEIGHTS), grad)
    assert loss.get_loss(guesses, truths, WEIGHTS) == value
    assert type(value) is float


# Parts and weights


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


@pytest.mark.parametrize("name", ["L2Distance.v1", "CategoricalCrossentropy.v3"])
def test_a_sum_of_squares_scaled_like_a_mean_is_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(LOSSES[name][0]), "portion", Loss.portion)
    with pytest.raises(AssertionError):
        check_parts(*LOSSES[name], None, 2)


def test_a_mass_without_the_class_weights_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CategoricalCrossentropyV4, "mass", lambda self, truths, weights=None: float(len(truths)))
    with pytest.raises(AssertionError):
        check_parts(*LOSSES["CategoricalCrossentropy.v4: class weights"], None, 2)


def check_equal_weights(loss: Loss, guesses: Array, truths: Array) -> None:
    """Rows that weigh the same have the mean of rows without weights."""
    grad, value = loss(guesses, truths, np.full(5, 0.25))
    np.testing.assert_allclose(grad, loss.get_grad(guesses, truths), rtol=1e-14)
    assert value == pytest.approx(loss.get_loss(guesses, truths), rel=1e-14)


@pytest.mark.parametrize("name", [name for name in LOSSES if "sum" not in name])
def test_equal_weights_change_nothing_about_a_mean(name: str) -> None:
    check_equal_weights(*LOSSES[name])


def test_a_mass_that_ignores_the_weights_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(categorical_crossentropy_v4, "rows_mass", lambda truths, weights=None: float(len(truths)))
    with pytest.raises(AssertionError):
        check_equal_weights(*LOSSES["CategoricalCrossentropy.v4"])


@pytest.mark.parametrize("name", LOSSES)
def test_rows_that_all_weigh_nothing_have_no_say(name: str) -> None:
    loss, guesses, truths = LOSSES[name]
    grad, value = loss(guesses, truths, np.zeros(5))
    assert value == 0.0
    assert not grad.any()


# Arrays


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


@pytest.mark.parametrize("name", LOSSES)
def test_nan_goes_through_for_the_loop_to_stop_at(name: str) -> None:
    loss, guesses, truths = LOSSES[name]
    bad = guesses.copy()
    bad[1, truths[1] if truths.ndim == 1 else truths[1].argmax()] = np.nan
    assert math.isnan(loss.get_loss(bad, truths))


# What is refused

DISTANCES = [L2Distance(), CosineDistance(), MeanSquaredError(), Huber(), QuantileLoss(), BinaryCrossentropy()]
CROSSENTROPIES = [v4(), Focal(), CategoricalCrossentropy()]
MEANS = [v4(), Focal(), *DISTANCES[2:]]


@pytest.mark.parametrize("loss", DISTANCES, ids=lambda loss: type(loss).__name__)
def test_distances_say_both_shapes(loss: Loss) -> None:
    with pytest.raises(ShapeError, match=r"truths must have the guesses' shape \(5, 4\), got shape \(5, 2\)"):
        loss(LOGITS, SOFT[:, :2])
    with pytest.raises(ShapeError, match=r"truths must have the guesses' shape \(5, 4\), got shape \(5,\)"):
        loss(LOGITS, CLASSES)
    with pytest.raises(ArgumentError, match=r"truths must be an array of numbers, got list"):
        loss(LOGITS, list("abcde"))


@pytest.mark.parametrize("loss", CROSSENTROPIES, ids=lambda loss: type(loss).__name__)
def test_crossentropies_say_both_shapes(loss: Loss) -> None:
    message = r"truths must be 5 class numbers or have the guesses' shape \(5, 4\), got shape "
    for truths, shape in ((CLASSES[:3], r"\(3,\)"), (ONE_HOT[:, :3], r"\(5, 3\)"), (ONE_HOT[None], r"\(1, 5, 4\)")):
        with pytest.raises(ShapeError, match=message + shape):
            loss(P, truths)
    with pytest.raises(ShapeError, match=r"truths must be rows of one length, got list"):
        loss(P, [[1, 0], [1], [0], [0], [0]])
    with pytest.raises(ShapeError, match=r"guesses must be \(rows, columns\).*got shape \(4,\)"):
        loss(P[0], CLASSES)
    with pytest.raises(ShapeError, match=r"guesses must be \(rows, columns\).*got shape \(5, 0\)"):
        loss(P[:, :0], CLASSES)


@pytest.mark.parametrize("loss", [*CROSSENTROPIES, *DISTANCES], ids=lambda loss: type(loss).__name__)
def test_guesses_and_weights_that_do_not_fit_are_refused(loss: Loss) -> None:
    truths = ONE_HOT
    for call, error, message in (
        (lambda: loss("text", truths), ArgumentError, r"guesses must be an array of numbers, got str"),
        (lambda: loss(P, truths, WEIGHTS[:2]), ShapeError, r"one for each of 5 rows, got shape \(2,\)"),
        (lambda: loss(P, truths, np.ones((5, 1))), ShapeError, r"one for each of 5 rows, got shape \(5, 1\)"),
        (lambda: loss(P, truths, -WEIGHTS), ArgumentError, r"weights must be finite and not negative, got -2.0"),
        (lambda: loss(P, truths, WEIGHTS * np.nan), ArgumentError, r"weights must be finite"),
        (lambda: loss(P, truths, WEIGHTS + np.inf), ArgumentError, r"weights must be finite"),
    ):
        with pytest.raises(error, match=message):
            call()


@pytest.mark.parametrize("loss", MEANS, ids=lambda loss: type(loss).__name__)
def test_a_mean_of_no_rows_is_refused(loss: Loss) -> None:
    with pytest.raises(ShapeError, match=r"at least one.*, got shape \(0, 4\)"):
        loss(P[:0], ONE_HOT[:0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: v4()(P, CLASSES + 1), r"class numbers go from 0 to 3, got 4 in row 1"),
        (lambda: v4()(P, CLASSES - 2), r"class numbers go from 0 to 3, got -2 in row 0"),
        (lambda: v4()(P, CLASSES * 1.0), r"must be a class number \(an integer\), got float64"),
        (lambda: v4()(P, list("abcde")), r"truths that are texts need names, got 'a'"),
        (lambda: v4()(P, ONE_HOT * 2), r"truths must lie in \[0, 1\], got values from 0.0 to 2.0"),
        (lambda: v4()(P, ONE_HOT * np.nan), r"truths must lie in \[0, 1\], got .* nan"),
        (lambda: v4()(P, np.ones((5, 4))), r"each row of truths must add up to 1, row 0 adds up to 4"),
        (lambda: v4()(LOGITS, CLASSES), r"guesses must be probabilities.*set from_logits = true"),
        (lambda: Focal()(LOGITS, CLASSES), r"guesses must be probabilities.*set from_logits = true"),
        (lambda: Focal()(P, SOFT), r"Focal.v1: truths must be class numbers or one-hot rows"),
        (lambda: v4(label_smoothing=-0.1), r"label_smoothing must be at least 0.*got -0.1"),
        (lambda: v4(label_smoothing=math.nan), r"label_smoothing must be .* got nan"),
        (lambda: v4(label_smoothing=0.75)(P, CLASSES), r"label_smoothing must be below 0.75 for 4 classes, got 0.75"),
        (
            lambda: v4(label_smoothing=0.1)(np.ones((2, 1)), np.zeros(2, int)),
            r"label_smoothing must be 0 for 1 classes",
        ),
        (lambda: BinaryCrossentropy()(LOGITS, LABELS * 2), r"truths must lie in \[0, 1\], got values from 0.0 to 2.0"),
        (lambda: BinaryCrossentropy()(LOGITS, LABELS * np.nan), r"truths must lie in \[0, 1\], got .* nan"),
        (lambda: Huber(delta=0.0), r"Huber.v1: delta must be a finite number above 0, got 0.0"),
        (lambda: Huber(delta=math.nan), r"delta must be a finite number above 0, got nan"),
        (lambda: QuantileLoss(quantile=1.0), r"QuantileLoss.v1: quantile must lie between 0 and 1, got 1.0"),
        (lambda: QuantileLoss(quantile=math.nan), r"quantile must lie between 0 and 1, got nan"),
        (lambda: Focal(gamma=-1.0), r"Focal.v1: gamma must be a finite number of at least 0, got -1.0"),
        (lambda: Focal(gamma="2"), r"gamma must be a finite number of at least 0, got '2'"),  # type: ignore[arg-type]
        (lambda: CategoricalCrossentropy(label_smoothing=1.0), r"label_smoothing must be at least 0 and below 1"),
        (lambda: CategoricalCrossentropy(names="abcd"), r"names must be a list of texts, got 'abcd'"),
        (lambda: CategoricalCrossentropy(names=["a", "b", "a"]), r"names must be different, got 'a' more than once"),
        (lambda: SequenceCategoricalCrossentropy(names=["a", 1]), r"names must be a list of texts"),  # type: ignore[list-item]
    ],
)
def test_a_wrong_argument_or_value_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        call()


def test_a_loss_of_a_user_s_own_need_not_look_at_the_classes() -> None:
    class Half(Loss):
        def __call__(self, guesses: Array, truths: Any, weights: Array | None = None) -> tuple[Array, float]:
            return guesses - truths, 0.5

    loss = Half()
    loss.fit(["a", "b"], [1, 2])
    assert loss.mass([1, 2]) is None
    assert (loss.get_loss(LOGITS, SOFT), loss.portion(0.5, 0.5)) == (0.5, 0.25)


def test_no_cosine_distance_is_below_zero():
    """The cosine of two equal vectors may come out as 1 and a little more."""
    rng = np.random.default_rng(0)
    values = []
    for _ in range(200):
        guesses = rng.normal(size=(1, 7))
        values.append(CosineDistance()(guesses, guesses)[1])
    assert min(values) == 0.0
    assert max(values) > 0.0


@pytest.mark.parametrize("loss", [CategoricalCrossentropy(), CategoricalCrossentropyV4()])
def test_probabilities_may_be_above_1_by_rounding_alone(loss):
    assert math.isfinite(loss(np.array([[1.0009, 0.0]]), np.array([0]))[1])
    with pytest.raises(ArgumentError, match=r"1\.002"):
        loss(np.array([[1.002, 0.0]]), np.array([0]))


@pytest.mark.parametrize("where", ["guess", "truth"])
@pytest.mark.parametrize("name", ["QuantileLoss.v1", "Huber.v1", "MeanSquaredError.v1", "L2Distance.v1"])
def test_what_is_no_number_has_no_finite_gradient(name, where):
    guesses, truths = np.array([[1.0], [2.0]]), np.array([[0.0], [1.0]])
    (guesses if where == "guess" else truths)[0, 0] = np.nan
    grad, value = registry.losses.get(name)()(guesses, truths)
    assert np.isnan(grad[0, 0])
    assert math.isnan(value)


def test_a_list_of_truth_values_is_one_of_classes():
    P = np.array([[0.2, 0.8], [0.6, 0.4]])
    assert CategoricalCrossentropy()(P, [True, False])[1] == CategoricalCrossentropy()(P, [1, 0])[1]


@pytest.mark.parametrize("missing", [1, np.int64(1), np.uint8(1)])
def test_a_missing_value_of_any_integer_type_is_missing(missing):
    grad, _ = CategoricalCrossentropy(missing_value=missing)(np.array([[0.2, 0.3, 0.5], [0.1, 0.8, 0.1]]), [1, 0])
    assert not grad[0].any()
    assert grad[1].any()


def test_class_weights_may_be_an_array_and_names_must_fit_the_guesses():
    P = np.full((1, 3), 1 / 3)
    as_list, as_array = (CategoricalCrossentropyV4(class_weights=w) for w in ([1.0, 2, 3], np.array([1.0, 2, 3])))
    assert as_list(P, [1])[1] == as_array(P, [1])[1]
    with pytest.raises(ShapeError, match="2 names do not fit 3 classes"):
        CategoricalCrossentropyV4(names=["a", "b"])(P, ["a"])
