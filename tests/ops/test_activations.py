"""Activations in numpy: values from formulas, extremes, and what is not finite."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from trainer_cli.arrays import Array
from trainer_cli.ops import Ops
from trainer_cli.ops.numba_ops import NumbaOps

ALL_OPS = pytest.mark.parametrize("ops", [Ops(), NumbaOps()], ids=lambda ops: ops.name)
GRID = np.linspace(-12, 12, 2401)

FORMULAS: dict[str, Callable[[float], float]] = {
    "bias": lambda x: x,
    "relu": lambda x: max(0.0, x),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": math.tanh,
    "swish": lambda x: x / (1 + math.exp(-x)),
    "gelu": lambda x: x * math.erfc(-x / math.sqrt(2)) / 2,
    "mish": lambda x: x * math.tanh(math.log1p(math.exp(x))),
    "dish": lambda x: x / 2 * (1 + x / math.hypot(1, x)),
    "hard_swish": lambda x: x * min(1.0, max(0.0, 0.2 * x + 0.5)),
    "clipped_linear": lambda x: min(2.0, max(-1.0, 0.7 * x + 0.4)),
}
SETTINGS: dict[str, dict[str, float]] = {
    "hard_swish": {"slope": 0.2},
    "clipped_linear": {"slope": 0.7, "offset": 0.4, "min_val": -1.0, "max_val": 2.0},
}


def apply(ops: Ops, name: str, X: Array, b: float = 0.0) -> Array:
    """An activation of the numbers in X, given as one row less a bias."""
    Z = (X - b).reshape(1, -1).astype(X.dtype)
    Y: Array = getattr(ops, name)(Z, np.full(X.size, b, X.dtype), **SETTINGS.get(name, {}))[0]
    return Y.reshape(-1)


@ALL_OPS
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 4e-7), (np.float64, 1e-15)])
@pytest.mark.parametrize("name", FORMULAS)
def test_values_are_the_formulas(name: str, dtype: type[np.floating[Any]], tolerance: float, ops: Ops) -> None:
    X = GRID.astype(dtype)
    expected = np.array([FORMULAS[name](float(x)) for x in X])
    # dish is a difference of numbers as large as x.
    scale = np.maximum(1, np.abs(X if name == "dish" else expected))
    assert np.max(np.abs(apply(ops, name, X) - expected) / scale) < tolerance


@ALL_OPS
@pytest.mark.parametrize("name", FORMULAS)
def test_the_bias_is_added_before_the_activation(name: str, ops: Ops) -> None:
    X = GRID.astype(np.float32)
    np.testing.assert_allclose(apply(ops, name, X, b=0.5), apply(ops, name, X), atol=2e-6)


@ALL_OPS
@pytest.mark.parametrize("name", FORMULAS)
def test_extremes_neither_overflow_nor_warn(name: str, ops: Ops) -> None:
    X = np.array([-1e30, -1e4, -100.0, 100.0, 1e4, 1e30], np.float32)
    limits = {
        "sigmoid": [0, 0, 0, 1, 1, 1],
        "tanh": [-1, -1, -1, 1, 1, 1],
        "bias": X.tolist(),
        "dish": [0, -1 / 4e4, FORMULAS["dish"](-100.0), FORMULAS["dish"](100.0), 1e4, 1e30],
        "clipped_linear": [-1, -1, -1, 2, 2, 2],
    }
    expected = np.array(limits.get(name, [0, 0, 0, 100.0, 1e4, 1e30]), np.float32)
    # x^2 of 1e30 is infinite in float32; what matters is that its exp is 0.
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(apply(ops, name, X), expected, atol=1e-4 if name == "dish" else 1e-30)


@ALL_OPS
@pytest.mark.parametrize("name", [*FORMULAS, "softmax"])
def test_nan_is_passed_on(name: str, ops: Ops) -> None:
    X = np.array([1.0, np.nan, 2.0], np.float32)
    assert np.isnan(apply(ops, name, X)[1])


def check_softmax(ops: Ops) -> None:
    rng = np.random.default_rng(0)
    for n in (1, 3, 8, 9, 21):
        Z = rng.normal(scale=5, size=(6, n)).astype(np.float32)
        Z[0] += 1e4
        Z[1] -= 1e4
        exps = np.exp(Z.astype(np.float64) - Z.max(axis=1, keepdims=True))
        Y = ops.softmax(Z.copy(), np.zeros(n, np.float32))[0]
        np.testing.assert_allclose(Y, exps / exps.sum(axis=1, keepdims=True), rtol=2e-6, atol=1e-30)


@ALL_OPS
def test_softmax_gives_probabilities_however_large_the_logits(ops: Ops) -> None:
    check_softmax(ops)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_softmax_that_does_not_shift_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def unshifted(Z: Array, b: Array) -> tuple[Array, None]:
        exps = np.exp(Z + b)
        return exps / exps.sum(axis=1, keepdims=True), None

    monkeypatch.setattr(Ops, "softmax", staticmethod(unshifted))
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check_softmax(Ops())


@ALL_OPS
def test_layernorm_gives_each_row_mean_0_and_variance_1(ops: Ops) -> None:
    for n in (2, 8, 13):
        X = np.random.default_rng(0).normal(3, 2, (5, n)).astype(np.float32)
        G, b = np.full(n, 2, np.float32), np.full(n, 1, np.float32)
        Y, _ = ops.layernorm(X, G, b)
        np.testing.assert_allclose(Y.mean(axis=1), 1, atol=1e-5)
        np.testing.assert_allclose(Y.std(axis=1), 2, rtol=1e-5)


@ALL_OPS
def test_layernorm_of_a_constant_row_is_the_shift(ops: Ops) -> None:
    Y, _ = ops.layernorm(np.full((2, 4), 7, np.float32), np.ones(4, np.float32), np.full(4, 0.5, np.float32))
    np.testing.assert_array_equal(Y, np.full((2, 4), 0.5))


@ALL_OPS
def test_maxout_takes_the_largest_piece_and_of_equal_ones_the_first(ops: Ops) -> None:
    Z = np.array([[[1, 3, 2], [5, 5, 4], [0, 1, 1]]], np.float32)
    best, which = ops.maxout(Z, np.zeros((3, 3), np.float32))
    assert best.tolist() == [[3, 5, 1]]
    assert which.tolist() == [[1, 0, 1]]
    db = np.zeros((3, 3), np.float32)
    dZ = ops.backprop_maxout(np.array([[1, 2, 3]], np.float32), which, db)
    assert dZ.tolist() == [[[0, 1, 0], [2, 0, 0], [0, 3, 0]]]
    assert db.tolist() == dZ[0].tolist()


@ALL_OPS
@pytest.mark.parametrize("nP", [1, 2, 3, 4])
def test_maxout_is_the_maximum_over_the_pieces_and_tells_the_first_that_has_it(ops: Ops, nP: int) -> None:
    draw = np.random.default_rng(nP)
    Z, b = draw.integers(-2, 3, (50, 7, nP)).astype(np.float32), draw.integers(-2, 3, (7, nP)).astype(np.float32)
    best, which = ops.maxout(Z.copy(), b)
    np.testing.assert_array_equal(best, (Z + b).max(axis=2))
    np.testing.assert_array_equal(which, (Z + b).argmax(axis=2))  # numpy's argmax gives the first


@ALL_OPS
@pytest.mark.parametrize("place", [0, 1, 2])
def test_maxout_of_three_passes_nan_on(ops: Ops, place: int) -> None:
    Z = np.ones((1, 1, 3), np.float32)
    Z[..., place] = np.nan
    assert np.isnan(ops.maxout(Z, np.zeros((1, 3), np.float32))[0]).all()


@ALL_OPS
def test_maxout_passes_nan_on(ops: Ops) -> None:
    best, which = ops.maxout(np.array([[[1, np.nan], [np.nan, 1]]], np.float32), np.zeros((2, 2), np.float32))
    assert np.isnan(best).all()
    assert which.max() < 2


@ALL_OPS
def test_a_gradient_of_another_shape_never_reaches_a_kernel(ops: Ops) -> None:
    db = np.zeros(3, np.float32)
    with pytest.raises((AssertionError, ValueError)):
        ops.backprop_relu(np.zeros((2, 3), np.float32), np.zeros((4, 3), np.float32), db)
    with pytest.raises((AssertionError, ValueError)):
        ops.relu(np.zeros((2, 4), np.float32), db)
