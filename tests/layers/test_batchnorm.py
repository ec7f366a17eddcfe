from __future__ import annotations

import numpy as np
import pytest

from trainer_cli.arrays import Ragged
from trainer_cli.errors import MissingError, ModelFileError, ShapeError
from trainer_cli.layers import BatchNorm, Linear, chain
from trainer_cli.model import Model

RNG = np.random.default_rng(8)
IMAGES = RNG.normal(3, 2, size=(6, 4, 5, 3))
AXES = (0, 1, 2)


def made(**arguments: float) -> Model:
    return BatchNorm(**arguments).initialize(IMAGES, dtype=np.float64)  # type: ignore[arg-type]


def updated(model: Model) -> Model:
    model.begin_update(IMAGES)
    model.finish_update(lambda key, weights, gradient: (weights, gradient))
    return model


def test_training_takes_the_statistics_of_the_batch() -> None:
    Y, _ = made().begin_update(IMAGES)
    expected = (IMAGES - IMAGES.mean(AXES)) / np.sqrt(IMAGES.var(AXES) + 1e-5)
    np.testing.assert_allclose(Y, expected, atol=1e-12)


def test_the_buffers_follow_the_batches_with_the_variance_that_expects_it() -> None:
    model = updated(updated(made(momentum=0.8)))
    kept = 0.8**2
    np.testing.assert_allclose(model.get_buffer("mean"), (1 - kept) * IMAGES.mean(AXES))
    np.testing.assert_allclose(model.get_buffer("variance"), kept + (1 - kept) * IMAGES.var(AXES, ddof=1))


def test_predictions_take_the_buffers_as_the_last_update_left_them() -> None:
    model = made()
    model.begin_update(IMAGES)
    np.testing.assert_allclose(model.predict(IMAGES), IMAGES / np.sqrt(1 + 1e-5), err_msg="before the update")
    updated(model)
    mean, variance = model.get_buffer("mean"), model.get_buffer("variance")
    np.testing.assert_allclose(model.predict(IMAGES), (IMAGES - mean) / np.sqrt(variance + 1e-5))
    assert abs(model.predict(IMAGES) - IMAGES).max() > 0.1


def test_a_single_number_has_no_variance_and_is_taken_as_in_a_prediction() -> None:
    model = updated(made())
    before = {name: model.get_buffer(name).copy() for name in ("mean", "variance")}
    X, dY = IMAGES[:1, 0, 0], np.array([[1.0, -2.0, 3.0]])
    Y, backprop = model.begin_update(X)
    np.testing.assert_array_equal(Y, model.predict(X))
    np.testing.assert_allclose(backprop(dY), dY * model.G / np.sqrt(before["variance"] + 1e-5))
    np.testing.assert_allclose(model.grad.G, (dY * (X - before["mean"]) / np.sqrt(before["variance"] + 1e-5))[0])
    model.finish_update(lambda key, weights, gradient: (weights, gradient))
    for name, buffer in before.items():
        np.testing.assert_array_equal(model.get_buffer(name), buffer)


def test_a_last_batch_of_one_row_leaves_the_running_variance_right() -> None:
    X = RNG.normal(size=(65, 2)) * 3
    model = BatchNorm().initialize(X, dtype=np.float64)
    for _ in range(60):
        for rows in (X[:64], X[64:]):
            model.begin_update(rows)
            model.finish_update(lambda key, weights, gradient: (weights, gradient))
    np.testing.assert_allclose(model.get_buffer("variance"), X[:64].var(axis=0, ddof=1), rtol=0.01)


def test_ragged_rows_are_one_batch() -> None:
    rows = IMAGES.reshape(-1, 3)
    model = made()
    Y, _ = model.begin_update(Ragged(rows, np.array([100, 0, 20])))
    np.testing.assert_array_equal(Y.data, model.begin_update(rows)[0])


def test_a_large_batch_loses_few_digits() -> None:
    X = RNG.normal(100, 1, size=(64, 32, 32, 2)).astype(np.float32)
    Y, _ = BatchNorm().initialize(X).begin_update(X)
    exact = X.astype(np.float64)
    np.testing.assert_allclose(Y, (exact - exact.mean(AXES)) / np.sqrt(exact.var(AXES) + 1e-5), atol=1e-4)


# Buffers


def test_buffers_are_kept_with_the_parameters() -> None:
    model, other = updated(made()), made()
    other.from_bytes(model.to_bytes())
    np.testing.assert_array_equal(other.predict(IMAGES), model.predict(IMAGES))
    np.testing.assert_array_equal(other.fresh_buffer("mean"), model.get_buffer("mean"))
    assert set(model.store.learnt()) == {"G", "b", "mean", "variance"}


def test_buffers_are_outside_of_the_optimizer() -> None:
    model = made()
    assert model.store.values.size == 6
    assert {segment.name for segment in model.store.segments} == {"G", "b"}


def test_a_copy_has_buffers_of_its_own() -> None:
    model = updated(made())
    twin, before = model.copy(), model.predict(IMAGES)
    updated(twin)
    np.testing.assert_array_equal(model.predict(IMAGES), before)
    assert abs(twin.predict(IMAGES) - before).max() > 0.1


def test_nesting_keeps_buffers() -> None:
    inner = updated(made())
    before = inner.predict(IMAGES)
    outer = chain(inner.named("norm"), BatchNorm(3).initialize(IMAGES).named("second"))
    assert {"norm.mean", "second.variance"} <= set(outer.store.learnt())
    np.testing.assert_allclose(inner.predict(IMAGES), before, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mean": None}, "mean: is missing"),
        ({"other": np.zeros(3)}, "other: belongs to no layer of this model"),
        ({"mean": np.zeros(4)}, r"mean: has shape \(4,\), the model needs \(3,\)"),
    ],
)
def test_buffers_of_another_model_are_refused(change: dict[str, np.ndarray], message: str) -> None:
    model = made()
    arrays = {name: value for name, value in (model.store.learnt() | change).items() if value is not None}
    with pytest.raises(ModelFileError, match=f"^{message}$"):
        model.store.load_learnt(arrays)


def test_buffers_that_are_not_there_are_told() -> None:
    model = made()
    with pytest.raises(MissingError, match=r"has no buffer 'median'; its buffers are \['mean', 'variance'\]"):
        model.set_buffer("median", np.zeros(3))
    with pytest.raises(MissingError, match="the buffer 'mean' is not set yet: call initialize first"):
        BatchNorm().get_buffer("mean")
    with pytest.raises(ShapeError, match=r"mean: has shape \(3,\), got \(2,\)"):
        model.set_buffer("mean", np.zeros(2))


def test_a_layer_without_buffers_has_none() -> None:
    assert len(Linear(2).initialize(IMAGES[:, 0, 0]).store.buffers) == 0
