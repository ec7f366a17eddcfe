"""What is given in another type or memory order counts by its numbers alone."""

import numpy as np
import pytest

from trainer_cli.api import Adam, CategoricalCrossentropyV4
from trainer_cli.extras import ENGINES
from trainer_cli.registry import registry

rng = np.random.default_rng(0)
LOGITS = rng.normal(size=(6, 4))
PROBABILITIES = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
CLASSES = np.array([0, 3, 1, 2, 2, 0])
MASKS = np.eye(4)[CLASSES]
SEQUENCES = tuple(name for name in registry.losses.names() if name.startswith("Sequence"))
EVERY = [name for name in registry.losses.names() if name not in ENGINES]
# What each loss takes: guesses, and truths as floats.
INPUTS = {
    name: (LOGITS, rng.normal(size=(6, 4)))
    for name in ("CosineDistance.v1", "Huber.v1", "L2Distance.v1", "MeanSquaredError.v1", "QuantileLoss.v1")
} | {"BinaryCrossentropy.v1": (LOGITS, MASKS)}


def inputs_of(name):
    return INPUTS.get(name, (PROBABILITIES, MASKS))


def call(name, guesses, truths):
    loss = registry.losses.get(name)()
    return loss([guesses], [truths]) if name in SEQUENCES else loss(guesses, truths)


def transposed(array):
    """The same numbers, each row spread over the memory."""
    return np.asfortranarray(array)


def strided(array):
    """The same numbers, every second one of a larger array."""
    wide = np.full((2 * len(array), 3 * array.shape[1]), 7, array.dtype)
    wide[::2, ::3] = array
    return wide[::2, ::3]


@pytest.mark.parametrize("layout", [transposed, strided])
@pytest.mark.parametrize("name", EVERY)
def test_the_layout_of_an_array_changes_no_bit_of_a_loss(name, layout):
    guesses, truths = (array.astype(np.float32) for array in inputs_of(name))
    expected_grad, expected = call(name, guesses, truths)
    assert not layout(guesses).flags.c_contiguous
    grad, value = call(name, layout(guesses), layout(truths))
    assert value == expected
    np.testing.assert_array_equal(np.asarray(grad), np.asarray(expected_grad))


@pytest.mark.parametrize("name", EVERY)
def test_truths_of_any_type_count_by_their_numbers(name):
    guesses, truths = inputs_of(name)[0].astype(np.float32), np.round(inputs_of(name)[1])
    _, expected = call(name, guesses, truths.astype(np.float32))
    for dtype in (np.float64, np.int64, np.int8):
        grad, value = call(name, guesses, truths.astype(dtype))
        assert value == expected
        assert np.asarray(grad).dtype == np.float32


@pytest.mark.parametrize("name", EVERY)
def test_guesses_in_float64_give_the_gradient_in_float64(name):
    guesses, truths = inputs_of(name)
    grad, value = call(name, guesses, truths)
    grad32, value32 = call(name, guesses.astype(np.float32), truths.astype(np.float32))
    assert (np.asarray(grad).dtype, np.asarray(grad32).dtype) == (np.float64, np.float32)
    assert value == pytest.approx(value32, rel=1e-5)
    np.testing.assert_allclose(np.asarray(grad), np.asarray(grad32), atol=1e-5)


def test_class_numbers_may_be_of_any_integer_type():
    expected = CategoricalCrossentropyV4()(PROBABILITIES, CLASSES)[1]
    for dtype in (np.int8, np.uint8, np.int32, np.uint64):
        assert CategoricalCrossentropyV4()(PROBABILITIES, CLASSES.astype(dtype))[1] == expected
    assert CategoricalCrossentropyV4()(PROBABILITIES, CLASSES.tolist())[1] == expected


@pytest.mark.parametrize("layout", [transposed, strided])
@pytest.mark.parametrize("name", [name for name in registry.optimizers.names() if name not in ENGINES])
def test_the_layout_of_weights_and_gradient_changes_no_bit_of_an_update(name, layout):
    weights, gradient = LOGITS.astype(np.float32), PROBABILITIES.astype(np.float32)
    rule, other = (registry.optimizers.get(name)(learn_rate=0.1) for _ in range(2))
    expected, found = weights.copy(), layout(weights.copy())
    for _ in range(3):
        expected, _ = rule((1, "W"), expected, gradient.copy())
        found, _ = other((1, "W"), found, layout(gradient.copy()))
    np.testing.assert_array_equal(found, expected)


def test_a_gradient_of_integers_is_one_of_floats():
    weights, gradient = LOGITS.astype(np.float32), (10 * LOGITS).round()
    expected, _ = Adam(0.1)((1, "W"), weights.copy(), gradient.astype(np.float32))
    for dtype in (np.float64, np.int64):
        found, _ = Adam(0.1)((1, "W"), weights.copy(), gradient.astype(dtype))
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, expected)
