from __future__ import annotations

import importlib
import math
import re
import tracemalloc
from typing import Any

import numpy as np
import pytest

from trainer_cli.arrays import Array, Ragged
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.layers import Conv1D, Conv2D, MaxPool2D, chain
from trainer_cli.model import Model
from trainer_cli.ops import Ops, convolution
from trainer_cli.ops.convolution import Windows, fitted
from trainer_cli.ops.numba_ops import NumbaOps
from trainer_cli.ops.workers import Workers

conv1d = importlib.import_module("trainer_cli.layers.conv1d")
RNG = np.random.default_rng(3)
IMAGES = RNG.normal(size=(3, 6, 7, 2))
ROWS = Ragged(RNG.normal(size=(11, 2)), np.array([4, 0, 1, 6]))


def by_loops(model: Model, X: Array, k: int, stride: int, padding: str) -> Array:
    """The definition of a convolution, a number at a time."""
    B, H, W, _ = X.shape
    if padding == "same":
        Ho, Wo = -(-H // stride), -(-W // stride)
        before = [max(0, (n - 1) * stride + k - size) // 2 for n, size in ((Ho, H), (Wo, W))]
    else:
        Ho, Wo, before = (H - k) // stride + 1, (W - k) // stride + 1, [0, 0]
    Y = np.zeros((B, Ho, Wo, len(model.b))) + model.b
    for n, y, x, i, j in np.ndindex(B, Ho, Wo, k, k):
        row, column = y * stride + i - before[0], x * stride + j - before[1]
        if 0 <= row < H and 0 <= column < W:
            Y[n, y, x] += model.W[:, i, j] @ X[n, row, column]
    return Y


def made(model: Model, X: Any, dtype: Any = np.float64) -> Model:
    model.initialize(X, dtype=dtype)
    model.store.values[...] = np.random.default_rng(1).normal(size=model.store.values.size)
    return model


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("k", "stride"), [(1, 1), (2, 1), (3, 1), (3, 2), (2, 3), (5, 2), (1, 2)])
def test_a_convolution_is_the_sum_over_its_windows(k: int, stride: int, padding: Any) -> None:
    model = made(Conv2D(3, kernel_size=k, stride=stride, padding=padding), IMAGES)
    np.testing.assert_allclose(model.predict(IMAGES), by_loops(model, IMAGES, k, stride, padding), atol=1e-12)


def test_a_window_read_backwards_is_found() -> None:
    model = made(Conv2D(3), IMAGES)
    wrong = by_loops(model, IMAGES[:, ::-1], 3, 1, "same")[:, ::-1]
    assert abs(model.predict(IMAGES) - wrong).max() > 0.1


def test_relu_is_the_positive_part() -> None:
    linear, positive = made(Conv2D(3), IMAGES), made(Conv2D(3, activation="relu"), IMAGES)
    np.testing.assert_array_equal(positive.predict(IMAGES), np.maximum(linear.predict(IMAGES), 0))


def test_weights_are_drawn_as_those_of_a_matrix_of_windows() -> None:
    model = Conv2D(200, kernel_size=5).initialize(np.zeros((1, 8, 8, 20), np.float32))
    assert model.W.shape == (200, 5, 5, 20)
    assert math.isclose(model.W.std(), math.sqrt(2 / (5 * 5 * 20)), rel_tol=0.01)
    assert not model.b.any()


@pytest.mark.parametrize("ops", [Ops(), NumbaOps()], ids=lambda ops: ops.name)
@pytest.mark.parametrize("stride", [1, 2])
def test_the_number_of_threads_changes_no_bit(stride: int, ops: Ops) -> None:
    X = RNG.normal(size=(41, 12, 12, 3)).astype(np.float32)
    model = chain(Conv2D(8, activation="relu"), Conv2D(4, stride=stride), MaxPool2D()).use_ops(ops).initialize(X)
    one, three = (of_threads(model, X, n_threads) for n_threads in (1, 3))
    for wanted, found in zip(one, three, strict=True):
        np.testing.assert_array_equal(found, wanted)


def of_threads(model: Model, X: Array, n_threads: int) -> tuple[Array, Array, Array]:
    model.ops.workers = Workers(n_threads)
    model.store.gradients.fill(0)
    Y, backprop = model.begin_update(X)
    dX = backprop(np.cos(Y))
    return Y, dX, model.store.gradients.copy()


def test_sums_in_the_order_of_arrival_would_be_found() -> None:
    parts = np.random.default_rng(0).normal(size=(16, 400)).astype(np.float32)
    assert (parts.sum(axis=0, dtype=np.float32) != parts[::-1].sum(axis=0, dtype=np.float32)).any()


# Sequences


def test_a_sequence_is_an_image_of_one_row() -> None:
    X = IMAGES[:, 0]
    sequence, image = (
        made(Conv1D(3), X),
        Conv2D(3, kernel_size=3).initialize(X[:, None], dtype=np.float64),
    )
    image.set_param("W", np.zeros((3, 3, 3, 2)))
    image.W[:, 1] = sequence.W
    image.set_param("b", sequence.b)
    np.testing.assert_allclose(sequence.predict(X), image.predict(X[:, None])[:, 0], atol=1e-12)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("k", "stride"), [(1, 1), (3, 1), (2, 1), (4, 2), (3, 3)])
