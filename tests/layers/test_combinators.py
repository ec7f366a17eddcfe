"""Layers of layers: values, inferred sizes, and what becomes of parameters when models are nested, shared or copied."""

from __future__ import annotations

import importlib
import re

import numpy as np
import pytest

from trainer_cli.arrays import Array, Ragged
from trainer_cli.errors import ShapeError
from trainer_cli.layers import Dropout, Flatten, Linear, Maxout, Relu, Tanh, add, chain, clone, concatenate, residual
from trainer_cli.layers import parallel as shared
from trainer_cli.model import Model

X = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
Y = np.random.default_rng(1).normal(size=(6, 2)).astype(np.float32)


def names(model: Model) -> list[str]:
    return [segment.name for segment in model.store.segments]


def gradient(model: Model, inputs: Array = X) -> Array:
    model.store.gradients.fill(0)
    outputs, backprop = model(inputs, True)
    backprop(np.ones_like(outputs))
    return model.store.gradients.copy()


# Values


def test_chain_is_one_after_the_other() -> None:
    first, second = Relu(4), Linear(2)
    model = chain(first, second).initialize(X)
    np.testing.assert_array_equal(model.predict(X), second.predict(first.predict(X)))


def test_concatenate_is_side_by_side() -> None:
    first, second = Relu(4), Linear(2)
    model = concatenate(first, second).initialize(X)
    np.testing.assert_array_equal(model.predict(X), np.hstack([first.predict(X), second.predict(X)]))


def test_concatenate_gives_each_layer_the_input_of_its_name() -> None:
    first, second = Relu(4).named("a"), Linear(2).named("b")
    inputs = {"b": X, "a": Y}
    model = concatenate(first, second).initialize(inputs)
    np.testing.assert_array_equal(model.predict(inputs), np.hstack([first.predict(Y), second.predict(X)]))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (
            {"ages": X, "text": X},
            "but no input is called 'age'. Did you mean ages? The inputs are ages, text, the layers age, text",
        ),
        ({"age": X, "text": X, "more": X}, "but no layer is called 'more', as an input is. The inputs are age, text,"),
    ],
)
def test_an_input_without_a_layer_and_a_layer_without_an_input_are_told(inputs: dict[str, Array], message: str) -> None:
    model = concatenate(Relu(4).named("age"), Linear(2).named("text"))
    with pytest.raises(
        ShapeError, match=f"concatenate: each layer gets the input of its own name, {re.escape(message)}"
    ):
        model.initialize(inputs)


def test_two_layers_of_one_name_cannot_share_inputs_by_name() -> None:
    with pytest.raises(ShapeError, match="two layers have one name"):
        concatenate(Relu(4), Relu(2)).initialize({"relu": X})


def test_ragged_rows_of_other_lengths_are_neither_joined_nor_added() -> None:
    inputs = {"a": Ragged(X, np.array([2, 4])), "b": Ragged(X, np.array([4, 2]))}
    layers = Dropout().named("a"), Dropout().named("b")
    with pytest.raises(ShapeError, match="concatenate joins ragged rows of the same lengths, its layers give others"):
        concatenate(*layers).initialize(inputs)
    assert not shared.alike(list(inputs.values()))
    assert not shared.alike([inputs["a"], X])


def test_add_is_the_sum() -> None:
    first, second, third = Relu(4), Linear(4), Tanh(4)
    model = add(first, second, third).initialize(X)
    np.testing.assert_array_equal(model.predict(X), first.predict(X) + second.predict(X) + third.predict(X))


def test_residual_adds_its_input() -> None:
    layer = Relu(3)
    model = residual(layer).initialize(X)
    np.testing.assert_array_equal(model.predict(X), X + layer.predict(X))


def test_clone_is_a_chain_of_layers_with_parameters_of_their_own() -> None:
    model = clone(Relu(3), 3).initialize(X)
    assert names(model) == ["relu0.W", "relu0.b", "relu1.W", "relu1.b", "relu2.W", "relu2.b"]
    weights = [layer.W for layer in model.layers]
    assert not np.array_equal(weights[0], weights[1])


def check_that_add_leaves_its_layers_outputs_alone() -> None:
    """Relu keeps its outputs to tell where it was above zero, so a sum must not be written into them."""
    model = add(Relu(4).named("left"), Linear(4).named("right")).initialize(X)
    left = gradient(model)[: model.store.segments[1].stop]
    alone = model.layers[0].copy()
    np.testing.assert_array_equal(left, gradient(alone))


def test_a_sum_is_not_written_into_a_layers_outputs() -> None:
    check_that_add_leaves_its_layers_outputs_alone()


def test_a_sum_in_place_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def total(parts: list[Array]) -> Array:
        for part in parts[1:]:
            parts[0] += part
        return parts[0]

    monkeypatch.setattr(importlib.import_module("trainer_cli.layers.add"), "total", total)
    with pytest.raises(AssertionError, match="Arrays are not equal"):
        check_that_add_leaves_its_layers_outputs_alone()


def test_the_sum_of_one_part_is_the_part() -> None:
    assert shared.total([X]) is X


# Sizes


