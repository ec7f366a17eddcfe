"""The losses of the reference: its gradients and values, its forms of truths, sequences, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from differences import cases, label, loss_difference, loss_of
from loss_cases import CLASSES, LOGITS, ONE_HOT, SEQUENCES, SOFT, P

from trainer_cli.arrays import Array, Ragged
from trainer_cli.config.registry import registry
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.losses import (
    CategoricalCrossentropy,
    CosineDistance,
    L2Distance,
    Loss,
    SequenceCategoricalCrossentropy,
)

CASES = cases("losses")
LIMITS = {"float64": 1e-14, "float32": 3e-7}
NAMES = ["ant", "bee", "cat", "dog"]


@pytest.mark.parametrize("case", CASES, ids=label)
def test_gradient_and_value_are_the_reference_s(case: dict[str, Any]) -> None:
    assert loss_difference(case) <= LIMITS[case["dtype"]]


@pytest.mark.parametrize("dtype", LIMITS)
def test_a_slip_ten_times_the_limit_is_seen(dtype: str) -> None:
    case = next(case for case in CASES if case["dtype"] == dtype and case["value"] > 0.1)
    loss = loss_of(case)

    class Slipping(Loss):
        def __call__(self, guesses: Array, truths: Any, weights: Array | None = None) -> tuple[Array, float]:
            grad, value = loss(guesses, truths)
            return grad, value + 10 * LIMITS[dtype]

    assert loss_difference(case, Slipping()) > LIMITS[dtype]


def test_the_cases_cover_every_name_in_several_settings() -> None:
    names = [case["name"] for case in CASES]
    versions = {f"CategoricalCrossentropy.v{version}" for version in (1, 2, 3)} | SEQUENCES
    versions |= {"CosineDistance.v1", "L2Distance.v1"}
    assert set(names) == versions | {name.split(".")[0] for name in versions}
    assert all(names.count(name) >= 9 for name in names)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("CategoricalCrossentropy.v1", {"normalize", "names", "missing_value"}),
        ("CategoricalCrossentropy.v2", {"normalize", "names", "missing_value", "neg_prefix"}),
        ("CategoricalCrossentropy.v3", {"normalize", "names", "missing_value", "neg_prefix", "label_smoothing"}),
        ("SequenceCategoricalCrossentropy.v1", {"normalize", "names"}),
        ("SequenceCategoricalCrossentropy.v2", {"normalize", "names", "neg_prefix"}),
        (
            "SequenceCategoricalCrossentropy.v3",
            {"normalize", "names", "missing_value", "neg_prefix", "label_smoothing"},
        ),
        ("L2Distance.v1", {"normalize"}),
        ("CosineDistance.v1", {"normalize", "ignore_zeros"}),
    ],
)
def test_a_version_takes_the_reference_s_arguments_through_a_config(name: str, arguments: set[str]) -> None:
    filled = registry.fill({"loss": {"@losses": name}})["loss"]
    assert set(filled) == arguments | {"@losses"}
    assert filled["normalize"] is True


def test_a_number_in_a_config_stays_one() -> None:
    loss = registry.resolve({"loss": {"@losses": "CategoricalCrossentropy.v1", "missing_value": 2}})["loss"]
    assert not loss.get_grad(P, CLASSES)[CLASSES == 2].any()
    text = registry.resolve({"loss": {"@losses": "CategoricalCrossentropy.v1", "missing_value": "2"}})["loss"]
    assert text.get_grad(P, CLASSES)[CLASSES == 2].all()


# Truths in all their forms


@pytest.mark.parametrize(
    "truths",
    [
        CLASSES.tolist(),
        tuple(CLASSES.tolist()),
        list(CLASSES),
        CLASSES.astype(np.uint8),
        ONE_HOT,
        ONE_HOT.tolist(),
        ONE_HOT.astype(bool),
        [NAMES[i] for i in CLASSES],
        tuple(NAMES[i] for i in CLASSES),
        np.array(NAMES)[CLASSES],
        np.array([NAMES[i] for i in CLASSES], dtype=object),
    ],
    ids=lambda truths: f"{type(truths).__name__} {getattr(truths, 'dtype', type(truths[0]).__name__)}",
)
def test_class_numbers_names_and_one_hot_rows_are_the_same(truths: Any) -> None:
    loss = CategoricalCrossentropy(names=NAMES)
    assert np.array_equal(loss.get_grad(P, truths), loss.get_grad(P, CLASSES))


def test_what_stands_for_a_missing_number_need_not_be_a_class() -> None:
    truths = np.array([0, -1, 1, -1, 2])
    grad = CategoricalCrossentropy(missing_value=-1).get_grad(P, truths)
    assert np.array_equal(grad.any(axis=1), truths != -1)
    np.testing.assert_allclose(grad[0], (P[0] - ONE_HOT[0]) / 5)


def test_a_negated_class_is_pushed_down_alone() -> None:
    grad = CategoricalCrossentropy(names=NAMES, neg_prefix="no ", normalize=False).get_grad(P[:2], ["no bee", "bee"])
    assert np.array_equal(grad[0], [0.0, P[0, 1], 0.0, 0.0])
    assert np.array_equal(grad[1], P[1] - np.eye(4)[1])


def test_a_row_without_a_truth_counts_in_the_mean() -> None:
    loss = CategoricalCrossentropy(names=NAMES, missing_value="")
    assert loss.mass(["ant", "", ""]) == 3.0
    np.testing.assert_allclose(loss.get_grad(P[:3], ["ant", "", ""])[0], (P[0] - ONE_HOT[0]) / 3)


@pytest.mark.parametrize("loss", [CategoricalCrossentropy(), L2Distance(), CosineDistance(ignore_zeros=True)])
def test_no_rows_give_an_empty_gradient(loss: Loss) -> None:
    grad, value = loss(P[:0].astype(np.float32), ONE_HOT[:0])
    assert (grad.shape, grad.dtype, value) == ((0, 4), np.float32, 0.0)


def test_l2_distance_takes_arrays_of_any_number_of_axes() -> None:
    images, noise = np.random.default_rng(0).normal(size=(2, 3, 4, 4, 1))
    grad, value = L2Distance()(images, noise)
    flat_grad, flat_value = L2Distance()(images.reshape(3, 16), noise.reshape(3, 16))
    assert np.array_equal(grad, flat_grad.reshape(images.shape))
    assert value == pytest.approx(flat_value)


def test_a_row_of_zeros_has_a_cosine_or_is_ignored() -> None:
    truths = SOFT.copy()
    truths[2] = 0.0
    grad, value = CosineDistance(ignore_zeros=True)(LOGITS, truths)
    assert np.array_equal(grad.any(axis=1), [True, True, False, True, True])
    assert value < CosineDistance().get_loss(LOGITS, truths) < np.inf


# Sequences

SEQUENCE = [P[:2], P[2:3], P[3:]]
OF_SEQUENCE = [CLASSES[:2], CLASSES[2:3], CLASSES[3:]]


@pytest.mark.parametrize("normalize", [True, False])
def test_ragged_sequences_are_lists_of_them(normalize: bool) -> None:
    loss = SequenceCategoricalCrossentropy(normalize=normalize)
    lengths = np.array([2, 1, 2])
    grads, value = loss(SEQUENCE, OF_SEQUENCE, np.array([1.0, 0.0, 3.0]))
    grad, same = loss(Ragged(P, lengths), Ragged(CLASSES, lengths), np.array([1.0, 0.0, 3.0]))
    assert isinstance(grad, Ragged)
    assert np.array_equal(grad.data, np.concatenate(grads))
    assert np.array_equal(grad.lengths, lengths)
    assert same == value
    assert loss.mass(Ragged(CLASSES, lengths)) == loss.mass(OF_SEQUENCE) == (3.0 if normalize else None)


def test_an_empty_ragged_has_an_empty_gradient() -> None:
    empty = Ragged(P[:0], np.zeros(0, np.int64))
    grad, value = SequenceCategoricalCrossentropy()(empty, Ragged(CLASSES[:0], empty.lengths))
    assert (grad.data.shape, value) == ((0, 4), 0.0)


@pytest.mark.parametrize("weights", [None, np.array([1.0, 2.0, 0.5])], ids=["even", "weighted"])
@pytest.mark.parametrize("normalize", [True, False])
def test_parts_of_a_batch_of_sequences_add_up(normalize: bool, weights: Array | None) -> None:
    loss = SequenceCategoricalCrossentropy(normalize=normalize)
    grads, value = loss(SEQUENCE, OF_SEQUENCE, weights)
    found, total = [], 0.0
    for rows in (slice(0, 1), slice(1, 3)):
        part = None if weights is None else weights[rows]
        part_grads, part_value = loss(SEQUENCE[rows], OF_SEQUENCE[rows], part)
        whole = loss.mass(OF_SEQUENCE, weights)
        share = 1.0 if whole is None else (loss.mass(OF_SEQUENCE[rows], part) or 0.0) / whole
        found += [grad * share for grad in part_grads]
        total += loss.portion(part_value, share)
    assert total == pytest.approx(value)
    for ours, expected in zip(found, grads, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-14)


# What is refused


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: CategoricalCrossentropy(names=NAMES)(P[:2], ["ant", "bea"]),
            ArgumentError,
            r"the truth 'bea' is not among the names \['ant', 'bee', 'cat', 'dog'\]. Did you mean bee\?",
        ),
        (lambda: CategoricalCrossentropy()(P[:1], ["ant"]), ArgumentError, r"texts need names, got 'ant'"),
        (
            lambda: CategoricalCrossentropy(names=NAMES)(P[:1], [None, "ant"]),
            ShapeError,
            r"1 class numbers.*shape \(2,\)",
        ),
        (lambda: CategoricalCrossentropy(names=NAMES)(P[:2], ["ant", 1]), ArgumentError, r"the truth 1 is not among"),
        (lambda: CategoricalCrossentropy(names=NAMES)(P[:1], ["!ant"]), ArgumentError, r"'!ant' is not among"),
        (
            lambda: CategoricalCrossentropy(names=NAMES[:3])(P, CLASSES),
            ShapeError,
            r"guesses of shape \(5, 4\) do not fit 3 names",
        ),
        (
            lambda: CategoricalCrossentropy()(LOGITS, CLASSES),
            ArgumentError,
            r"guesses must be probabilities in \[0, 1\]",
        ),
        (lambda: CategoricalCrossentropy()(P, ONE_HOT * 2), ArgumentError, r"Cannot .* truths must lie in \[0, 1\]"),
        (lambda: CategoricalCrossentropy()(P, CLASSES - 1), ArgumentError, r"from 0 to 3, got -1 in row 0"),
        (lambda: CategoricalCrossentropy()(P, CLASSES * 1.0), ArgumentError, r"\(an integer\), got float64"),
        (
            lambda: CategoricalCrossentropy(label_smoothing=0.1)(P, ONE_HOT),
            ArgumentError,
            r"label_smoothing is for one class a row, got truths of shape \(5, 4\)",
        ),
        (lambda: CategoricalCrossentropy(label_smoothing=0.8)(P, CLASSES), ArgumentError, r"below 0.75 for 4 classes"),
        (
            lambda: CategoricalCrossentropy(label_smoothing=0.1, names=NAMES, neg_prefix="!")(P[:1], ["!ant"]),
            ArgumentError,
            r"label_smoothing and truths with neg_prefix do not go together",
        ),
        (
            lambda: SequenceCategoricalCrossentropy()([P], []),
            ShapeError,
            r"got 1 sequences of guesses and 0 of truths",
        ),
        (
            lambda: SequenceCategoricalCrossentropy()([P, P], [CLASSES, CLASSES[1:]]),
            ShapeError,
            r"sequence 1: truths must be 5 class numbers .*got shape \(4,\)",
        ),
        (lambda: L2Distance()(LOGITS[:, :1], SOFT[:, 0]), ShapeError, r"shape \(5, 1\), got shape \(5,\)"),
        (lambda: CosineDistance()(LOGITS[0], SOFT[0]), ShapeError, r"guesses must be \(rows, columns\)"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
