"""What layers refuse, each in one sentence that names the layer, the value and the remedy."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

from trainer_cli.arrays import Ragged
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.layers import (
    ClippedLinear,
    Flatten,
    LayerNorm,
    Linear,
    Maxout,
    Relu,
    ReluK,
    Softmax_v2,
    add,
    chain,
    clone,
    concatenate,
    residual,
    sigmoid_activation,
    softmax_activation,
)
from trainer_cli.model import Model

ROWS = np.zeros((6, 3), np.float32)
IMAGES = np.zeros((6, 8, 8, 1), np.float32)
HIDDEN = "hidden: Relu.v1 takes rows (B, nI), got "


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (IMAGES, HIDDEN + "images (B, 8, 8, 1). Put Flatten.v1 before it."),
        (np.zeros((6, 4, 2)), HIDDEN + "a 3-d array (B, 4, 2). Put Flatten.v1 before it."),
        (np.zeros(6), HIDDEN + "a 1-d array (B,). One number a row is (B, 1): X.reshape(-1, 1)."),
        (
            Ragged(np.zeros(6, np.int64), np.array([4, 2])),
            "hidden: Relu.v1 takes rows of numbers, got ragged ids. Put EmbedBag.v1 or Embed.v1 before it.",
        ),
        (
            Ragged(np.zeros((6, 2, 2)), np.array([4, 2])),
            HIDDEN + "a 3-d array (B, 2, 2). Put Flatten.v1 before it.",
        ),
        ({"age": ROWS, "text": ROWS}, HIDDEN + "2 inputs (age, text)."),
        ((ROWS, ROWS), HIDDEN + "2 inputs."),
        (np.array([["a", "b"]]), HIDDEN + "rows (B, 2) of <U1."),
        ([[1.0, 2.0]], HIDDEN + "a list."),
    ],
)
def test_a_layer_of_rows_refuses_other_inputs(X: Any, message: str) -> None:
    model = chain(Relu(4).named("hidden"), Linear(2))
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        model.initialize(X)


def test_a_gradient_that_is_not_ragged_as_the_outputs_are_is_refused() -> None:
    X = Ragged(ROWS, np.array([4, 2]))
    model = Relu(4).initialize(X)
    for dY, got in ((np.zeros((6, 4)), r"rows \(B, 4\)"), (Ragged(np.zeros((6, 4)), X.lengths[::-1]), "with other")):
        with pytest.raises(ShapeError, match=f"relu: its outputs are ragged, their gradient must be too, got {got}"):
            model(X, True)[1](dY)


def test_layernorm_refuses_images() -> None:
    with pytest.raises(ShapeError, match=r"LayerNorm.v1 takes rows \(B, nI\), got images \(B, 8, 8, 1\)"):
        LayerNorm().initialize(IMAGES)


def test_flatten_refuses_what_has_no_second_axis() -> None:
    with pytest.raises(ShapeError, match=r"^flatten: Flatten.v1 takes an array \(B, ...\), got a 1-d array \(B,\)$"):
        Flatten().initialize(np.zeros(3))


def test_flatten_makes_images_rows_that_other_layers_take() -> None:
    model = chain(Flatten(), Relu(4)).initialize(IMAGES)
    assert model.predict(IMAGES).shape == (6, 4)


@pytest.mark.parametrize(
    ("model", "X", "Y", "message"),
    [
        (Relu(4, 5), ROWS, None, "relu: Relu.v1 has nI = 5, got rows (B, 3)"),
        (Relu(4), ROWS, np.zeros((6, 2)), "relu: nO = 4 contradicts the data, which need nO = 2"),
        (LayerNorm(2), ROWS, None, "layernorm: LayerNorm.v1 has nI = 2, got rows (B, 3)"),
        (
            concatenate(Relu(2), Linear(2)),
            ROWS,
            np.zeros((6, 5)),
            "concatenate: its output is 4 wide, the targets need 5",
        ),
        (residual(Relu(4)), ROWS, None, "relu: nO = 4 contradicts the data, which need nO = 3"),
        (residual(LayerNorm()), ROWS, np.zeros((6, 2)), "residual: its output is 3 wide, the targets need 2"),
        (
            residual(Flatten()),
            IMAGES,
            None,
            "residual: residual adds its input, images (B, 8, 8, 1), to the output of flatten, rows (B, 64): "
            "they must have one shape",
        ),
        (
            add(Relu(4).named("left"), Linear(5).named("right")),
            ROWS,
            None,
            "add: add takes layers whose outputs have one shape; left gives rows (B, 4), right gives rows (B, 5)",
        ),
    ],
)
def test_sizes_that_contradict_each_other_are_both_named(model: Model, X: Any, Y: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        model.initialize(X, Y)


def test_a_size_that_nothing_tells_is_asked_for() -> None:
    with pytest.raises(ArgumentError, match=r"^relu: nO is not given and cannot be inferred here: set nO"):
        chain(Relu(), Linear(2)).initialize(ROWS)
    with pytest.raises(ArgumentError, match=r"^relu: nI is not given and cannot be inferred here"):
        Relu(3).initialize()


@pytest.mark.parametrize("size", [0, -3])
def test_a_size_below_one_is_refused(size: int) -> None:
    with pytest.raises(ArgumentError, match=f"Relu.v1: nO must be a whole number of at least 1, got {size}"):
        Relu(size)
    with pytest.raises(ArgumentError, match=f"Maxout.v1: nP must be a whole number of at least 1, got {size}"):
        Maxout(2, nP=size)
    with pytest.raises(ArgumentError, match=f"LayerNorm.v1: nI must be a whole number of at least 1, got {size}"):
        LayerNorm(size)
    with pytest.raises(ArgumentError, match=f"clone: n must be a whole number of at least 1, got {size}"):
        clone(Relu(2), size)


@pytest.mark.parametrize(
    ("layer", "arguments", "message"),
    [
        (ReluK, {"k": 0.0}, "ReluK.v1: k must be above 0, got 0.0"),
        (ReluK, {"k": math.nan}, "ReluK.v1: k must be above 0, got nan"),
        (Softmax_v2, {"temperature": 0.0}, "Softmax.v2: temperature must be above 0, got 0.0"),
        (ClippedLinear, {"slope": 0.0}, "ClippedLinear.v1: slope must not be 0: every output would be the same"),
        (
            ClippedLinear,
            {"min_val": 1.0},
            "ClippedLinear.v1: min_val must be below max_val, got 1.0 and 1.0",
        ),
    ],
)
def test_settings_that_make_no_sense_are_refused(layer: Any, arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ArgumentError, match=f"^{re.escape(message)}$"):
        layer(**arguments)


def test_an_activation_alone_takes_floats_and_a_softmax_rows_of_them() -> None:
    with pytest.raises(ShapeError, match=r"sigmoid_activation.v1 takes an array of floats, got rows \(B, 3\) of int64"):
        sigmoid_activation().initialize(ROWS.astype(np.int64))
    with pytest.raises(ShapeError, match=r"softmax_activation.v1 takes rows \(B, nI\), got images \(B, 8, 8, 1\)"):
        softmax_activation().initialize(IMAGES)
    with pytest.raises(ShapeError, match=r"softmax_activation.v1 needs one class at least, got rows \(B, 0\)"):
        softmax_activation().predict(ROWS[:, :0])


def test_an_activation_alone_takes_whole_numbers_as_floats_before_it_has_a_type() -> None:
    Y = softmax_activation().predict(np.array([[1, 1]]))
    assert (Y.dtype, Y.tolist()) == (np.float32, [[0.5, 0.5]])


def test_a_combinator_without_layers_is_refused() -> None:
    for combinator in (chain, concatenate, add):
        with pytest.raises(ArgumentError, match=f"{combinator.__name__}: needs at least one layer, got none"):
            combinator()


def test_data_of_another_width_than_in_training_are_refused() -> None:
    model = chain(Relu(4).named("hidden"), Linear(2)).initialize(ROWS)
    with pytest.raises(ShapeError, match=r"hidden: Relu.v1 has nI = 3, got rows \(B, 5\)"):
        model.predict(np.zeros((2, 5), np.float32))


def test_a_gradient_of_another_shape_than_the_outputs_is_refused() -> None:
    for layer in (Relu(4), LayerNorm()):
        Y, backprop = layer.initialize(ROWS).begin_update(ROWS)
        with pytest.raises(
            ShapeError, match=re.escape(f"its outputs are {Y.shape}, their gradient must be too, got (1, 4)")
        ):
            backprop(np.zeros((1, 4), np.float32))


def test_running_a_layer_before_initialize_says_so() -> None:
    for layer in (Relu(4), LayerNorm()):
        with pytest.raises(ArgumentError, match="is not set yet: call initialize first"):
            layer.predict(ROWS)
