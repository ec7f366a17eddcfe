"""Rows that count by their class: lists, names, balance, and what the training rows must say first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loss_cases import CLASSES, ONE_HOT, SOFT, WEIGHTS, P

from trainer_cli.arrays import Array
from trainer_cli.config.registry import registry
from trainer_cli.errors import ArgumentError, ConfigError, ShapeError
from trainer_cli.losses import CategoricalCrossentropyV4, Focal, Loss
from trainer_cli.losses.class_weights import ClassWeights

NAMES = ["ant", "bee", "cat", "dog"]
TABLE = np.array([1.0, 3.0, 0.5, 2.0])
Make = Callable[..., Loss]
BOTH = pytest.mark.parametrize("make", [CategoricalCrossentropyV4, Focal])


def check_same(one: tuple[Array, float], other: tuple[Array, float]) -> None:
    np.testing.assert_allclose(one[0], other[0], rtol=1e-14)
    assert one[1] == pytest.approx(other[1], rel=1e-14)


@BOTH
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["even", "weighted"])
def test_class_weights_multiply_the_weights_of_rows(make: Make, weights: Array | None) -> None:
    of_rows = TABLE[CLASSES] * (1.0 if weights is None else weights)
    loss = make(class_weights=TABLE.tolist())
    check_same(loss(P, CLASSES, weights), make()(P, CLASSES, of_rows))
    check_same(loss(P, ONE_HOT, weights), make()(P, CLASSES, of_rows))
    assert loss.mass(CLASSES, weights) == loss.mass(ONE_HOT, weights) == pytest.approx(of_rows.sum())


@BOTH
def test_weights_by_name_are_those_of_the_list_and_1_where_left_out(make: Make) -> None:
    listed = make(class_weights=[1.0, 3.0, 1.0, 2.0])
    by_name = {"dog": 2.0, "bee": 3}
    check_same(make(class_weights=by_name, names=NAMES)(P, CLASSES), listed(P, CLASSES))
    fitted = make(class_weights=by_name)
    fitted.fit(NAMES, [1, 2, 1, 1])
    check_same(fitted(P, CLASSES), listed(P, CLASSES))
    check_same(fitted(P, [NAMES[i] for i in CLASSES]), listed(P, CLASSES))


def test_a_distribution_weighs_what_its_classes_do_on_average() -> None:
    loss = CategoricalCrossentropyV4(class_weights=TABLE.tolist())
    check_same(loss(P, SOFT), CategoricalCrossentropyV4()(P, SOFT, SOFT @ TABLE))


def check_balance(weights: ClassWeights, counts: list[int]) -> None:
    """Over the training rows every class has the same say, and all together that of the rows without weights."""
    weights.fit([f"class {i}" for i in range(len(counts))], counts)
    rows = np.repeat(np.arange(len(counts)), counts)
    by_row = weights.of_rows(rows)
    assert by_row is not None
    said = np.bincount(rows, weights=by_row)
    np.testing.assert_allclose(said, len(rows) / len(counts))


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6))
def test_balanced_classes_have_the_same_say(counts: list[int]) -> None:
    check_balance(ClassWeights("loss", "balanced"), counts)


def test_weights_that_are_not_balanced_are_found_out() -> None:
    with pytest.raises(AssertionError):
        check_balance(ClassWeights("loss", [1.0, 2.0]), [10, 30])


@BOTH
def test_balanced_is_by_the_counts_of_the_training_rows(make: Make) -> None:
    loss = make(class_weights="balanced")
    loss.fit(NAMES, [1, 2, 5, 2])
    check_same(loss(P, CLASSES), make(class_weights=[2.5, 1.25, 0.5, 1.25])(P, CLASSES))


def test_fitting_a_loss_without_class_weights_changes_nothing() -> None:
    loss = CategoricalCrossentropyV4()
    before = loss(P, CLASSES)
    loss.fit(NAMES, [1, 2, 5, 2])
    check_same(loss(P, CLASSES), before)


def test_rows_of_classes_that_weigh_nothing_have_no_say() -> None:
    grad, value = CategoricalCrossentropyV4(class_weights=[0, 1, 1, 1])(P[:1], CLASSES[:1])
    assert (grad.any(), value) == (False, 0.0)


@pytest.mark.parametrize(
    ("given", "expected"),
    [([1, 3, 0.5, 2], [1.0, 3.0, 0.5, 2.0]), ({"bee": 3, "dog": 0.5}, [1.0, 3.0, 1.0, 0.5]), ("balanced", [1.0] * 4)],
)
def test_class_weights_come_from_a_config(given: Any, expected: list[float]) -> None:
    loss = registry.resolve({"loss": {"@losses": "CategoricalCrossentropy.v4", "class_weights": given}})["loss"]
    loss.fit(NAMES, [7, 7, 7, 7])
    check_same(loss(P, CLASSES), CategoricalCrossentropyV4(class_weights=expected)(P, CLASSES))


def test_a_word_that_is_not_balanced_is_refused_in_a_config() -> None:
    with pytest.raises(ConfigError, match=r'class_weights: expected .*"balanced" or null, got the text "equal"'):
        registry.resolve({"loss": {"@losses": "CategoricalCrossentropy.v4", "class_weights": "equal"}})


def fitted(given: Any, names: list[str] | None = None, counts: tuple[int, ...] = (1, 2, 5, 2)) -> Loss:
    loss = CategoricalCrossentropyV4(class_weights=given, names=names)
    loss.fit(NAMES, counts)
    return loss


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fitted("equal"), ArgumentError, r"must be a list, weights by name or \"balanced\", got 'equal'"),
        (
            lambda: fitted([1, -1, 1, 1]),
            ArgumentError,
            r"class_weights must be finite numbers of at least 0, got \[1, -1",
        ),
        (lambda: fitted({"bee": np.nan}), ArgumentError, r"class_weights must be finite numbers of at least 0"),
        (lambda: fitted([1, "2", 1, 1]), ArgumentError, r"class_weights must be finite numbers of at least 0"),
        (lambda: fitted([1, 2]), ShapeError, r"2 class_weights do not fit 4 classes"),
        (
            lambda: fitted({"bea": 1}),
            ArgumentError,
            r"are for the classes .*got 'bea'\. Did you mean bee\?",
        ),
        (
            lambda: fitted(None, ["bee", "ant", "cat", "dog"]),
            ArgumentError,
            r"names must be the classes of the data in their order, \['ant', 'bee', .*got \['bee', 'ant'",
        ),
        (lambda: fitted("balanced", counts=(1, 2, 0, 2)), ArgumentError, r"each of 4 classes must have rows"),
        (lambda: fitted("balanced", counts=(1, 2)), ArgumentError, r"each of 4 classes must have rows, got counts"),
        (
            lambda: CategoricalCrossentropyV4(class_weights="balanced")(P, CLASSES),
            ArgumentError,
            r'"balanced" class_weights need the training rows\' classes: call fit\(names, counts\) first',
        ),
        (
            lambda: Focal(class_weights={"ant": 2.0})(P, CLASSES),
            ArgumentError,
            r"Focal.v1: class_weights by name need the training rows' classes",
        ),
        (
            lambda: CategoricalCrossentropyV4(class_weights=[1.0, 2.0])(P, CLASSES),
            ShapeError,
            r"2 class_weights do not fit 4 classes",
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused(call: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
