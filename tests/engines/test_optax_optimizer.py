"""The optimizers of Optax on the model's arrays: what they do alone, and what is kept of them."""

import numpy as np
import pytest

pytest.importorskip("optax")

import jax
import optax

from trainer_cli import tensors
from trainer_cli.api import Linear, Relu, chain, warmup_linear
from trainer_cli.errors import ArgumentError, DivergedError, ModelFileError
from trainer_cli.optimizers import OptaxOptimizer
from trainer_cli.optimizers.optax_optimizer import REFUSED, is_optimizer

X = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
OLD = ("optimistic_adam",)  # which Optax itself refuses
NAMES = [name for name in dir(optax) if is_optimizer(name, getattr(optax, name)) and name not in (*REFUSED, *OLD)]
RATE = warmup_linear(0.02, 3, 30)
SETTINGS = {
    "sgd": {"momentum": 0.9, "nesterov": True},
    "adamw": {"weight_decay": 0.1, "b1": 0.8},
    "lars": {"weight_decay": 0.1},
}


def made():
    return chain(Relu(nO=4), Linear(nO=3)).initialize(X)


def step(model, optimizer):
    Y, backprop = model.begin_update(X)
    backprop(Y)
    model.finish_update(optimizer)
    optimizer.step_schedules()


def no_biases(params):
    return {name: name.endswith("W") for name in params}


@pytest.mark.parametrize("name", ["adam", "adamw", "lion", "sgd", "rmsprop", "lamb"])
def test_an_update_is_what_optax_does_with_the_rate_of_the_step(name):
    model, optimizer = made(), OptaxOptimizer(name, RATE, **SETTINGS.get(name, {}))
    store = model.store
    params = {key: np.array(array) for key, array in store.named(store.values).items()}
    masked = {"mask": no_biases} if name in ("adamw", "lion", "lamb") else {}
    plain = getattr(optax, name)(lambda count: jax.numpy.take(np.float32([RATE(n) for n in range(9)]), count),
                                 **masked, **SETTINGS.get(name, {}))  # fmt: skip
    state = plain.init(params)
    for _ in range(6):
        Y, backprop = model.begin_update(X)
        backprop(Y)
        gradients = {key: np.array(array) for key, array in store.named(store.gradients).items()}
        updates, state = plain.update(gradients, state, params)
        params = optax.apply_updates(params, updates)
        model.finish_update(optimizer)
        optimizer.step_schedules()
        for key, array in store.named(store.values).items():
            np.testing.assert_allclose(array, params[key], rtol=1e-5, atol=1e-7, err_msg=key)
    assert not store.gradients.any()


def resumed(name, forget=""):
    """Whether a run that goes on from what was kept comes to the same bits."""
    whole, first, second = made(), made(), made()
    optimizers = [OptaxOptimizer(name, RATE, **SETTINGS.get(name, {})) for _ in range(3)]
    for _ in range(6):
        step(whole, optimizers[0])
    for _ in range(3):
        step(first, optimizers[1])
    kept = tensors.from_bytes(tensors.to_bytes(optimizers[1].to_arrays(first.store)))
    for key in (key for key in kept if forget and forget in key):
        kept[key] = kept[key] * 0
    second.store.values[...] = first.store.values
    optimizers[2].from_arrays(second.store, kept, n_updates=3)
    optimizers[2].position = 3
    for _ in range(3):
        step(second, optimizers[2])
    return whole.store.values.tobytes() == second.store.values.tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_every_name_makes_one_for_a_model(name):
    optimizer, model = OptaxOptimizer(name, 0.1), made()
    optimizer.check(model.store)
    assert all(array.dtype in tensors.STORABLE for array in optimizer.to_arrays(model.store).values())


@pytest.mark.parametrize("name", ["adam", "adafactor", "sgd", "lars", "optimistic_gradient_descent"])
def test_what_is_kept_goes_on_to_the_same_bits(name):
    assert resumed(name)


def test_the_check_sees_a_moment_that_is_forgotten():
    assert not resumed("adam", forget=".mu.")


def test_the_update_is_compiled_once():
    model, optimizer = made(), OptaxOptimizer("adam", RATE)
    for _ in range(4):
        step(model, optimizer)
    assert optimizer._apply._cache_size() == 1


def test_what_is_kept_has_the_paths_of_the_state():
    model, optimizer = made(), OptaxOptimizer("adam", 0.01)
    step(model, optimizer)
    kept = optimizer.to_arrays(model.store)
    assert "optax.inner_state.0.mu.relu.W" in kept
    left = {name: array for name, array in kept.items() if "mu.relu.W" not in name}
    with pytest.raises(ModelFileError, match=r"^optax\.inner_state\.0\.mu\.relu\.W: is missing$"):
        optimizer.from_arrays(model.store, left, n_updates=1)
    with pytest.raises(ModelFileError, match=r"^optax\.inner_state\.0\.mu\.relu\.W: is float32 \(5,\), adam keeps"):
        optimizer.from_arrays(model.store, {**kept, "optax.inner_state.0.mu.relu.W": X[0]}, n_updates=1)
    with pytest.raises(ModelFileError, match="belongs to no state of adam"):
        optimizer.from_arrays(model.store, {**kept, "m.relu.W": X}, n_updates=1)


def test_a_gradient_is_clipped_and_one_that_is_not_finite_changes_nothing():
    model, optimizer = made(), OptaxOptimizer("sgd", 1.0, grad_clip=0.5)
    before = model.store.values.copy()
    Y, backprop = model.begin_update(X)
    backprop(Y * 100)
    model.finish_update(optimizer)
    np.testing.assert_allclose(np.linalg.norm(model.store.values - before), 0.5 * 4**0.5, rtol=1e-5)
    kept = model.store.values.copy()
    model.store.gradients[3] = np.inf
    with pytest.raises(DivergedError, match="the gradient of relu"):
        model.finish_update(optimizer)
    np.testing.assert_array_equal(model.store.values, kept)


WRONG = {
    "optax has no optimizer of the name 'Adamw'. Did you mean adamw?": {"name": "Adamw"},
    "the name lbfgs cannot be used: it runs the model several times": {"name": "lbfgs"},
    "optax has no optimizer of the name 'scale_by_rprop'. There are": {"name": "scale_by_rprop"},
    "adam takes no epsroot. Did you mean eps_root?": {"name": "adam", "epsroot": 0.9},
    "adam takes no grad_clp. Did you mean grad_clip?": {"name": "adam", "grad_clp": 0.9},
    "learning_rate is set by learn_rate here": {"name": "adam", "learning_rate": 0.1},
    "adam refuses this: ": {"name": "adam", "mu_dtype": "float77"},
}


@pytest.mark.parametrize("message", WRONG)
def test_wrong_settings_are_told(message):
    with pytest.raises(ArgumentError) as caught:
        OptaxOptimizer(learn_rate=0.1, **WRONG[message])
    assert message in str(caught.value)