@pytest.mark.parametrize(
    ("model", "shapes"),
    [
        (chain(Relu(4), Linear()), {"relu.W": (4, 3), "linear.W": (2, 4)}),
        (chain(Relu(4), Linear(), Dropout(0.1)), {"relu.W": (4, 3), "linear.W": (2, 4)}),
        (
            chain(Relu(4), chain(Tanh(5), Linear())),
            {"relu.W": (4, 3), "chain.tanh.W": (5, 4), "chain.linear.W": (2, 5)},
        ),
        (chain(residual(Relu()), Linear()), {"residual.relu.W": (3, 3), "linear.W": (2, 3)}),
        (chain(residual(chain(Relu(7), Linear())), Linear()), {"residual.chain.linear.W": (3, 7), "linear.W": (2, 3)}),
        (chain(concatenate(Relu(4), Tanh(5)), Linear()), {"concatenate.tanh.W": (5, 3), "linear.W": (2, 9)}),
        (add(Relu(), Linear()), {"relu.W": (2, 3), "linear.W": (2, 3)}),
        (chain(Relu(4, normalize=True), Linear()), {"relu.norm.G": (4,), "linear.W": (2, 4)}),
        (Maxout(), {"W": (2, 3, 3), "b": (2, 3)}),
    ],
)
def test_sizes_left_out_are_inferred(model: Model, shapes: dict[str, tuple[int, ...]]) -> None:
    found = {segment.name: segment.shape for segment in model.initialize(X, Y).store.segments}
    assert shapes.items() <= found.items()
    assert model.predict(X).shape == Y.shape


def test_class_numbers_tell_the_number_of_classes() -> None:
    assert chain(Linear()).initialize(X, np.array([0, 4, 1, 1, 2, 0])).predict(X).shape == (6, 5)


# The store


def test_a_layer_used_twice_is_stored_once_and_its_gradients_add_up() -> None:
    layer = Linear(3)
    model = chain(layer, layer).initialize(X)
    assert [name.rpartition(".")[2] for name in names(model)] == ["W", "b"]
    W, b = layer.W, layer.b
    Z = X @ W.T + b
    ones = np.ones_like(X)
    np.testing.assert_allclose(gradient(model)[:9].reshape(3, 3), ones.T @ Z + (ones @ W).T @ X, rtol=1e-5)


def test_parameters_are_views_into_the_flat_store() -> None:
    model = chain(Relu(4), Linear(2)).initialize(X)
    model.store.values[...] = 0
    assert not model.layers[0].W.any()
    model.layers[1].b[...] = 1
    assert model.store.values[-2:].tolist() == [1, 1]


def test_nesting_packs_again_and_keeps_the_numbers() -> None:
    inner = chain(Relu(4), Linear(2).named("out")).initialize(X, seed=3)
    before = inner.predict(X)
    outer = chain(inner.named("body"), Tanh(2)).initialize(X, seed=3)
    assert names(outer)[:4] == ["body.relu.W", "body.relu.b", "body.out.W", "body.out.b"]
    inner.layers[0].W[...] = 0
    assert not outer.store.values[:12].any()
    assert not np.array_equal(inner.predict(X), before)


def test_a_model_taken_out_of_another_is_packed_alone() -> None:
    outer = chain(chain(Relu(4), Linear(2)).named("body"), Tanh(2)).initialize(X)
    inner = outer.layers[0]
    expected = inner.predict(X)
    assert names(inner) == ["relu.W", "relu.b", "linear.W", "linear.b"]
    np.testing.assert_array_equal(inner.predict(X), expected)


def check_copy_is_independent(copy: Model, model: Model) -> None:
    expected = model.predict(X)
    np.testing.assert_array_equal(copy.predict(X), expected)
    copy.store.values[...] = 0
    np.testing.assert_array_equal(model.predict(X), expected, err_msg="the original changed with its copy")


def test_a_copy_has_parameters_of_its_own() -> None:
    shared_layer = Relu(3)
    model = chain(shared_layer, shared_layer, Maxout(2, normalize=True, dropout=0.1)).initialize(X)
    copy = model.copy()
    assert names(copy) == names(model)
    assert copy.layers[0] is copy.layers[1]
    check_copy_is_independent(copy, model)


def test_a_copy_that_shares_parameters_is_found() -> None:
    model = chain(Relu(3)).initialize(X)
    with pytest.raises(AssertionError, match="the original changed with its copy"):
        check_copy_is_independent(model, model)


def test_initial_numbers_depend_on_seed_and_name_alone() -> None:
    small = chain(Relu(4).named("hidden")).initialize(X, seed=1)
    large = chain(Tanh(3).named("first"), Relu(4).named("hidden")).initialize(X, seed=1)
    np.testing.assert_array_equal(small.layers[0].W, large.layers[1].W)
    other = chain(Relu(4).named("hidden")).initialize(X, seed=2)
    assert not np.array_equal(small.layers[0].W, other.layers[0].W)


def test_a_layer_without_parameters_in_front_hides_no_gradient() -> None:
    images = X.reshape(6, 3, 1)
    model = chain(Flatten(), Linear(2)).initialize(images)
    Y, backprop = model.begin_update(images)
    assert backprop(np.ones_like(Y)).shape == images.shape
    Y, backprop = model.begin_update(images, input_gradient=False)
    assert backprop(np.ones_like(Y)) is None
