from dataclasses import replace

import numpy as np
import pytest
from run_fakes import (
    ADAM,
    CONFIG,
    KillAt,
    KillAtRow,
    Killed,
    Silent,
    config_of,
    outcome_of,
    rows,
    steps,
    train,
    train_until,
)

from trainer_cli import checkpoint, snapshot, tensors
from trainer_cli.buffers import Buffers
from trainer_cli.errors import Stopped
from trainer_cli.extras import ENGINES
from trainer_cli.registry import registry
from trainer_cli.store import Store

N_STEPS = 60

SGD = """
[optimizer]
@optimizers = "SGD.v1"
learn_rate = 0.05
use_averages = false
"""

RADAM = """
[optimizer]
@optimizers = "RAdam.v1"
L2 = 0.01
L2_is_weight_decay = false

[optimizer.learn_rate]
@schedules = "zigzag.v1"
high = 0.02
"""


def whole(config, data):
    """What the run comes to that nobody disturbs."""
    ending = train(config, data / "whole")
    assert (ending.state.position.step, ending.cause) == (N_STEPS, None)
    return outcome_of(data / "whole")


def stopped_at(step, config, run_dir):
    ending = train_until(step, config, run_dir)
    assert isinstance(ending.cause, Stopped)
    assert steps(run_dir)[0] == step


def test_a_run_stopped_after_any_step_goes_on_to_the_same_bits(data):
    config = config_of(data)
    expected = whole(config, data)
    for step in range(1, N_STEPS):
        stopped_at(step, config, data / str(step))
        assert train(config, data / str(step), resume=True).cause is None
        assert outcome_of(data / str(step)) == expected, f"stopped after step {step}"


def stop_at_every_step(config, run_dir):
    for step in range(1, N_STEPS):
        stopped_at(step, config, run_dir)
    train(config, run_dir, resume=True)
    return outcome_of(run_dir)


@pytest.mark.parametrize("optimizer", [ADAM, SGD, RADAM], ids=["Adam", "SGD", "RAdam"])
def test_a_run_stopped_after_every_step_comes_to_the_same_bits(own_parts, optimizer):
    config = config_of(own_parts, optimizer=optimizer)
    assert stop_at_every_step(config, own_parts / "stopped") == whole(config, own_parts)


def with_table(folder):
    text = CONFIG.replace(
        '@layers = "Relu.v1"\nnO = 5\ndropout = 0.2\nnormalize = true', '@layers = "cells.v1"\nnO = 5'
    )
    return config_of(folder, text=text)


def test_a_run_with_a_sparse_table_comes_to_the_same_bits(own_parts):
    config = with_table(own_parts)
    assert stop_at_every_step(config, own_parts / "stopped") == whole(config, own_parts)


def test_the_comparison_sees_averages_that_are_caught_up_at_each_save(own_parts, monkeypatch):
    config, take = with_table(own_parts), snapshot.take
    expected = whole(config, own_parts)

    def caught_up(job, at):
        found = take(job, at)
        [table] = job.model.store.tables
        if at.position.step > 0:
            found.optimizer[f"averages.{table.name}"] = job.optimizer.averages[table.key]
            found.optimizer[f"last.{table.name}"][...] = at.position.step
        return found

    monkeypatch.setattr(snapshot, "take", caught_up)
    assert stop_at_every_step(config, own_parts / "stopped") != expected


def with_buffers(folder):
    text = CONFIG.replace("[model.*.output]", '[model.*.running]\n@layers = "BatchNorm.v1"\n\n[model.*.output]')
    return config_of(folder, text=text)


def test_a_run_with_running_statistics_comes_to_the_same_bits(own_parts):
    config = with_buffers(own_parts)
    assert stop_at_every_step(config, own_parts / "stopped") == whole(config, own_parts)
    params = (next(checkpoint.whole(own_parts / "stopped")) / "model" / "params.safetensors").read_bytes()
    assert {"running.mean", "running.variance"} <= tensors.from_bytes(params).keys()


def test_the_comparison_sees_running_statistics_that_begin_anew(own_parts, monkeypatch):
    config = with_buffers(own_parts)
    expected = whole(config, own_parts)
    monkeypatch.setattr(Buffers, "load", lambda self, arrays: None)
    assert stop_at_every_step(config, own_parts / "stopped") != expected


@pytest.mark.parametrize("name", [name for name in registry.optimizers.names() if name not in ENGINES])
def test_every_optimizer_goes_on_to_the_same_bits(data, name):
    optimizer = f'[optimizer]\n@optimizers = "{name}"\nlearn_rate = 0.01'
    config = config_of(data, optimizer=optimizer)
    expected = whole(config, data)
    for step in (1, 2, 6, 7, 20, 41):
        stopped_at(step, config, data / "stopped")
    train(config, data / "stopped", resume=True)
    assert outcome_of(data / "stopped") == expected


def test_a_run_that_loses_its_patience_does_so_at_the_same_step_when_stopped(data):
    config = config_of(data, "--training.patience", 20)
    assert train(config, data / "whole").state.reason == "patience"
    n_steps = outcome_of(data / "whole")["state"]["step"]
    for step in range(1, n_steps):
        stopped_at(step, config, data / "stopped")
    train(config, data / "stopped", resume=True)
    assert outcome_of(data / "stopped") == outcome_of(data / "whole")


