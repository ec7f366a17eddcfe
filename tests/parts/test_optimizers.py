import doctest
import math

import numpy as np
import pytest

from trainer_cli.api import LayerNorm, Linear, chain, registry, warmup_linear
from trainer_cli.errors import ArgumentError, DivergedError, ModelFileError, ShapeError
from trainer_cli.extras import ENGINES
from trainer_cli.ops import Ops, get_ops
from trainer_cli.optimizers import SGD, Adam, AdamW, Lion, Muon, Optimizer
from trainer_cli.optimizers import optimizer as optimizer_module
from trainer_cli.optimizers.muon import orthogonal
from trainer_cli.optimizers.rules import SGDRule

EVERY = [registry.optimizers.get(name) for name in registry.optimizers.names() if name not in ENGINES]
RATES = ("learn_rate", "beta1", "beta2", "eps", "L2", "grad_clip", "weight_decay", "momentum")


def test_adam_first_step_has_size_learn_rate():
    weights = np.zeros(3, np.float32)
    Adam(0.01, use_averages=False, grad_clip=0)("W", weights, np.array([5.0, -0.1, 1e3], np.float32))
    assert weights == pytest.approx([-0.01, 0.01, -0.01], rel=1e-4)


@pytest.mark.parametrize("make", EVERY)
def test_lr_scale_multiplies_the_step(make):
    """The first step of each optimizer is proportional to its rate (Muon's and Lion's too)."""
    moved = []
    for scale in (1.0, 0.25):
        weights = np.zeros((2, 2), np.float64)
        make(learn_rate=0.1, use_averages=False)("W", weights, np.array([[1.0, -2.0], [0.5, 3.0]]), lr_scale=scale)
        moved.append(weights)
    assert moved[0].all()
    np.testing.assert_allclose(moved[1], 0.25 * moved[0], rtol=1e-12)


def test_averages_of_a_long_run_still_move():
    """From update 89,990 on the average keeps 0.9999 of what it was, no more."""
    optimizer, weights = SGD(1.0), np.zeros(1, np.float64)
    optimizer("W", weights, np.zeros(1))
    state, index = optimizer._memory.of_tensor("W", weights)
    state.n_updates[index] = 10**7
    optimizer("W", weights, np.array([-1.0]))
    assert optimizer.averages["W"] == pytest.approx([1e-4], rel=1e-9)


def test_gradient_clipping_is_by_tensor():
    """One tensor of norm 5 is scaled to 1, its neighbour of norm 0.5 is left alone."""
    model = Linear(1, 2).initialize()
    model.store.values.fill(0)
    model.store.gradients[...] = [3.0, 4.0, 0.5]  # W, then b
    SGD(1.0, use_averages=False).update(model.store, model.ops)
    assert model.store.values == pytest.approx([-0.6, -0.8, -0.5], rel=1e-6)
    assert not model.store.gradients.any()


@pytest.mark.parametrize("name", ["numpy", "numba"])
@pytest.mark.parametrize("make", EVERY)
def test_an_update_leaves_a_gradient_of_zeros(make, name):
    assert not gradient_left(make(learn_rate=0.1), get_ops(name)).any()


def test_the_check_sees_a_rule_that_only_says_that_it_clears(monkeypatch):
    monkeypatch.setattr(SGDRule, "clears", True)
    assert gradient_left(SGD(0.1), Ops()).any()


def gradient_left(optimizer, ops):
    """The gradients of a store after two updates."""
    model = chain(Linear(3), LayerNorm()).initialize(np.ones((2, 4), np.float32))
    for _ in range(2):
        model.store.gradients[...] = np.arange(model.store.gradients.size)
        optimizer.update(model.store, ops)
    return model.store.gradients


def test_weight_decay_shrinks_by_learn_rate_times_L2():
    weights = np.full(2, 2.0, np.float32)
    SGD(0.1, L2=0.5, use_averages=False)("W", weights, np.zeros(2, np.float32))
    assert weights == pytest.approx([1.9, 1.9])


def test_averages_follow_the_formula():
    weights, optimizer, average = np.ones(1, np.float32), SGD(0.0), 0.0
    for t in range(1, 6):
        optimizer("W", weights, np.zeros(1, np.float32))
        average -= (1 - (1 + t) / (10 + t)) * (average - 1.0)
    assert optimizer.averages["W"] == pytest.approx([average], rel=1e-6)


def test_hyper_parameters_follow_their_schedules():
    def up_and_down():
        yield from [0.001, 0.01, 0.1]

    optimizer = Adam(up_and_down(), beta1=[0.5, 0.9], L2=warmup_linear(1.0, 2, 4))
    seen = []
    for _ in range(4):
        seen.append((optimizer.learn_rate, optimizer.beta1, optimizer.L2))
        optimizer.step_schedules()
    assert seen == [(0.001, 0.5, 0.0), (0.01, 0.9, 0.5), (0.1, 0.9, 1.0), (0.1, 0.9, 0.5)]