def test_each_ragged_row_is_a_sequence_for_itself(k: int, stride: int, padding: Any) -> None:
    model = made(Conv1D(3, kernel_size=k, stride=stride, padding=padding), ROWS)
    Y, backprop = model.begin_update(ROWS)
    dY = Ragged(RNG.normal(size=Y.data.shape), Y.lengths)
    dX = backprop(dY)
    gradient = model.store.gradients.copy()
    model.store.gradients.fill(0)
    starts, ends = ROWS.starts(), Y.starts()
    for row, length in enumerate(ROWS.lengths):
        X, dy = ROWS.data[starts[row] : starts[row + 1]], dY.data[ends[row] : ends[row + 1]]
        n = -(-length // stride) if padding == "same" else max(0, (length - k) // stride + 1)
        assert Y.lengths[row] == n
        if n:
            y, back = model.begin_update(X[None])
            np.testing.assert_allclose(Y.data[ends[row] : ends[row + 1]], y[0], atol=1e-12)
            np.testing.assert_allclose(dX.data[starts[row] : starts[row + 1]], back(dy[None])[0], atol=1e-12)
        elif length:
            assert not dX.data[starts[row] : starts[row + 1]].any()
    np.testing.assert_allclose(gradient, model.store.gradients, atol=1e-12)


@pytest.mark.parametrize("cache_bytes", [1, 100, 400])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("k", "stride"), [(1, 1), (3, 1), (5, 1), (4, 2), (3, 3), (2, 3), (5, 3)])
def test_rows_that_are_cut_into_pieces_are_whole(
    monkeypatch: pytest.MonkeyPatch, k: int, stride: int, padding: Any, cache_bytes: int
) -> None:
    for module in (conv1d, convolution):
        monkeypatch.setattr(module, "CACHE_BYTES", cache_bytes)
    test_each_ragged_row_is_a_sequence_for_itself(k, stride, padding)


@pytest.mark.parametrize("ops", [Ops(), NumbaOps()], ids=lambda ops: ops.name)
def test_the_number_of_threads_changes_no_bit_of_ragged_rows(monkeypatch: pytest.MonkeyPatch, ops: Ops) -> None:
    for module in (conv1d, convolution):
        monkeypatch.setattr(module, "CACHE_BYTES", 2000)
    lengths = RNG.integers(0, 30, size=60)
    X = Ragged(RNG.normal(size=(lengths.sum(), 3)).astype(np.float32), lengths)
    model = Conv1D(8, kernel_size=4, activation="relu").use_ops(ops).initialize(X)
    found = []
    for n_threads in (1, 3):
        model.ops.workers = Workers(n_threads)
        model.store.gradients.fill(0)
        Y, backprop = model.begin_update(X)
        dX = backprop(Y.like(np.cos(Y.data)))
        found.append((Y.data, dX.data, model.store.gradients.copy()))
    for wanted, again in zip(*found, strict=True):
        np.testing.assert_array_equal(again, wanted)


