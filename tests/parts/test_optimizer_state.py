"""What an optimizer remembers: read under the reference's names, moved along with a model, saved and loaded."""

import copy

import numpy as np
import pytest

from trainer_cli import tensors
from trainer_cli.api import Linear, Relu, chain, plateau, registry
from trainer_cli.errors import ArgumentError, DamagedError, ModelFileError
from trainer_cli.extras import ENGINES
from trainer_cli.optimizers import SGD, Adam, AdamW, Muon, RAdam
from trainer_cli.optimizers.memory import Memory

RATES = [0.1, 0.05, 0.02, 0.1, 0.3, 0.1]
EVERY = [registry.optimizers.get(name) for name in registry.optimizers.names() if name not in ENGINES]
X = np.arange(12, dtype=np.float32).reshape(4, 3) / 10


def model_of(seed=0):
    return chain(Relu(5).named("hidden"), Linear(2).named("output")).initialize(X, seed=seed)


def update(model, optimizer, n=1, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(n):
        model.store.gradients[...] = rng.normal(size=model.store.gradients.size)
        model.finish_update(optimizer)
        optimizer.step_schedules()


def test_state_is_read_by_key_and_by_name():
    model, optimizer = model_of(), Adam(0.1)
    update(model, optimizer, 3)
    layer = model.layers[1]
    for state in (optimizer.averages, optimizer.mom1, optimizer.mom2, optimizer.nr_update):
        assert list(state) == [(node.id, name) for node in model.layers for name in ("W", "b")]
    assert optimizer.averages["output.W"].shape == (2, 5)
    assert np.array_equal(optimizer.averages[layer.id, "W"], optimizer.averages["output.W"])
    assert optimizer.mom1[layer.id, "W"].shape == (10,)
    assert optimizer.nr_update[layer.id, "b"] == 3
    assert optimizer.nr_update["unknown"] == 0
    with pytest.raises(KeyError, match=r"'output.V' was not updated yet; known by name are \['hidden.W'"):
        optimizer.averages["output.V"]


def test_averages_can_be_switched_off():
    optimizer = Adam(0.1, use_averages=False)
    update(model_of(), optimizer)
    assert optimizer.averages is None
    assert Adam(0.1).averages == {}


def test_tensors_of_a_model_can_be_updated_one_by_one_under_their_keys():
    model, other, optimizer, single = model_of(), model_of(), Adam(0.1), Adam(0.1)
    rng = np.random.default_rng(0)
    for step in range(4):
        gradient = rng.normal(size=model.store.gradients.size).astype(np.float32)
        model.store.gradients[...] = gradient
        if step % 2:
            model.finish_update(optimizer)
        else:
            for segment in model.store.segments:
                node = next(node for node in model.walk() if node.id == segment.key[0])
                name = segment.key[1]
                optimizer(segment.key, node.get_param(name), node.get_grad(name))
        other.store.gradients[...] = gradient
        other.finish_update(single)
    assert model.store.values == pytest.approx(other.store.values, abs=1e-6)
    assert set(optimizer.nr_update.values()) == {4}


def check_moves_along(make):
    """A model is trained, then as a part of a larger one; its state goes on, that of the new layer begins."""
    inner, twin = model_of(), model_of()
    optimizer, straight = make(0.1), make(0.1)
    update(inner, optimizer, 5)
    update(twin, straight, 5)
    outer = chain(inner.named("inner"), Linear(2, 2).named("last")).initialize(X)
    twin.store.values[...] = outer.store.values[:32]
    for seed in range(4):
        gradient = np.random.default_rng(seed).normal(size=outer.store.gradients.size).astype(np.float32)
        outer.store.gradients[...] = gradient
        twin.store.gradients[...] = gradient[:32]
        outer.finish_update(optimizer)
        twin.finish_update(straight)
    assert outer.store.values[:32].tobytes() == twin.store.values.tobytes(), "the state went on"
    counts = [optimizer.nr_update[layer.id, "W"] for layer in (inner.layers[0], outer.layers[1])]
    assert counts == [9, 4]


@pytest.mark.parametrize("make", EVERY)
def test_state_moves_along_when_a_model_is_nested(make):
    check_moves_along(make)


def test_moving_check_sees_a_state_that_begins_anew(monkeypatch):
    monkeypatch.setattr(Memory, "_take_over", lambda self, state, index, segment: None)
    with pytest.raises(AssertionError, match="the state went on"):
        check_moves_along(Adam)


def test_a_copy_of_a_model_has_a_state_of_its_own():
    model, optimizer = model_of(), Adam(0.1)
    update(model, optimizer, 3)
    twin = model.copy()
    update(twin, optimizer, 1)
    assert sorted(optimizer.nr_update.values()) == [1] * 4 + [3] * 4
    with pytest.raises(KeyError, match=r"'output.W' is the name of 2 tensors"):
        optimizer.averages["output.W"]


def check_bytes(make):
    """Five updates, saved and loaded after three beside the model, equal five updates to the bit."""
    model, optimizer = model_of(), make(RATES)
    update(model, optimizer, 5, seed=1)
    again, first = model_of(), make(RATES)
    rng = np.random.default_rng(1)
    for step in range(5):
        if step == 3:
            data, parameters = first.to_bytes(), again.to_bytes()
            again, first = model_of(seed=9).from_bytes(parameters), make(RATES).from_bytes(data)
        again.store.gradients[...] = rng.normal(size=again.store.gradients.size)
        again.finish_update(first)
        first.step_schedules()
    assert again.store.values.tobytes() == model.store.values.tobytes(), "training went on as if nothing had happened"
    assert first.to_bytes() == optimizer.to_bytes(), "the state is the same"


@pytest.mark.parametrize("make", EVERY)
def test_training_goes_on_to_the_bit_after_bytes(make):
    check_bytes(make)


@pytest.mark.parametrize("group", ["position", "n_updates", "m", "v", "averages"])
def test_bytes_check_sees_what_is_left_out(monkeypatch, group):
    right = tensors.from_bytes

    def forgetful(data):
        return {name: array * (name.partition(".")[0] != group) for name, array in right(data).items()}

    monkeypatch.setattr(tensors, "from_bytes", forgetful)
    with pytest.raises(AssertionError):
        check_bytes(Adam)


def test_loaded_averages_can_be_used_before_the_first_update():
    model, optimizer = model_of(), Adam(0.1)
    update(model, optimizer, 3)
    with model.use_params(optimizer.averages):
        expected = model.predict(X)
    fresh, loaded = model_of(seed=5), Adam(0.1).from_bytes(optimizer.to_bytes())
    with fresh.use_params(loaded.averages):
        assert fresh.predict(X).tobytes() == expected.tobytes()
    assert loaded.nr_update["output.W"] == 3
    assert loaded.to_bytes() == optimizer.to_bytes()


def test_tensors_with_keys_of_their_own_are_saved_under_them():
    optimizer, keys = AdamW(0.1), ["W", (1, "W"), 3]
    for n, key in enumerate(keys):
        for _ in range(n + 1):
            optimizer(key, np.ones(n + 1, np.float32), np.ones(n + 1, np.float32))
    loaded = AdamW(0.1).from_bytes(optimizer.to_bytes())
    for n, key in enumerate(keys):
        loaded(key, np.ones(n + 1, np.float32), np.ones(n + 1, np.float32))
        assert loaded.nr_update[key] == n + 2


def test_what_cannot_be_told_apart_in_a_file_is_refused():
    optimizer = SGD(0.1)
    for model in (model_of(), model_of()):
        update(model, optimizer)
    with pytest.raises(ArgumentError, match=r"two tensors are called 'hidden.W'"):
        optimizer.to_bytes()
    optimizer = SGD(0.1)
    optimizer(object, np.ones(2, np.float32), np.ones(2, np.float32))
    with pytest.raises(ArgumentError, match="a key is text or a tuple of text and whole numbers, not <class 'object'>"):
        optimizer.to_bytes()


def test_bytes_of_another_optimizer_or_model_or_of_nothing_are_refused():
    model, optimizer = model_of(), Adam(0.1)
    update(model, optimizer)
    data = optimizer.to_bytes()
    for other in (SGD(0.1), RAdam(0.1), Muon(0.1)):
        with pytest.raises(
            ModelFileError, match=r"^this optimizer is \w+Rule with \[\] .*, the bytes are of AdamRule with"
        ):
            other.from_bytes(data)
    with pytest.raises(ModelFileError, match=r"hidden.W: this optimizer keeps m, v, not averages, m, n_updates, v"):
        Adam(0.1, use_averages=False).from_bytes(data)
    with pytest.raises(ModelFileError, match=r"AdamRule with \['learn_rate'\] following scores, .* AdamRule with \[\]"):
        Adam(plateau(0.1)).from_bytes(data)
    other, loaded = chain(Relu(4).named("hidden"), Linear(2).named("output")).initialize(X), Adam(0.1).from_bytes(data)
    with pytest.raises(ModelFileError, match=r"hidden.W: has shape \(5, 3\), not \(4, 3\)"):
        update(other, loaded)
    with pytest.raises(DamagedError):
        Adam(0.1).from_bytes(data[:-1])
    with pytest.raises(ModelFileError, match=r"are no optimizer's: they hold __moment__, hidden\.W, hidden\.b$"):
        Adam(0.1).from_bytes(model.to_bytes())


def test_what_a_schedule_remembers_of_scores_is_kept():
    def made():
        return Adam(plateau(1.0, factor=0.1, patience=1))

    optimizer = made()
    for step, score in enumerate([1.0, 0.5, 0.4]):
        optimizer.schedules["learn_rate"].observe(score, step)
        optimizer.step_schedules()
    assert optimizer.learn_rate == pytest.approx(0.01)
    assert made().from_bytes(optimizer.to_bytes()).learn_rate == optimizer.learn_rate


def test_an_optimizer_can_be_copied():
    model, optimizer = model_of(), Adam([0.1, 0.2])
    update(model, optimizer, 2)
    twin = copy.deepcopy(optimizer)
    update(model, optimizer, 2)
    assert twin.nr_update["output.W"] == 2
    assert twin.learn_rate == optimizer.learn_rate == 0.2


def test_state_that_was_loaded_is_read_by_key_before_the_next_update():
    first, weights = Adam(0.01), np.ones(3, np.float32)
    for _ in range(3):
        first((1, "W"), weights, np.ones(3, np.float32))
    second = Adam(0.01).from_bytes(first.to_bytes())
    np.testing.assert_array_equal(second.averages[1, "W"], first.averages[1, "W"])
    assert second.nr_update[1, "W"] == 3


@pytest.mark.parametrize("count", [np.asarray(-3, np.int64), np.asarray([1, 2]), np.asarray(1.5)])
def test_counts_that_are_none_are_refused(count):
    arrays = tensors.from_bytes(filled().to_bytes())
    arrays["n_updates.W"] = count
    with pytest.raises(ModelFileError, match=r"n_updates\.W: expected a whole number of at least 0"):
        Adam(0.1).from_bytes(tensors.to_bytes(arrays))


def filled():
    optimizer = Adam(0.1)
    optimizer("W", np.ones(3, np.float32), np.ones(3, np.float32))
    return optimizer


def test_damaged_bytes_change_nothing():
    optimizer = Adam(plateau(0.1))
    optimizer("W", np.ones(3, np.float32), np.ones(3, np.float32))
    arrays = tensors.from_bytes(optimizer.to_bytes())
    facts = arrays["facts"].tobytes()
    for wrong in (facts.replace(b'"cuts": []', b'"cuts": 3'), facts.replace(b'"n_worse": 0', b'"n_worse": "x"')):
        assert wrong != facts
        with pytest.raises(ModelFileError):
            optimizer.from_bytes(tensors.to_bytes({**arrays, "facts": np.frombuffer(wrong, np.uint8)}))
    for position in (-5,):
        with pytest.raises(ModelFileError):
            optimizer.from_bytes(tensors.to_bytes({**arrays, "position": np.asarray(position)}))
    assert optimizer.nr_update["W"] == 1


def test_a_rate_set_by_hand_is_forgotten_with_the_state():
    optimizer = Adam([0.1, 0.2, 0.3])
    optimizer.step_schedules()
    data = optimizer.to_bytes()
    optimizer.learn_rate = 5.0
    assert optimizer.from_bytes(data).learn_rate == 0.2


def test_a_new_schedule_takes_effect_over_a_number_set_by_hand():
    optimizer = Adam([0.1, 0.2])
    optimizer.learn_rate = 5.0
    optimizer.learn_rate = [0.3, 0.4]
    assert optimizer.learn_rate == 0.3