def test_a_rate_set_by_hand_holds_until_the_schedules_go_on():
    """As in the reference: a schedule draws over it, a plain number stays."""
    optimizer = Adam([0.1, 0.2, 0.3], beta1=0.8)
    optimizer.learn_rate = optimizer.beta1 = 0.5
    assert (optimizer.learn_rate, optimizer.beta1, optimizer.b1) == (0.5, 0.5, 0.5)
    optimizer.step_schedules()
    assert (optimizer.learn_rate, optimizer.beta1) == (0.2, 0.5)
    optimizer.learn_rate = [1.0, 2.0]  # read from where the optimizer is
    assert optimizer.learn_rate == 2.0
    optimizer.b2 = 0.75
    assert optimizer.beta2 == 0.75


def test_update_of_a_store_equals_that_of_its_tensors():
    model, other = (chain(Linear(4, 3), Linear(2, 4)).initialize(seed=1) for _ in range(2))
    whole, single = Adam(0.1, L2=0.01), Adam(0.1, L2=0.01)
    rng = np.random.default_rng(0)
    for _ in range(5):
        gradient = rng.normal(size=model.store.gradients.size).astype(np.float32)
        model.store.gradients[...] = gradient
        whole.update(model.store, model.ops)
        gradients = other.store.named(gradient.copy())
        for name, weights in other.store.named(other.store.values).items():
            single(name, weights, gradients[name])
    assert model.store.values == pytest.approx(other.store.values, abs=1e-6)
    assert whole.averages["linear1.W"] == pytest.approx(single.averages["linear1.W"], abs=1e-6)


@pytest.mark.parametrize("make", EVERY)
def test_state_goes_on_to_the_bit_after_a_round_trip(make):
    model = Linear(4, 3).initialize(seed=1)
    optimizer, rng = make(0.1), np.random.default_rng(0)
    for step in range(8):
        if step == 4:
            arrays = {name: array.copy() for name, array in optimizer.to_arrays(model.store).items()}
            optimizer = make(0.1)
            optimizer.from_arrays(model.store, arrays, n_updates=4)
        model.store.gradients[...] = rng.normal(size=16)
        optimizer.update(model.store, model.ops)
    straight, again, rng = make(0.1), Linear(4, 3).initialize(seed=1), np.random.default_rng(0)
    for _ in range(8):
        again.store.gradients[...] = rng.normal(size=16)
        straight.update(again.store, again.ops)
    assert model.store.values.tobytes() == again.store.values.tobytes()


def test_a_foreign_state_is_refused():
    model, other = Linear(4, 3).initialize(), Linear(4, 2).initialize()
    arrays = Adam(0.1).to_arrays(model.store)
    with pytest.raises(ModelFileError, match=r"W: has shape \(4, 3\), the model needs \(4, 2\)"):
        Adam(0.1).from_arrays(other.store, arrays, n_updates=1)
    with pytest.raises(ModelFileError, match="this optimizer keeps only averages"):
        SGD(0.1).from_arrays(model.store, arrays, n_updates=1)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("make", EVERY)
def test_a_gradient_that_is_not_finite_changes_nothing(make, bad):
    model, optimizer = Linear(4, 3).initialize(), make(0.1)
    before = model.store.values.copy(), {name: a.copy() for name, a in optimizer.to_arrays(model.store).items()}
    model.grad.b[2] = bad
    with pytest.raises(DivergedError, match="the gradient of b is not finite"):
        optimizer.update(model.store, model.ops)
    assert model.store.values.tobytes() == before[0].tobytes()
    assert all(a.tobytes() == before[1][name].tobytes() for name, a in optimizer.to_arrays(model.store).items())
    assert optimizer.state(model.store).n_updates == [0, 0]


@pytest.mark.parametrize("name", RATES)
def test_negative_and_endless_rates_are_refused(name):
    kwargs = {"learn_rate": 0.1}
    with pytest.raises(ArgumentError, match=f"{name} must be a finite number of at least 0, got -1"):
        Optimizer(**kwargs | {name: -1})
    with pytest.raises(ArgumentError, match="finite number"):
        Optimizer(**kwargs | {name: math.nan})
    optimizer = Optimizer(**kwargs)
    with pytest.raises(ArgumentError, match=f"{name} must be a finite number of at least 0, got -2"):
        setattr(optimizer, name, -2)


@pytest.mark.parametrize("name", ["beta1", "beta2", "momentum"])
def test_betas_and_momentum_are_below_one(name):
    with pytest.raises(ArgumentError, match=f"{name} must be below 1, got 1"):
        Optimizer(0.1, **{name: 1})


