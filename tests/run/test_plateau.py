"""A rate that falls with the dev score is part of what a run remembers."""

from contextlib import chdir

import pytest
from run_fakes import ADAM, CONFIG, config_of, outcome_of, rows, train, train_until

from trainer_cli.assembly import assemble
from trainer_cli.config.run_config import read_run_config
from trainer_cli.errors import ConfigError, ModelFileError
from trainer_cli.inspection import inspect
from trainer_cli.job import Job
from trainer_cli.signals import StopFlag

PLATEAU = """
[optimizer]
@optimizers = "Adam.v1"

[optimizer.learn_rate]
@schedules = "plateau.v1"
initial_rate = 0.05
factor = 0.5
patience = 1
"""
PLATEAU_VALUE = '{"@schedules": "plateau.v1", "initial_rate": 0.5, "factor": 0.5, "patience": 1}'
SHORT = ("--training.max_steps", 40, "--training.eval_frequency", 4)


def config(data, *more):
    return config_of(data, *SHORT, *more, optimizer=PLATEAU)


def stopped_and_resumed(data, step, name):
    train_until(step, config(data), data / name)
    assert train(config(data), data / name, resume=True).cause is None
    return outcome_of(data / name)


def test_the_rate_falls_after_evaluations_that_are_no_better(data):
    train(config(data), data / "run")
    rate, best, expected = 0.05, -1.0, []
    for row in rows(data / "run"):
        expected.append(rate)
        # The rate of a row is that of its last update; what the evaluation says holds from the next one on.
        if row["accuracy"] > best:
            best = row["accuracy"]
        else:
            rate *= 0.5
    assert [row["learn_rate"] for row in rows(data / "run")] == pytest.approx(expected)
    assert rate < 0.05


@pytest.mark.parametrize("step", range(3, 40, 6))
def test_a_resumed_run_remembers_the_scores(data, step):
    train(config(data), data / "whole")
    assert stopped_and_resumed(data, step, "resumed") == outcome_of(data / "whole")


def test_a_run_that_forgets_them_is_seen(data, monkeypatch):
    train(config(data), data / "whole")
    monkeypatch.setattr(Job, "remember", lambda self, memories: None)
    assert stopped_and_resumed(data, 27, "resumed") != outcome_of(data / "whole")


@pytest.mark.parametrize("look", [inspect, lambda config: assemble(config, StopFlag())])
@pytest.mark.parametrize(
    ("optimizer", "more", "where"),
    [
        (PLATEAU, (), r"^run\.cfg:32: optimizer\.learn_rate"),
        (ADAM, ("--model.hidden.dropout", PLATEAU_VALUE), r"^command line: --model\.hidden\.dropout"),
        (ADAM, ("--training.accumulate_gradient", PLATEAU_VALUE), r"^command line: --training\.accumulate_gradient"),
    ],
)
def test_without_dev_data_a_schedule_that_follows_its_score_is_refused(data, look, optimizer, more, where):
    text = CONFIG.replace("patience = 1000", "").replace(
        CONFIG[CONFIG.index("[data.dev]") : CONFIG.index("[target]")], ""
    )
    (data / "run.cfg").write_text(text.format(folder=data, optimizer=optimizer))
    with chdir(data), pytest.raises(ConfigError, match=where + ": follows the dev score: add a section"):
        look(read_run_config("run.cfg", overrides=[*map(str, SHORT), *more]))


def test_a_last_evaluation_off_the_beat_does_not_count(data):
    train(config(data), data / "whole")
    train(config(data, "--training.max_steps", 22), data / "grown")
    train(config(data), data / "grown", resume=True)
    assert outcome_of(data / "grown") == outcome_of(data / "whole")


def test_a_memory_of_another_schedule_is_refused(data):
    train(config(data, "--training.max_steps", 8), data / "run")
    with pytest.raises(ModelFileError, match=r"a memory of optimizer\.learn_rate, which follows no score now"):
        train(config_of(data, *SHORT), data / "run", resume=True, allow_changed=["config"])
