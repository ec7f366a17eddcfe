"""A finished run that goes on under wider limits is the run that had them from the start."""

import json
from dataclasses import replace
from typing import ClassVar

import pytest
from run_fakes import (
    Clock,
    KillAt,
    Killed,
    Silent,
    config_of,
    link,
    outcome_of,
    rows,
    train,
)

from trainer_cli.job import Monitor
from trainer_cli.saver import Saver
from trainer_cli.state import RunState

WIDE = ("--training.max_steps", 40, "--training.eval_frequency", 7)


def best_of(run_dir):
    """The best by best.json and by the link, and whether its checkpoint is there."""
    if not (run_dir / "best.json").exists():
        assert not (run_dir / "model-best").is_symlink()
        return None
    step = json.loads((run_dir / "best.json").read_text())["step"]
    assert link(run_dir / "model-best") == f"checkpoints/step-{step:010d}/model"
    assert (run_dir / "model-best" / "params.safetensors").is_file()
    return step


@pytest.mark.parametrize("end", [1, 7, 10, 13, 14, 20, 21, 33, 35, 39])
@pytest.mark.parametrize("max_seconds", [1e-9, 300])
def test_more_steps(data, end, max_seconds):
    more = ("--checkpoints.max_seconds", max_seconds)
    train(config_of(data, *WIDE, *more), data / "wide")
    train(config_of(data, *WIDE, *more, "--training.max_steps", end), data / "grown")
    train(config_of(data, *WIDE, *more), data / "grown", resume=True)
    assert outcome_of(data / "grown") == outcome_of(data / "wide")


def test_in_many_small_steps(data):
    train(config_of(data, *WIDE), data / "wide")
    for end in range(1, 41):
        ending = train(config_of(data, *WIDE, "--training.max_steps", end), data / "grown", resume=True)
        assert (ending.state.reason, ending.state.position.step) == ("max_steps", end)
        assert rows(data / "grown")[-1]["step"] == end
        assert rows(data / "grown")[-1].get("final", False) == (end % 7 != 0)
        best_of(data / "grown")
    assert outcome_of(data / "grown") == outcome_of(data / "wide")


def test_more_epochs(data):
    limits = ("--training.max_steps", 0, "--training.max_epochs")
    train(config_of(data, *limits, 5), data / "wide")
    for n in (1, 2, 4, 5):
        ending = train(config_of(data, *limits, n), data / "grown", resume=True)
        assert (ending.state.reason, ending.state.position.samples) == ("max_epochs", 23 * n)
    assert outcome_of(data / "grown") == outcome_of(data / "wide")


def test_more_patience(data):
    limits = ("--training.eval_frequency", 3, "--training.patience")
    train(config_of(data, *limits, 24), data / "wide")
    assert train(config_of(data, *limits, 6), data / "grown").state.reason == "patience"
    train(config_of(data, *limits, 24), data / "grown", resume=True)
    assert outcome_of(data / "grown") == outcome_of(data / "wide")


def test_more_time(data):
    limits = ("--training.max_steps", 30, "--training.max_time")
    train(config_of(data, *limits, 0), data / "wide")
    ending = train(config_of(data, *limits, 20), data / "grown", clock=Clock(tick=1))
    assert ending.state.reason == "max_time"
    assert 0 < ending.state.position.step < 20
    train(config_of(data, *limits, 0), data / "grown", resume=True)
    assert outcome_of(data / "grown") == outcome_of(data / "wide")


class Counting(Silent):
    """Gives each evaluation the score that was made up for its step."""

    scores: ClassVar = {7: 0.5, 10: 0.9, 14: 0.6, 20: 0.1, 21: 0.4}

    def __init__(self, kill_at=0):
        super().__init__()
        self.kill_at, self.at = kill_at, 0

    def step(self, step, state):
        self.at = step.position.step
        if self.at == self.kill_at:
            raise Killed

    def score(self, monitor, found):
        return self.scores[self.at]


