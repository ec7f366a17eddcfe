import json
import math
from pathlib import Path

import numpy as np
import pytest

from trainer_cli.api import Linear, chain, warmup_linear
from trainer_cli.errors import ArgumentError, DivergedError, ModelFileError, ShapeError
from trainer_cli.ops import Ops
from trainer_cli.optimizers import SGD, Adam, RAdam
from trainer_cli.optimizers.radam import RAdamRule

INPUTS, *CASES = json.loads((Path(__file__).parent / "reference" / "optimizers.json").read_text(encoding="utf-8"))
MADE = {"Adam": Adam, "RAdam": RAdam, "SGD": SGD}


def largest_difference(case):
    """From thinc's weights and averages, over the updates that are stored."""
    optimizer, weights, worst = MADE[case["name"]](*case["args"], **case["kwargs"]), np.float32(INPUTS["start"]), 0.0
    for update, noise in enumerate(np.float32(INPUTS["noise"]), 1):
        optimizer("W", weights, (0.7 * noise + 0.1 * weights).astype(np.float32))
        optimizer.step_schedules()
        if (expected := case["after"].get(str(update))) is not None:
            worst = max(worst, np.abs(weights - np.float32(expected["weights"])).max())
            if expected["averages"] is not None:
                worst = max(worst, np.abs(optimizer.averages["W"] - np.float32(expected["averages"])).max())
    return worst


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['name']}-{case['kwargs']}")
def test_weights_and_averages_are_those_of_the_reference(case):
    assert largest_difference(case) < 2e-6


def test_comparison_sees_a_wrong_count_of_updates(monkeypatch):
    right = RAdamRule.__call__
    monkeypatch.setattr(RAdamRule, "__call__", lambda self, *args: right(self, *args[:-1], args[-1] - 1 or 1))
    assert largest_difference(next(case for case in CASES if case["name"] == "RAdam")) > 1e-4


def test_adam_first_step_has_size_learn_rate():
    weights = np.zeros(3, np.float32)
    Adam(0.01, use_averages=False, grad_clip=0)("W", weights, np.array([5.0, -0.1, 1e3], np.float32))
    assert weights == pytest.approx([-0.01, 0.01, -0.01], rel=1e-4)


def test_gradient_clipping_is_by_tensor():
    """One tensor of norm 5 is scaled to 1, its neighbour of norm 0.5 is left alone."""
    model = Linear(1, 2).initialize()
    model.store.values.fill(0)
    model.store.gradients[...] = [3.0, 4.0, 0.5]  # W, then b
    SGD(1.0, use_averages=False).update(model.store, model.ops)
    assert model.store.values == pytest.approx([-0.6, -0.8, -0.5], rel=1e-6)
    assert not model.store.gradients.any()


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
    optimizer.learn_rate = 0.5
    assert optimizer.learn_rate == 0.5


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


@pytest.mark.parametrize("make", [Adam, RAdam, SGD])
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
@pytest.mark.parametrize("make", [Adam, RAdam, SGD])
def test_a_gradient_that_is_not_finite_changes_nothing(make, bad):
    model, optimizer = Linear(4, 3).initialize(), make(0.1)
    before = model.store.values.copy(), {name: a.copy() for name, a in optimizer.to_arrays(model.store).items()}
    model.grad.b[2] = bad
    with pytest.raises(DivergedError, match="the gradient of b is not finite"):
        optimizer.update(model.store, model.ops)
    assert model.store.values.tobytes() == before[0].tobytes()
    assert all(a.tobytes() == before[1][name].tobytes() for name, a in optimizer.to_arrays(model.store).items())
    assert optimizer.state(model.store).n_updates == 0


@pytest.mark.parametrize("name", ["learn_rate", "beta1", "beta2", "eps", "L2", "grad_clip"])
def test_negative_and_endless_rates_are_refused(name):
    with pytest.raises(ArgumentError, match=f"{name} must be a finite number of at least 0, got -1"):
        Adam(**{name: -1})
    with pytest.raises(ArgumentError, match="finite number"):
        Adam(**{name: math.nan})


def test_betas_below_one():
    with pytest.raises(ArgumentError, match="beta1 must be below 1, got 1"):
        Adam(0.1, beta1=1)


def test_weights_and_gradient_of_two_shapes_are_refused():
    with pytest.raises(ShapeError, match=r"weights \(3,\) and gradient \(4,\) must have one shape"):
        SGD(0.1)("W", np.zeros(3, np.float32), np.zeros(4, np.float32))


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
