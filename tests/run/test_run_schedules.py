"""The schedules of a run are looked at over all of its steps, and how many steps these are."""

import math
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_fakes import config_of

from trainer_cli import run_schedules
from trainer_cli.epochs import Epochs
from trainer_cli.errors import ConfigError
from trainer_cli.run_schedules import check_values, sample_steps, steps_of_epochs, zero_from
from trainer_cli.schedules.schedule import Schedule, as_schedule

MANY = 3 * run_schedules.EACH_STEP


def checked(data, schedule, n_steps):
    config = config_of(data)
    check_values(config, config.build("optimizer"), {"batch_size": schedule}, n_steps)


@pytest.mark.parametrize("n_steps", [1, 7, run_schedules.EACH_STEP, run_schedules.EACH_STEP + 1, MANY, 10**9])
def test_the_first_steps_are_looked_at_one_by_one_and_the_last_in_any_case(n_steps):
    found = list(sample_steps(n_steps))
    first = min(n_steps, run_schedules.EACH_STEP)
    assert found[:first] == list(range(first))
    assert found[-1] == max(found) == n_steps - 1
    assert found == sorted(found)
    assert len(found) <= run_schedules.EACH_STEP + run_schedules.BEYOND + 1


@pytest.mark.parametrize("wrong_from", [0, 5, run_schedules.EACH_STEP - 1, MANY - 1])
def test_a_value_that_is_wrong_at_one_step_is_found(data, wrong_from):
    with pytest.raises(ConfigError, match=rf"batch_size must be at least 1, got 0.*, at step {wrong_from} of late"):
        checked(data, Schedule(lambda step: float(step < wrong_from), "late"), MANY)
    checked(data, Schedule(lambda step: float(step < wrong_from or wrong_from == 0), "late"), max(1, wrong_from))


def test_of_values_that_are_kept_no_more_are_drawn_than_the_first_steps_take(data):
    drawn = count(1)
    checked(data, as_schedule(drawn), 10**9)
    assert next(drawn) <= run_schedules.EACH_STEP + 1


def test_a_list_is_looked_at_as_a_whole(data):
    values = [8.0] * (run_schedules.EACH_STEP + 5)
    with pytest.raises(ConfigError, match=r"batch_size must be at least 1, got -1"):
        checked(data, as_schedule([*values, -1.0]), MANY)
    assert zero_from(as_schedule([0.1, 0.0]), MANY) == 1


@given(st.integers(1, 40), st.integers(1, 4), st.floats(1, 9), st.floats(0.9, 1.2))
def test_the_steps_of_some_epochs_are_those_that_training_makes(n_rows, n_epochs, start, factor):
    size = Schedule(lambda step: max(1.0, start * factor**step), "size")
    epochs = Epochs(SimpleNamespace(X=np.zeros((n_rows, 1)), Y=np.zeros(n_rows), weights=None), size, seed=0)
    n_steps = next(epochs.position.step for _ in epochs if epochs.position.samples == n_epochs * n_rows)
    assert steps_of_epochs(n_epochs, n_rows, size) == n_steps


def test_the_steps_beyond_those_that_are_looked_at_go_by_the_size_they_end_with(monkeypatch):
    monkeypatch.setattr(run_schedules, "EACH_STEP", 3)
    assert steps_of_epochs(1, 100, as_schedule([10, 10, 10, 25])) == 3 + 3  # 70 rows are left: 25, 25, 20
    assert steps_of_epochs(1, 100, as_schedule([10, 0])) == 2  # the last one is refused
    assert steps_of_epochs(1, 100, as_schedule(value for value in (10, 10, math.nan))) == 3


def test_a_schedule_that_is_zero_to_the_end_is_told_by_its_first_step():
    for n_zeros, found in ((100, None), (101, 899), (1000, 0)):
        schedule = Schedule(lambda step, last=1000 - n_zeros: float(step < last), "ends")
        assert zero_from(schedule, 1000) == found
    assert zero_from(as_schedule(iter([0.0])), 10**9) is None