def train_scored(max_steps, data, run_dir, monkeypatch, kill_at=0):
    """Train with made up scores, and a clock by which nothing is saved but what has to be."""
    progress = Counting(kill_at)
    monkeypatch.setattr(Monitor, "score", lambda monitor, found: progress.score(monitor, found))
    config = config_of(data, "--training.max_steps", max_steps)
    train(config, run_dir, resume=True, progress=progress, clock=Clock())


def test_a_best_that_only_the_last_evaluation_found_is_taken_back(data, monkeypatch):
    """The evaluation off the beat, after step 10, is the best there ever is; the one of step 7 was in memory alone."""
    train_scored(10, data, data / "grown", monkeypatch)
    assert best_of(data / "grown") == 10
    with pytest.raises(Killed):
        train_scored(20, data, data / "grown", monkeypatch, kill_at=11)
    assert best_of(data / "grown") == 7
    train_scored(21, data, data / "grown", monkeypatch)
    assert best_of(data / "grown") == 14
    train_scored(21, data, data / "whole", monkeypatch)
    assert outcome_of(data / "grown") == outcome_of(data / "whole")


def test_a_best_that_is_the_only_one_is_gone_when_the_run_goes_on(data):
    train(config_of(data, "--training.max_steps", 5), data / "run")
    assert best_of(data / "run") == 5
    with pytest.raises(Killed):
        train(config_of(data, "--training.max_steps", 20), data / "run", resume=True, progress=KillAt(6))
    assert best_of(data / "run") is None
    assert rows(data / "run") == []
    train(config_of(data, "--training.max_steps", 5), data / "run", resume=True)
    assert best_of(data / "run") == 5
    assert [row["step"] for row in rows(data / "run")] == [5]


def test_a_finished_run_is_left_as_it_is(data):
    config = config_of(data)
    train(config, data / "run")
    before = {path: path.read_bytes() for path in (data / "run").rglob("*") if path.is_file() and path.name != ".lock"}
    ending = train(config, data / "run", resume=True)
    assert ending.was_over
    assert ending.cause is None
    after = {path: path.read_bytes() for path in (data / "run").rglob("*") if path.is_file() and path.name != ".lock"}
    assert after == before


def test_narrower_limits_end_a_run_where_it_is(data):
    with pytest.raises(Killed):
        train(config_of(data, "--checkpoints.max_seconds", 1e-9), data / "run", progress=KillAt(13))
    ending = train(config_of(data, "--training.max_steps", 9), data / "run", resume=True)
    assert (ending.state.reason, ending.state.position.step, ending.was_over) == ("max_steps", 12, False)


def test_pointers_that_a_kill_left_behind_are_mended(data):
    train(config_of(data), data / "run")
    expected = outcome_of(data / "run")
    (data / "run" / "model-best").unlink()
    (data / "run" / "model-last").unlink()
    (data / "run" / "best.json").write_text("{}")
    assert train(config_of(data), data / "run", resume=True).was_over
    assert outcome_of(data / "run") == expected


def test_the_comparison_sees_a_last_evaluation_that_stays(data, monkeypatch):
    train(config_of(data, *WIDE), data / "wide")
    train(config_of(data, *WIDE, "--training.max_steps", 13), data / "grown")
    monkeypatch.setattr(RunState, "extended", lambda self: replace(self, reason=None, before_final=None))
    train(config_of(data, *WIDE), data / "grown", resume=True)
    assert outcome_of(data / "grown") != outcome_of(data / "wide")


def test_the_comparison_sees_a_best_that_was_dropped_for_a_final_one(data, monkeypatch):
    def keep_one(self, best, *, final):
        self._bests = [best]

    monkeypatch.setattr(Saver, "keep_best", keep_one)
    with pytest.raises(AssertionError):
        test_a_best_that_only_the_last_evaluation_found_is_taken_back(data, monkeypatch)
