"""Scores that are no finite numbers: trials with them are ordinary rows, and are judged as worse than any."""

import json
from pathlib import Path

import pytest
from commands import call

from trainer_cli import checkpoint
from trainer_cli.job import Monitor
from trainer_cli.sweep.worker import earlier

PART = """from trainer_cli.api import registry

N = 0


@registry.metrics("told.v1")
class Told:
    higher_is_better = True

    def __init__(self, values: list[str]):
        self.values = [float(value) for value in values]

    def update(self, probabilities, truths, weights=None): ...

    def merge(self, other): ...

    def result(self):
        return self.values[min(N, len(self.values) - 1)]


@registry.loggers("evaluations.v1")
class Evaluations:
    def log(self, row):
        global N
        N += 1

    def close(self): ...
"""
SPACE = "optimizer.learn_rate.initial_rate=1e-4..1e-1:log"
WORDS = ("sweep", "run.cfg", "--output", "sweep", "--code", "told.py", "--metric", "told", "--training.max_steps=35")


def trials():
    return [json.loads(line) for line in Path("sweep/trials.jsonl").read_text().splitlines()]


def with_scores(values):
    """A config whose evaluations have these scores, one after the other."""
    Path("told.py").write_text(PART)
    with open("run.cfg", "a", encoding="utf-8") as file:
        file.write(f'\n[metrics.told]\n@metrics = "told.v1"\nvalues = {json.dumps(values)}\n')
        file.write('\n[loggers.evaluations]\n@loggers = "evaluations.v1"\n')


# Nothing is better than what is infinite, so that the scores after it are none either.
CASES = [
    ("--search=asha", ["inf"], [None] * 4),
    ("--prune=median", ["nan", "-inf", "0.25", "nan"], [None, None, 0.25, 0.25]),
    ("--search=tpe", ["nan", "0.5", "inf", "0.75"], [None, 0.5, None, None]),
]


@pytest.mark.parametrize(("how", "values", "curve"), CASES)
def test_a_trial_is_a_row_and_the_sweep_goes_on(folder, how, values, curve):
    pytest.importorskip("optuna")
    with_scores(values)
    words = (how, *(["--prune=median"] if how == "--search=tpe" else []))
    expected = [[7 * n, value] for n, value in enumerate(curve, 1)]
    code = 2 if "inf" in values else 0
    call(*WORDS, SPACE, *words, "--trials=1", code=code)
    assert [(row["state"], row["steps"], row["curve"]) for row in trials()] == [("finished", 35, expected)]
    found = checkpoint.newest(Path("sweep/trial-0001")).checkpoint
    monitor = Monitor({"told": 1.0}, ("told",), {"told": True})
    # What a run that is gone on with tells of its past is what it told when that was its present.
    assert earlier(Path("sweep/trial-0001"), found.state, monitor)[:4] == [tuple(point) for point in expected]
    call(*WORDS, "--resume", "--trials=2", code=code)
    assert [row["state"] for row in trials()] == ["finished"] * 2


def test_a_sweep_without_a_finite_score_says_so(folder):
    with_scores(["inf"])
    said = call(*WORDS, SPACE, "--trials=1", code=2).stderr
    assert "No trial has a score: told was no finite number in trial 1" in said