def test_a_schedule_that_leaves_the_range_is_told_when_it_does():
    optimizer, weights = Adam([0.1, -0.1]), np.ones(2, np.float32)
    optimizer("W", weights, np.ones(2, np.float32))
    optimizer.step_schedules()
    before = weights.copy()
    with pytest.raises(ArgumentError, match=r"learn_rate must be a finite number of at least 0, got -0\.1"):
        optimizer("W", weights, np.ones(2, np.float32))
    assert weights.tolist() == before.tolist()


@pytest.mark.parametrize("schedule", ["hello", [], (_ for _ in []), [0.1, "x"], None, {"a": 1}])
def test_what_is_no_schedule_is_refused(schedule):
    with pytest.raises(ArgumentError, match=r"^(learn_rate: )?(expected|schedule) "):
        Optimizer(schedule)


def test_an_attribute_that_does_not_exist_cannot_be_set():
    with pytest.raises(AttributeError):
        Adam().lr = 0.5


def test_weights_and_gradient_of_two_shapes_are_refused():
    with pytest.raises(ShapeError, match=r"weights \(3,\) and gradient \(4,\) must have one shape"):
        SGD(0.1)("W", np.zeros(3, np.float32), np.zeros(4, np.float32))


@pytest.mark.parametrize("weights", [[1.0], np.arange(3), np.zeros(3, np.float16), np.zeros(3, bool), 1.0], ids=repr)
def test_weights_that_cannot_be_changed_in_place_are_refused(weights):
    with pytest.raises(ArgumentError, match="the weights of 'W' are changed in place, so they are float32 or float64"):
        SGD(0.1)("W", weights, np.ones(3, np.float32))
    frozen = np.zeros(3, np.float32)
    frozen.flags.writeable = False
    with pytest.raises(ArgumentError, match="read-only: pass a copy"):
        SGD(0.1)("W", frozen, np.ones(3, np.float32))


@pytest.mark.parametrize("gradient", [[1.0], None, np.array(["a"]), np.ones(3, complex)], ids=repr)
def test_a_gradient_that_is_no_array_of_numbers_is_refused(gradient):
    with pytest.raises(ArgumentError, match="the gradient of 'W' is an array of numbers, not"):
        SGD(0.1)("W", np.zeros(3, np.float32), gradient)


def test_a_key_keeps_its_shape_and_type():
    optimizer = Adam(0.1)
    optimizer("W", np.zeros(3, np.float32), np.ones(3, np.float32))
    with pytest.raises(ShapeError, match=r"the weights of 'W' had shape \(3,\) before, now they have \(4,\)"):
        optimizer("W", np.zeros(4, np.float32), np.ones(4, np.float32))
    with pytest.raises(ArgumentError, match="the weights of 'W' were float32 before, now they are float64"):
        optimizer("W", np.zeros(3), np.ones(3))


def test_an_empty_gradient_changes_nothing():
    optimizer, weights = Adam(0.1), np.ones((1, 2))
    assert optimizer((0, "x"), weights, np.zeros(0))[1].shape == (0,)
    assert weights.tolist() == [[1, 1]]
    assert optimizer.nr_update[0, "x"] == 0


@pytest.mark.parametrize("make", EVERY)
def test_gradients_of_other_types_and_layouts_give_the_same_weights(make):
    start, gradient = np.random.default_rng(0).normal(size=(4, 3)), np.arange(12).reshape(4, 3) - 5

    def run(weights, as_given):
        optimizer = make(0.1)
        for _ in range(3):
            given = as_given(gradient)
            found, _ = optimizer("W", weights, given)
            assert found is weights
            assert not given.any()
        return weights

    expected = run(start.astype(np.float32), lambda g: g.astype(np.float32))
    for as_given in (np.copy, lambda g: g.astype(np.float64), lambda g: np.repeat(g, 2, axis=1)[:, ::2].astype("f")):
        assert run(start.astype(np.float32), as_given).tobytes() == expected.tobytes()
    assert np.array_equal(run(np.asfortranarray(start.astype(np.float32)), np.copy), expected)


def test_examples_give_what_they_show():
    found = doctest.testmod(optimizer_module)
    assert (found.failed, found.attempted > 0) == (0, True)


# The rules of each


def test_the_rule_is_chosen_as_in_the_reference():
    assert Optimizer(0.1, use_radam=True).use_radam
    assert not Optimizer(0.1).use_radam
    weights = np.zeros(1, np.float32)
    Adam(0.1, beta2=0.0)("W", weights, np.float32([0.5]))
    assert weights == pytest.approx([-0.05])  # plain gradient descent


