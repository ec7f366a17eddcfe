"""Compiled kernels: float32 throughout, and numpy's numbers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numba
import numpy as np
import pytest

from trainer_cli.arrays import Array
from trainer_cli.ops import Ops, kernels, line_kernels, update_kernels
from trainer_cli.ops.compiled import compiled
from trainer_cli.ops.fit import F
from trainer_cli.ops.numba_ops import NumbaOps
from trainer_cli.ops.updates import Means

# Adds up and takes logs in float64, as it says.
WIDE = ("crossentropy",)
ROWS, COLUMN = numba.float32[:, ::1], numba.float32[::1]
COMPILED = {
    name: kernel
    for name, kernel in (vars(kernels) | vars(line_kernels) | vars(update_kernels)).items()
    if isinstance(kernel, numba.core.dispatcher.Dispatcher)
    and kernel.targetoptions.get("inline") != "always"
    and name not in WIDE
}


def signature(function: Callable[..., Any]) -> tuple[Any, ...]:
    """The types that NumbaOps calls a kernel with, by the names of its arguments."""
    names = list(inspect.signature(function).parameters)
    if "which" in names:
        return (ROWS, numba.int16[:, ::1], ROWS)
    if function.__name__.startswith("maxout"):
        return (numba.float32[:, :, ::1], ROWS)
    rows = {"X", "Y", "Z", "dY", "Xhat", "scales"}
    columns = {"b", "db", "G", "dG", "weights", "gradient", "m", "v", "target", "source", "averages"}
    return tuple(ROWS if name in rows else COLUMN if name in columns else numba.float32 for name in names)


def check_float32(function: Callable[..., Any]) -> None:
    """No instruction of the compiled function works on a double."""
    kernel = numba.njit(signature(function), error_model="numpy")(function)
    (code,) = kernel.inspect_llvm().values()
    body = code[code.index("define ") : code.index("define ", code.index("define ") + 1)]
    lines = [line for line in body.splitlines() if " double " in line]
    assert not lines, f"{function.__name__} works in float64: {lines[0]}"


@pytest.mark.parametrize("name", COMPILED)
def test_kernels_work_in_float32(name: str) -> None:
    check_float32(COMPILED[name].py_func)


def test_a_kernel_with_a_python_float_is_found() -> None:
    def halve(X: Array) -> None:
        for i in range(X.shape[0]):
            for j in range(X.shape[1]):
                X[i, j] = X[i, j] * 0.5 + np.sqrt(X[i, j] + 0.1)

    with pytest.raises(AssertionError, match="halve works in float64"):
        check_float32(halve)


def test_exp_is_exact_to_two_units_in_the_last_place() -> None:
    @compiled
    def exps(X: Array, Y: Array) -> None:
        for i in range(X.size):
            Y[i] = kernels.exp(X[i])

    X = np.concatenate([np.linspace(-86.9, 87.9, 200_001), np.linspace(-1, 1, 20_001)]).astype(np.float32)
    Y = np.empty_like(X)
    exps(X, Y)
    exact = np.exp(X.astype(np.float64))
    assert np.max(np.abs(Y - exact) / exact) < 2 * np.finfo(np.float32).eps
    X = np.array([-np.inf, -1e30, -100, 0, 1e30, np.inf, np.nan], np.float32)
    exps(X, Y)
    assert Y[:4].tolist() == [0, 0, 0, 1]
    assert np.isinf(Y[4:6]).all()
    assert np.isnan(Y[6])


# The update rules


def flat(n: int, seed: int, dtype: type[np.floating[Any]] = np.float32) -> list[Array]:
    weights, gradient, m, v = np.random.default_rng(seed).normal(size=(4, n)).astype(dtype)
    return [weights, gradient, m, np.square(v)]


MEANS = Means(0.9, 0.1, 0.999, 0.001)
UPDATES: dict[str, Callable[[Ops, Array, Array, Array, Array], None]] = {
    "adam": lambda ops, w, g, m, v: ops.adam(w, g, m, v, MEANS, eps=1e-8, rate=0.01, shrink=0.001),
    "momentum": lambda ops, w, g, m, v: ops.momentum(w, g, m, v, MEANS, rate=0.01),
    "lion": lambda ops, w, g, m, v: ops.lion(w, g, m, MEANS, rate=0.01, shrink=0.001),
    "rmsprop": lambda ops, w, g, m, v: ops.rmsprop(w, g, v, beta2=0.99, gain2=0.01, eps=1e-8, rate=0.01),
    "adagrad": lambda ops, w, g, m, v: ops.adagrad(w, g, v, eps=1e-10, rate=0.01),
    "add_scaled": lambda ops, w, g, m, v: ops.add_scaled(w, g, scale=-0.3),
    "average": lambda ops, w, g, m, v: ops.average(w, g, decay=0.97),
}


def check_same_bits(update: Callable[..., None], dtype: type[np.floating[Any]] = np.float32) -> None:
    for n in (0, 1, 7, 20_011):
        plain, compiled = flat(n, 0, dtype), flat(n, 0, dtype)
        gradient = plain[1].copy()
        for _ in range(3):
            plain[1][...] = compiled[1][...] = gradient
            update(Ops(), *plain)
            update(NumbaOps(), *compiled)
        for wanted, found in zip(plain, compiled, strict=True):
            assert found.tobytes() == wanted.tobytes(), "the bits differ from numpy's"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", UPDATES)
def test_update_rules_have_numpys_bits(name: str, dtype: type[np.floating[Any]]) -> None:
    check_same_bits(UPDATES[name], dtype)


def test_an_update_of_another_rounding_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def average(averages: Array, weights: Array, rate: Any) -> None:
        averages[...] = averages * (F(1) - rate) + weights * rate

    monkeypatch.setattr(update_kernels, "average", average)
    with pytest.raises(AssertionError, match="the bits differ"):
        check_same_bits(UPDATES["average"])


@pytest.mark.parametrize("ops", [Ops(), NumbaOps()], ids=lambda ops: ops.name)
def test_an_update_allocates_nothing_of_the_arrays_size(ops: Ops) -> None:
    import tracemalloc

    arrays = flat(400_000, 0)
    for update in UPDATES.values():
        update(ops, *arrays)
    tracemalloc.start()
    for update in UPDATES.values():
        update(ops, *arrays)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < arrays[0].nbytes / 4


def test_arrays_that_no_kernel_takes_go_to_numpy() -> None:
    strided = [np.repeat(array, 2)[::2] for array in flat(100, 0)]
    expected = flat(100, 0)
    UPDATES["adam"](NumbaOps(), *strided)
    UPDATES["adam"](Ops(), *expected)
    for wanted, found in zip(expected, strided, strict=True):
        np.testing.assert_array_equal(found, wanted)


# Cross-entropy of logits


def logits_and_classes(dtype: type[np.floating[Any]] = np.float32) -> Iterator[tuple[Array, Array]]:
    rng = np.random.default_rng(0)
    for n_rows, n in ((0, 3), (1, 1), (5, 2), (7, 10), (128, 37)):
        for scale in (1.0, 30.0, 1e30):
            yield (rng.normal(size=(n_rows, n)) * scale).astype(dtype), rng.integers(0, n, n_rows)


def check_crossentropy(ops: Ops) -> None:
    for X, classes in logits_and_classes():
        dX, nats = ops.crossentropy(X, classes)
        exact_dX, exact_nats = Ops().crossentropy(X.astype(np.float64), classes) if X.size else (X, np.zeros(0))
        np.testing.assert_allclose(dX, exact_dX, atol=3e-7)
        np.testing.assert_allclose(nats, exact_nats, rtol=1e-6, atol=1e-7)
        assert (dX.dtype, nats.dtype) == (np.float32, np.float64)


def test_crossentropy_of_logits_is_that_of_float64() -> None:
    check_crossentropy(NumbaOps())


def test_a_crossentropy_without_the_truth_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NumbaOps, "crossentropy", staticmethod(lambda X, y: (X * 0, np.zeros(len(X)))))
    with pytest.raises(AssertionError):
        check_crossentropy(NumbaOps())


@pytest.mark.parametrize("ops", [Ops(), NumbaOps()], ids=lambda ops: ops.name)
def test_a_small_crossentropy_by_hand(ops: Ops) -> None:
    X = np.array([[0, 0], [0, -60], [-np.inf, 1], [np.nan, 0]], F)
    with np.errstate(invalid="ignore"):
        dX, nats = ops.crossentropy(X, np.array([1, 0, 1, 0]))
    assert dX[:3].tolist() == [[0.5, -0.5], [0, pytest.approx(np.exp(-60), rel=1e-5)], [0, 0]]
    assert nats[0] == pytest.approx(np.log(2))
    assert nats[1] == pytest.approx(np.log1p(np.exp(-60.0)), abs=1e-16)
    assert np.isnan(dX[3]).all()
    assert np.isnan(nats[3])
    with np.errstate(invalid="ignore"):
        assert np.isnan(ops.crossentropy(np.array([[np.inf, 0]], F), np.array([1]))[1]).all()


def test_a_class_that_the_logits_have_not_touches_no_memory() -> None:
    for classes in ([0, 3], [0, -1]):
        with pytest.raises(IndexError):
            NumbaOps().crossentropy(np.zeros((2, 3), F), np.array(classes))