@pytest.mark.parametrize("max_seconds", [1e-9, 300])
def test_a_run_killed_after_every_few_steps_comes_to_the_same_bits(data, max_seconds):
    """With 1e-9 every step is saved, with 300 the evaluations and what is due."""
    config = config_of(data, "--checkpoints.max_seconds", max_seconds)
    expected = whole(config, data)
    for step in range(1, N_STEPS, 7):
        with pytest.raises(Killed):
            train(config, data / str(step), resume=True, progress=KillAt(step))
        assert train(config, data / str(step), resume=True).cause is None
        assert outcome_of(data / str(step)) == expected, f"killed after step {step}"


def test_a_run_killed_between_a_row_of_the_log_and_its_checkpoint_writes_the_row_once(data):
    config = config_of(data)
    expected = whole(config, data)
    for n in range(1, len(expected["rows"]) + 1):
        with pytest.raises(Killed):
            train(config, data / str(n), progress=KillAtRow(n))
        assert len(rows(data / str(n))) == n
        train(config, data / str(n), resume=True)
        assert outcome_of(data / str(n)) == expected


def test_a_resume_before_the_first_step_starts_over(data):
    config = config_of(data)
    with pytest.raises(Killed):
        train(config, data / "killed", progress=KillAt(1))
    assert steps(data / "killed") == [0]
    train(config, data / "killed", resume=True)
    assert outcome_of(data / "killed") == whole(config, data)


def test_a_log_that_somebody_deleted_is_told_of_and_costs_no_weights(data):
    config, silent = config_of(data), Silent()
    expected = whole(config, data)
    stopped_at(30, config, data / "run")
    (data / "run" / "metrics.jsonl").unlink()
    train(config, data / "run", resume=True, progress=silent)
    assert [line.split(": ")[1] for line in silent.warnings] == [
        "the rows of earlier evaluations were changed or deleted; new ones follow all the same"
    ]
    found = outcome_of(data / "run")
    assert (found["model"], found["optimizer"]) == (expected["model"], expected["optimizer"])
    assert found["rows"] == expected["rows"][-len(found["rows"]) :]


@pytest.mark.parametrize("n_damaged", [1, 2, 5])
def test_a_run_falls_back_to_the_newest_whole_checkpoint_and_comes_to_the_same_bits(data, n_damaged):
    config = config_of(data, "--checkpoints.keep", 99)
    expected = whole(config_of(data), data)
    for step in range(5, 40, 5):
        stopped_at(step, config, data / "run")
    damaged = [checkpoint.step_path(data / "run", step) for step in steps(data / "run")[:n_damaged]]
    for path in damaged:
        (path / "optimizer.safetensors").write_bytes((path / "optimizer.safetensors").read_bytes()[:-1])
    progress = Silent()
    assert train(config, data / "run", resume=True, progress=progress).cause is None
    assert outcome_of(data / "run") == expected
    assert [line.split(":")[0] for line in progress.warnings] == [f"skipped {path.name}" for path in damaged]
    for path in damaged:
        assert path.with_name(f".bad-{path.name}-1").is_dir()


def forget_moments(job, found):
    at = kept(job, found)
    job.optimizer.state(job.model.store).arrays["m"].fill(0)
    return at


def forget_updates(job, found):
    at = kept(job, found)
    counts = job.optimizer.state(job.model.store).n_updates
    counts[:] = [0] * len(counts)
    return at


def forget_schedules(job, found):
    at = kept(job, found)
    job.optimizer.position = 0
    return at


def forget_weights(job, found):
    """Go on with the averages, as one would who has kept the model folder alone."""
    at = kept(job, found)
    job.model.store.values[...] = job.optimizer.state(job.model.store).arrays["averages"]
    return at


def forget_carry(job, found):
    at = kept(job, found)
    return replace(at, position=replace(at.position, carry=0.0))


def forget_loss(job, found):
    return replace(kept(job, found), loss_sum=0.0, loss_rows=1)


kept = snapshot.restore


@pytest.mark.parametrize(
    "bug", [forget_moments, forget_updates, forget_schedules, forget_weights, forget_carry, forget_loss]
)
def test_the_comparison_sees_whatever_a_resume_forgets(data, monkeypatch, bug):
    config = config_of(data)
    expected = whole(config, data)
    stopped_at(17, config, data / "stopped")
    monkeypatch.setattr(snapshot, "restore", bug)
    train(config, data / "stopped", resume=True)
    assert outcome_of(data / "stopped") != expected


def test_the_comparison_sees_random_numbers_with_a_hidden_position(data, monkeypatch):
    config = config_of(data)
    expected = whole(config, data)
    hidden = np.random.default_rng(0)
    monkeypatch.setattr(Store, "generator", lambda self, path, *keys: hidden)
    stopped_at(17, config, data / "stopped")
    train(config, data / "stopped", resume=True)
    assert outcome_of(data / "stopped") != expected
