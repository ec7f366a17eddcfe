"""A number that is not finite ends a run before it can do harm."""

from types import SimpleNamespace

import numpy as np
import pytest
from run_fakes import Silent, config_of, outcome_of, steps, train

from trainer_cli import checkpoint, snapshot, tensors
from trainer_cli.errors import ArgumentError, ConfigError, DivergedError, TrainerError
from trainer_cli.losses import CategoricalCrossentropyV4
from trainer_cli.model import Model
from trainer_cli.optimizers.optimizer import Optimizer
from trainer_cli.randomness import generator


class At:
    """Counts the updates for a planted fault."""

    def __init__(self, step):
        self.left = step

    def __bool__(self):
        self.left -= 1
        return self.left == 0


def infinite_loss(monkeypatch, at):
    call = CategoricalCrossentropyV4.__call__

    def faulty(self, guesses, truths, weights=None):
        dY, value = call(self, guesses, truths, weights)
        is_training = len(guesses) not in (12, 16)  # so many have the dev data and the rehearsal, no batch has
        return dY, float("inf") if is_training and at else value

    monkeypatch.setattr(CategoricalCrossentropyV4, "__call__", faulty)
    return "the loss is inf"


def gradient_of(bad):
    def infinite_gradient(monkeypatch, at):
        update = Optimizer.update

        def faulty(self, store, ops):
            if at:
                store.gradients[3] = bad
            update(self, store, ops)

        monkeypatch.setattr(Optimizer, "update", faulty)
        return "the gradient of hidden"

    return infinite_gradient


def infinite_parameter(monkeypatch, at):
    update = Optimizer.update

    def faulty(self, store, ops):
        update(self, store, ops)
        if at:
            store.values[-1] = -np.inf

    monkeypatch.setattr(Optimizer, "update", faulty)
    return "it made output.b infinite or NaN"


FAULTS = {
    "loss": infinite_loss,
    "nan gradient": gradient_of(np.nan),
    "infinite gradient": gradient_of(-np.inf),
    "huge gradient": gradient_of(1e30),
    "parameter": infinite_parameter,
}


def all_finite(run_dir):
    for step in steps(run_dir):
        saved = checkpoint.read(checkpoint.step_path(run_dir, step))
        arrays = {**saved.optimizer, **tensors.from_bytes(saved.model["params.safetensors"])}
        if not all(np.isfinite(array).all() for array in arrays.values()):
            return False
    return True


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_any_update_stops_the_run_before_it(data, monkeypatch, fault):
    limits = ("--training.max_steps", 20, "--checkpoints.max_seconds", 1e-9)
    config = config_of(data, "--training.accumulate_gradient", 1, *limits)
    train(config, data / "whole")
    for step in range(1, 21, 4):
        with monkeypatch.context() as patch:
            words = FAULTS[fault](patch, At(step))
            ending = train(config, data / str(step))
        assert isinstance(ending.cause, DivergedError)
        assert str(ending.cause).startswith(f"diverged in update {step}: {words}")
        assert ending.saved == checkpoint.step_path(data / str(step), step - 1)
        assert steps(data / str(step))[0] == step - 1
        assert all_finite(data / str(step))
        train(config, data / str(step), resume=True)
        assert outcome_of(data / str(step)) == outcome_of(data / "whole")


def refused_halfway(monkeypatch, at):
    """Some weights are those after the update, others those before it."""
    update = Optimizer.update

    def faulty(self, store, ops):
        if at:
            store.values[:3] += 1
            raise ArgumentError("learn_rate must be at least 0")
        update(self, store, ops)

    monkeypatch.setattr(Optimizer, "update", faulty)


def refused_after_forward(monkeypatch, at):
    """A layer that keeps a mean of what it saw in a parameter has seen the batch."""
    begin = Model.begin_update

    def faulty(self, X, **more):
        found = begin(self, X, **more)
        if len(X) not in (12, 16) and at:  # so many have the dev data and the rehearsal, no batch has
            self.store.values[:3] += 1
            raise ConfigError("no such rows")
        return found

    monkeypatch.setattr(Model, "begin_update", faulty)


@pytest.mark.parametrize("fault", [refused_halfway, refused_after_forward])
def test_an_update_that_was_refused_halfway_is_in_no_checkpoint(data, monkeypatch, fault):
    config = config_of(data, "--training.accumulate_gradient", 1, "--training.max_steps", 20)
    train(config, data / "whole")
    for step in range(1, 21, 4):
        with monkeypatch.context() as patch:
            fault(patch, At(step))
            with pytest.raises(TrainerError, match=r"learn_rate must|no such rows"):
                train(config, data / str(step))
        train(config, data / str(step), resume=True)
        assert outcome_of(data / str(step)) == outcome_of(data / "whole")


def test_rows_of_the_batch_are_named_by_file_and_line(data, monkeypatch):
    batches = []

    class Batches(Silent):
        def step(self, step, state):
            batches.append(step.batch_size)

    config = config_of(data, "--training.accumulate_gradient", 1)
    infinite_loss(monkeypatch, At(4))
    ending = train(config, data / "run", progress=Batches())
    start, rows = sum(batches), ending.cause.__cause__.rows
    expected = generator(0, "shuffle", 0).permutation(23)[start : start + len(rows)]
    assert list(rows) == expected.tolist()
    places = ", ".join(f"{data}/train.csv:{row + 2}" for row in expected)
    assert str(ending.cause) == f"diverged in update 4: the loss is inf. Its batch: {places}"


def test_ten_rows_at_most_are_named(data, monkeypatch):
    infinite_loss(monkeypatch, At(1))
    ending = train(config_of(data, "--batch_size.start", 23, "--batch_size.stop", 23), data / "run")
    assert str(ending.cause).endswith(" and 13 more")
    assert str(ending.cause).count("train.csv:") == 10


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rate", [1e30, 1e39, 3e38])
def test_a_rate_that_is_far_too_high_ends_the_run_without_warnings(data, rate):
    ending = train(config_of(data, "--optimizer.learn_rate", rate), data / "run")
    assert isinstance(ending.cause, DivergedError)
    assert all_finite(data / "run")


def test_the_best_so_far_is_saved_when_the_weights_are_beyond_saving(data, monkeypatch):
    """Nothing is saved by the clock; the best is in memory when a parameter becomes infinite."""
    infinite_parameter(monkeypatch, At(10))
    ending = train(config_of(data, "--training.accumulate_gradient", 1), data / "run", clock=lambda: 0.0)
    assert ending.saved == checkpoint.step_path(data / "run", 7)


def test_infinite_moments_are_not_saved(data, monkeypatch):
    update = Optimizer.update

    def faulty(self, store, ops):
        update(self, store, ops)
        self.state(store).arrays["v"][0] = np.inf

    monkeypatch.setattr(Optimizer, "update", faulty)
    ending = train(config_of(data), data / "run")
    assert "v.hidden.W is not finite after update" in str(ending.cause)
    assert all_finite(data / "run")


def test_the_check_sees_an_infinite_number_in_a_checkpoint(data, monkeypatch):
    infinite_parameter(monkeypatch, At(4))
    monkeypatch.setattr("trainer_cli.store.Store.first_not_finite", lambda self, flat: "")
    monkeypatch.setattr(snapshot, "np", SimpleNamespace(isfinite=lambda array: np.ones(1, bool)))
    train(config_of(data, "--training.max_steps", 5), data / "run", clock=lambda: 0.0)
    assert not all_finite(data / "run")
