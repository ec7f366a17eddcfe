from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.initializers import uniform_init
from trainer_cli.layers import AvgPool2D, GlobalAvgPool, MaxPool2D, augment, chain, image_cnn
from trainer_cli.model import Model
from trainer_cli.ops import Ops
from trainer_cli.ops.numba_ops import NumbaOps

SQUARE = np.arange(25, dtype=np.float32).reshape(1, 5, 5, 1)
IMAGES = np.random.default_rng(2).normal(size=(60, 4, 5, 2)).astype(np.float32)


# Pooling


def test_pools_take_the_windows_that_lie_within() -> None:
    assert MaxPool2D().initialize(SQUARE).predict(SQUARE)[0, :, :, 0].tolist() == [[6, 8], [16, 18]]
    assert AvgPool2D().initialize(SQUARE).predict(SQUARE)[0, :, :, 0].tolist() == [[3, 5], [13, 15]]
    assert MaxPool2D(3, 1).initialize(SQUARE).predict(SQUARE).shape == (1, 3, 3, 1)
    assert GlobalAvgPool().initialize(SQUARE).predict(SQUARE).tolist() == [[12.0]]


@pytest.mark.parametrize("ops", [Ops(), NumbaOps()], ids=lambda ops: ops.name)
def test_the_first_of_equal_pixels_gets_the_gradient(ops: Ops) -> None:
    X = np.float32([[[[1], [3]], [[3], [3]]]])
    _, backprop = MaxPool2D().use_ops(ops).initialize(X).begin_update(X)
    assert backprop(np.float32([[[[5]]]]))[0, :, :, 0].tolist() == [[0, 5], [0, 0]]


@pytest.mark.parametrize("ops", [Ops(), NumbaOps()], ids=lambda ops: ops.name)
def test_a_maximum_passes_nan_on(ops: Ops) -> None:
    for place in range(4):
        X = np.ones((1, 2, 2, 1), np.float32)
        X.reshape(-1)[place] = np.nan
        assert np.isnan(MaxPool2D().use_ops(ops).initialize(X).predict(X)).all()


# Augmentation


def seen(model: Model, X: Array, step: int) -> Array:
    model.store.moment = replace(model.store.moment, step=step, micro=0)
    Y: Array = model.begin_update(X)[0]
    return Y


def test_each_image_is_one_of_its_shifts_and_mirror_images() -> None:
    model = augment(flip=True, shift=1).initialize(IMAGES)
    padded = np.pad(IMAGES, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    cuts = {(y, x): padded[:, y : y + 4, x : x + 5] for y in range(3) for x in range(3)}
    found = set()
    for image, Y in enumerate(seen(model, IMAGES, 0)):
        for place, cut in cuts.items():
            found |= {(*place, 0)} if (cut[image] == Y).all() else set()
            found |= {(*place, 1)} if (cut[image, :, ::-1] == Y).all() else set()
    assert len(found) == 18, "60 images show every shift in both directions, and all of them are one of these"


def test_augmentation_is_a_function_of_the_moment_and_for_training_alone() -> None:
    model = chain(augment(flip=True)).initialize(IMAGES)
    first = seen(model, IMAGES, 7)
    np.testing.assert_array_equal(seen(model, IMAGES, 7), first)
    assert (seen(model, IMAGES, 8) != first).any()
    np.testing.assert_array_equal(model.predict(IMAGES), IMAGES)


def test_an_augmentation_that_changes_nothing_is_refused() -> None:
    for arguments, message in (
        ({}, "augment.v1: changes nothing: set flip = true, or shift to a number of pixels"),
        ({"shift": 1.5}, "augment.v1: shift must be a whole number, got 1.5"),
        ({"flip": "no"}, "augment.v1: flip must be True or False, got 'no'"),
    ):
        with pytest.raises(ArgumentError, match=f"^{re.escape(message)}$"):
            augment(**arguments)  # type: ignore[arg-type]


# The ready-made model


def test_a_ready_made_model_has_readable_names() -> None:
    X = np.zeros((2, 28, 28, 1), np.float32)
    model = image_cnn(width=4, depth=2, hidden=16).initialize(X, np.array([0, 9]))
    assert {segment.name: segment.shape for segment in model.store.segments} == {
        "conv1.W": (4, 3, 3, 1),
        "conv1.b": (4,),
        "conv2.W": (8, 3, 3, 4),
        "conv2.b": (8,),
        "hidden.W": (16, 7 * 7 * 8),
        "hidden.b": (16,),
        "output.W": (10, 16),
        "output.b": (10,),
    }
    assert model.predict(X).shape == (2, 10)


LAYERS = ("conv1", "conv2", "hidden", "output")


def first_numbers(model: Model) -> dict[str, Array]:
    return {f"{node.name}.{name}": node.get_param(name) for node in model.walk() for name in node.param_names}


def test_the_ready_made_model_draws_all_weights_and_all_biases_by_the_rules_given() -> None:
    X = np.zeros((2, 28, 28, 1), np.float32)
    ones, twos = (uniform_init(lo=value, hi=value) for value in (1, 2))
    model = image_cnn(4, hidden=16, nO=3, init_W=ones, init_b=twos).initialize(X)
    weights = {name: set(np.unique(array)) for name, array in first_numbers(model).items()}
    assert weights == {f"{layer}.{name}": {value} for layer in LAYERS for name, value in (("W", 1), ("b", 2))}


def test_without_rules_given_the_last_layer_and_the_biases_of_the_ready_made_model_start_at_zero() -> None:
    numbers = first_numbers(image_cnn(4, hidden=16, nO=3).initialize(np.zeros((2, 28, 28, 1), np.float32)))
    assert {name for name, array in numbers.items() if not array.any()} == {
        "output.W",
        *(f"{layer}.b" for layer in LAYERS),
    }


def test_images_that_are_too_small_for_so_many_blocks_are_refused() -> None:
    message = "pool3: MaxPool2D.v1 has windows of 2 x 2, too large for images (B, 1, 1, 12)"
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        image_cnn(3, depth=3, nO=2).initialize(np.zeros((1, 5, 5, 1), np.float32))


@pytest.mark.parametrize("layer", [MaxPool2D(), AvgPool2D(), augment(flip=True), image_cnn(nO=2)])
def test_layers_of_images_refuse_rows(layer: Any) -> None:
    with pytest.raises(ShapeError, match=r"takes images \(B, H, W, C\), got rows \(B, 3\)"):
        layer.initialize(np.zeros((2, 3), np.float32))