@pytest.mark.parametrize("make", [AdamW, Lion, Muon])
def test_biases_and_norms_do_not_decay(make):
    model = chain(Linear(3), LayerNorm()).initialize(np.zeros((2, 4), np.float32))
    model.store.values.fill(1)
    make(0.1, weight_decay=0.5).update(model.store, model.ops)
    for name, weights in model.store.named(model.store.values).items():
        assert weights == pytest.approx(0.95 if name == "linear.W" else 1.0), name


def test_lion_moves_every_weight_by_the_learning_rate():
    weights = np.zeros(4, np.float32)
    Lion(0.01)("W", weights, np.float32([5, -0.1, 1e-9, 0]))
    assert weights == pytest.approx([-0.01, 0.01, -0.01, 0])


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (1, 6)])
def test_muon_brings_all_singular_values_near_one(shape):
    matrix = np.random.default_rng(0).normal(size=shape)
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    found = orthogonal(Ops(), matrix)
    values = np.diag(left.T @ found @ right.T)
    assert ((values > 0.6) & (values < 1.25)).all()
    assert found == pytest.approx(left @ np.diag(values) @ right, abs=1e-9)


def test_muon_leaves_all_but_matrices_to_adamw():
    tensors = [np.random.default_rng(n).normal(size=shape) for n, shape in enumerate([(3,), (2, 2, 2), (2, 3)])]
    for weights in tensors:
        other = weights.copy()
        Muon(0.1)("W", weights, np.ones(weights.shape))
        AdamW(0.1, weight_decay=0.1)("W", other, np.ones(weights.shape))
        assert (weights.tobytes() == other.tobytes()) == (weights.ndim != 2)


@pytest.mark.parametrize("make", [AdamW, Muon, Lion])
def test_a_store_of_several_kinds_equals_its_tensors(make):
    model, other = (chain(Linear(4, 3), LayerNorm(4), Linear(2, 4)).initialize(seed=1) for _ in range(2))
    whole, single, rng = make(0.1), make(0.1, weight_decay=0.0), np.random.default_rng(0)
    whole.weight_decay = 0.0
    for _ in range(5):
        model.store.gradients[...] = rng.normal(size=model.store.gradients.size)
        gradients = other.store.named(model.store.gradients.copy())
        whole.update(model.store, model.ops)
        for name, weights in other.store.named(other.store.values).items():
            single(name, weights, gradients[name])
    assert model.store.values == pytest.approx(other.store.values, abs=1e-6)


def test_a_step_allocates_nothing_of_the_size_of_the_parameters():
    import tracemalloc

    model, optimizer = Linear(1000, 1000).initialize(), Adam(0.1)
    model.ops = Ops()
    optimizer.update(model.store, model.ops)
    tracemalloc.start()
    model.store.gradients.fill(1.0)
    optimizer.update(model.store, model.ops)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < model.store.values.nbytes / 10


def test_a_gradient_that_is_not_finite_stays_as_it_is():
    model = Linear(2, 2).initialize()
    model.store.values.fill(1)
    model.grad.W[...] = [[np.nan, 1.0], [1.0, 1.0]]
    optimizer = SGD(0.1, L2=0.5, L2_is_weight_decay=False)
    for _ in range(3):
        with pytest.raises(DivergedError, match=r"the gradient of W is not finite"):
            model.finish_update(optimizer)
    np.testing.assert_array_equal(model.grad.W, [[np.nan, 1.0], [1.0, 1.0]])


def test_weight_decay_is_scaled_with_the_rate():
    weights = np.full(2, 2.0)
    AdamW(0.1, weight_decay=0.5, use_averages=False)("W", weights, np.zeros(2), lr_scale=0.5)
    assert weights == pytest.approx(2.0 * (1 - 0.1 * 0.5 * 0.5))


@pytest.mark.parametrize("scale", [np.nan, -1.0, "much"])
def test_a_scale_that_is_none_is_refused(scale):
    with pytest.raises(ArgumentError, match="lr_scale must be a finite number of at least 0"):
        Adam(0.1)("W", np.ones(2), np.ones(2), lr_scale=scale)


def test_a_gradient_that_cannot_be_set_to_zero_changes_nothing():
    gradient, weights = np.ones(2), np.ones(2)
    gradient.flags.writeable = False
    optimizer = Adam(0.1)
    with pytest.raises(ArgumentError, match="this array is read-only: pass a copy"):
        optimizer("W", weights, gradient)
    assert (weights.tolist(), optimizer.nr_update["W"]) == ([1, 1], 0)


def test_an_epsilon_of_zero_is_refused():
    with pytest.raises(ArgumentError, match="eps must be above 0, or what has no gradient yet is divided by 0"):
        Adam(0.1, eps=0)