@pytest.mark.parametrize("stride", [1, 3])
def test_ragged_rows_take_little_more_memory_than_their_data(stride: int) -> None:
    X = Ragged(RNG.normal(size=(20_000, 16)).astype(np.float32), np.full(100, 200))
    model = Conv1D(16, kernel_size=15, stride=stride).use_ops(Ops()).initialize(X)
    tracemalloc.start()
    Y, backprop = model.begin_update(X)
    backprop(Y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 9 * X.data.nbytes  # all windows at once are 15 times the data, and twice that on the way back


def test_rows_that_see_their_neighbours_would_be_found() -> None:
    model = made(Conv1D(3), ROWS)
    assert abs(model.predict(ROWS).data - model.predict(ROWS.data[None])[0]).max() > 0.1


def test_ragged_rows_that_are_all_empty_go_through() -> None:
    model = made(Conv1D(3), ROWS)
    Y, backprop = model.begin_update(Ragged(np.zeros((0, 2)), np.array([0, 0])))
    assert (Y.data.shape, backprop(Y).data.shape) == ((0, 3), (0, 2))


# Where windows lie


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "before", "n"),
    [
        (28, 3, 1, "same", 1, 28),
        (28, 2, 1, "same", 0, 28),
        (7, 3, 2, "same", 1, 4),
        (8, 3, 2, "same", 0, 4),
        (5, 2, 4, "same", 0, 2),
        (8, 3, 1, "valid", 0, 6),
        (8, 3, 2, "valid", 0, 3),
        (2, 3, 1, "valid", 0, 0),
    ],
)
def test_windows_are_as_many_as_the_padding_says(
    size: int, kernel: int, stride: int, padding: Any, before: int, n: int
) -> None:
    found = fitted((size, size), (kernel, kernel), stride, padding)
    assert found == Windows((kernel, kernel), stride, (before, before), (n, n))


# What is refused


@pytest.mark.parametrize(
    ("model", "X", "message"),
    [
        (Conv2D(3), IMAGES[..., 0], "conv2d: Conv2D.v1 takes images (B, H, W, C), got a 3-d array (B, 6, 7). "
         "A grey image has one channel: X[..., None]."),
        (Conv2D(3), ROWS, "conv2d: Conv2D.v1 takes images (B, H, W, C), got ragged rows (B, 2)."),
        (Conv2D(3, nI=1), IMAGES, "conv2d: Conv2D.v1 has nI = 1, got images (B, 6, 7, 2)"),
        (Conv2D(3, kernel_size=7, padding="valid"), IMAGES,
         "conv2d: Conv2D.v1 has a window of 7, too large for a size of 6 x 7"),
        (Conv1D(3), IMAGES, "conv1d: Conv1D.v1 takes sequences (B, T, C) or ragged rows, got images (B, 6, 7, 2)"),
        (Conv1D(3, kernel_size=7, padding="valid"), IMAGES[:, 0, :5],
         "conv1d: Conv1D.v1 has a window of 7, too large for a size of 5"),
        (Conv1D(3, nI=1), ROWS, "conv1d: Conv1D.v1 has nI = 1, got rows (B, 2)"),
        (Conv1D(3), Ragged(np.zeros(3), np.array([3])),
         "conv1d: Conv1D.v1 takes ragged rows (sum, C), got data a 1-d array (B,)"),
    ],
)  # fmt: skip
def test_inputs_of_another_kind_are_refused(model: Model, X: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        model.initialize(X)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kernel_size": 0}, "Conv2D.v1: kernel_size must be a whole number of at least 1, got 0"),
        ({"stride": 0}, "Conv2D.v1: stride must be a whole number of at least 1, got 0"),
        ({"padding": "full"}, "Conv2D.v1: padding is 'same' or 'valid', got 'full'"),
        ({"activation": "gelu"}, "Conv2D.v1: activation is 'linear' or 'relu', got 'gelu'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=f"^{re.escape(message)}$"):
        Conv2D(3, **arguments)
