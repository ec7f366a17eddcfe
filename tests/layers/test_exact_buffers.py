"""Buffers that are no means: counts, flags and what is frozen."""

import numpy as np
import pytest

from trainer_cli.errors import ModelFileError
from trainer_cli.gradient_sum import GradientSum
from trainer_cli.model import Model

START = np.array([2**24 + 1], np.int64)  # float32 has no such number


def counting():
    """A layer that counts its passes in training, beside a mean and numbers that never change."""

    def forward(model, X, is_train):
        if is_train:
            model.fresh_buffer("count")[...] += len(X)
            model.fresh_buffer("mean")[...] = X.mean()
        return X, lambda dY: dY

    def init(model, X, Y):
        model.set_buffer("count", START)
        model.set_buffer("mean", np.zeros((), np.float32))
        model.set_constant("frozen", np.full(3, 0.1))

    return Model("counting", forward, init=init, buffers=("count", "mean", "frozen"), exact=("count", "frozen"))


def made():
    return counting().initialize(np.zeros((1, 1), np.float32))


def test_they_keep_their_type_and_every_bit():
    model = made()
    assert model.get_buffer("count").dtype == np.int64
    assert model.get_buffer("frozen").dtype == np.float64
    other = made().from_bytes(model.to_bytes())
    assert other.get_buffer("count") == START
    assert other.get_buffer("frozen").tolist() == [0.1] * 3


def test_an_update_makes_what_training_left_the_value():
    model = made()
    model.begin_update(np.ones((3, 1), np.float32))
    assert model.get_buffer("count") == START
    model.store.buffers.keep()
    assert model.get_buffer("count") == START + 3


@pytest.mark.parametrize("sizes", [[3, 2], [1, 1, 1]])
def test_of_micro_batches_the_first_one_counts(sizes):
    model, total = made(), GradientSum()
    for size in sizes:
        model.begin_update(np.full((size, 1), size, np.float32))
        total.add(model.store, size / sum(sizes))
    total.finish(model.store)
    assert model.fresh_buffer("count") == START + sizes[0]
    np.testing.assert_allclose(model.fresh_buffer("mean"), sum(n * n for n in sizes) / sum(sizes), rtol=1e-6)


def test_a_copy_has_its_own_and_one_that_is_frozen_is_one_array():
    model = made()
    twin = model.copy()
    twin.fresh_buffer("count")[...] += 1
    assert model.fresh_buffer("count") == START
    assert twin.get_buffer("frozen") is twin.fresh_buffer("frozen")
    assert twin.get_buffer("frozen") is not model.get_buffer("frozen")


def test_another_type_is_refused():
    model = made()
    arrays = model.store.learnt() | {"count": np.zeros(1, np.float32)}
    with pytest.raises(ModelFileError, match=r"^count: is float32, the model needs int64$"):
        model.store.load_learnt(arrays)
