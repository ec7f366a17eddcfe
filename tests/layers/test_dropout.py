"""Dropout: how much, of what, and the same again at the same moment."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.layers import Dropout, Relu, chain
from trainer_cli.model import Model
from trainer_cli.ops import Ops
from trainer_cli.randomness import Moment, generator
from trainer_cli.schedules import Schedule, warmup_linear

ONES = np.ones((64, 32), np.float32)


def at(model: Model, *, seed: int = 0, step: int = 0, micro: int = 0) -> Any:
    """The outputs for training at a moment."""
    store = model.store
    store.moment = Moment(seed, step, micro)
    store.draws.clear()
    return model(ONES, True)[0]


@pytest.mark.parametrize("rate", [0.001, 0.1, 0.5, 0.9])
def test_elements_are_dropped_at_the_rate_and_the_rest_scaled_up(rate: float) -> None:
    X = np.ones((1000, 1000), np.float32)
    Y, mask = Ops().dropout(X, rate, generator(0, "test"))
    n, dropped = Y.size, int((Y == 0).sum())
    assert abs(dropped - n * rate) < 5 * (n * rate * (1 - rate)) ** 0.5 + n / 65536
    np.testing.assert_allclose(Y[Y != 0], 1 / (1 - rate), rtol=1e-3)
    np.testing.assert_array_equal(Y, X * mask)


def test_the_expected_output_is_the_input_whatever_the_rate_is_rounded_to() -> None:
    for rate in (1e-6, 0.3, 1 / 3, 0.999999):
        mask = Ops().dropout(np.ones(4, np.float32), rate, generator(0, "test"))[1]
        n_kept = max(1, round((1 - rate) * 65536))
        assert set(mask.tolist()) <= {0.0, float(np.float32(65536 / n_kept))}


def test_both_types_drop_the_same_elements() -> None:
    single = Ops().dropout(ONES, 0.4, generator(0, "test"))[1]
    double = Ops().dropout(ONES.astype(np.float64), 0.4, generator(0, "test"))[1]
    np.testing.assert_array_equal(single == 0, double == 0)


def test_the_gradient_goes_where_the_input_went() -> None:
    model = Dropout(0.5).initialize(ONES)
    Y, backprop = model.begin_update(ONES)
    np.testing.assert_array_equal(backprop(ONES), Y)


@pytest.mark.parametrize("change", [{"seed": 1}, {"step": 1}, {"micro": 1}])
def test_the_same_moment_drops_the_same_and_any_other_does_not(change: dict[str, int]) -> None:
    model = Dropout(0.5).initialize(ONES)
    np.testing.assert_array_equal(at(model), at(model))
    assert (at(model) != at(model, **change)).mean() > 0.3


def check_layers_differ() -> None:
    first, second = Dropout(0.5), Dropout(0.5)
    model = chain(first, second).initialize(ONES)
    kept = at(model) != 0
    assert abs(kept.mean() - 0.25) < 0.05


def test_two_layers_drop_different_elements() -> None:
    check_layers_differ()


def test_a_stream_shared_by_layers_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Model, "random", lambda self, purpose: generator(0, purpose))
    with pytest.raises(AssertionError):
        check_layers_differ()


def test_a_layer_used_twice_drops_different_elements_each_time() -> None:
    layer = Dropout(0.5)
    model = chain(layer, layer).initialize(ONES)
    assert abs((at(model) != 0).mean() - 0.25) < 0.05


def test_the_path_decides_so_that_another_layer_changes_no_draw() -> None:
    alone = chain(Dropout(0.5).named("hidden")).initialize(ONES)
    among = chain(Dropout(0.0).named("first"), Dropout(0.5).named("hidden")).initialize(ONES)
    np.testing.assert_array_equal(at(alone), at(among))


def test_begin_update_goes_on_to_the_next_micro_batch() -> None:
    model = Dropout(0.5).initialize(ONES)
    first, second = model.begin_update(ONES)[0], model.begin_update(ONES)[0]
    np.testing.assert_array_equal(first, at(model, micro=0))
    np.testing.assert_array_equal(second, at(model, micro=1))


@pytest.mark.parametrize("rate", [0.0, None])
def test_no_rate_draws_nothing_and_changes_nothing(rate: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Relu(3, dropout=rate).initialize(ONES)
    monkeypatch.setattr(Model, "random", lambda *_: pytest.fail("a random number was drawn"))
    np.testing.assert_array_equal(model.begin_update(ONES)[0], model.predict(ONES))


def test_a_schedule_gives_the_rate_of_the_step() -> None:
    model = Dropout(warmup_linear(0.8, 10, 20)).initialize(ONES)
    fractions = [float((at(model, step=step) == 0).mean()) for step in (0, 5, 10, 20)]
    np.testing.assert_allclose(fractions, [0, 0.4, 0.8, 0], atol=0.05)


@pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5])
def test_a_rate_out_of_range_is_refused(rate: float) -> None:
    with pytest.raises(ArgumentError, match="dropout must be at least 0 and below 1, got"):
        Dropout(rate)
    with pytest.raises(ArgumentError, match="dropout must be at least 0 and below 1, got"):
        Relu(3, dropout=rate)
    model = Dropout(Schedule(lambda step: rate, "test")).initialize(ONES)
    with pytest.raises(ArgumentError, match="dropout must be at least 0 and below 1, got"):
        at(model)


def test_dropout_takes_floats() -> None:
    with pytest.raises(ShapeError, match=r"dropout: Dropout.v1 takes an array of floats, got rows \(B, 2\) of int64"):
        Dropout(0.1).initialize(np.zeros((3, 2), np.int64))


def test_a_mask_that_is_not_scaled_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def unscaled(X: Array, rate: float, stream: np.random.Generator) -> tuple[Array, Array]:
        mask = (stream.random(X.shape) >= rate).astype(X.dtype)
        return X * mask, mask

    monkeypatch.setattr(Ops, "dropout", staticmethod(unscaled))
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        test_elements_are_dropped_at_the_rate_and_the_rest_scaled_up(0.5)
