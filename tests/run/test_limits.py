"""When a run ends, what it evaluates, and which of its models is best."""

import json
import math

import pytest
from run_fakes import CONFIG, Clock, Silent, config_of, link, rows, steps, train

from trainer_cli import checkpoint
from trainer_cli.data import dataset
from trainer_cli.errors import ArgumentError, ConfigError
from trainer_cli.evaluate import Scores, evaluate
from trainer_cli.job import RESERVED, Monitor
from trainer_cli.run import Run
from trainer_cli.state import Best, RunState
from trainer_cli.trained import from_files

NO_DEV = (
    CONFIG.replace("[data.dev]", "[paths]")
    .replace('@readers = "csv.v1"\npath = "{folder}/dev.csv"', "")
    .replace("patience = 1000\n", "")
)


class Steps(Silent):
    """Counts updates, and the rows that went into them."""

    def __init__(self):
        super().__init__()
        self.sizes = []

    def step(self, step, state):
        self.sizes.append(step.batch_size)


def run(data, *overrides, folder="run", **more):
    """The ending of a run, and the sizes of its batches."""
    progress = Steps()
    return train(config_of(data, *overrides, **more), data / folder, progress=progress), progress.sizes


@pytest.mark.parametrize("n", [1, 6, 7, 8, 14, 59])
def test_max_steps_is_so_many_updates(data, n):
    ending, sizes = run(data, "--training.max_steps", n)
    assert (len(sizes), ending.state.reason) == (n, "max_steps")
    assert rows(data / "run")[-1]["step"] == steps(data / "run")[0] == n


@pytest.mark.parametrize("n", [1, 2, 5])
def test_max_epochs_is_so_many_passes_over_all_rows(data, n):
    ending, sizes = run(data, "--training.max_steps", 0, "--training.max_epochs", n)
    assert (sum(sizes), ending.state.reason) == (23 * n, "max_epochs")
    assert rows(data / "run")[-1]["epoch"] == n
    assert rows(data / "run")[-1]["samples"] == 23 * n


def test_max_time_counts_the_seconds_of_training_over_all_resumes(data):
    """The clock ticks once a look: the loop looks once an update, the saver at each save and each question for one."""
    config = config_of(data, "--training.max_steps", 0, "--training.max_time", 50)
    ending = train(config, data / "run", clock=Clock(tick=1))
    assert ending.state.reason == "max_time"
    assert 50 <= ending.state.seconds < 56
    longer = config_of(data, "--training.max_steps", 0, "--training.max_time", 100)
    ending = train(longer, data / "run", resume=True, clock=Clock(tick=1))
    assert 100 <= ending.state.seconds < 106
    assert rows(data / "run")[-1]["step"] == ending.state.position.step


def test_the_limit_that_is_reached_first_ends_the_run(data):
    limits = ("--training.max_steps", 30, "--training.max_epochs", 2)
    assert run(data, *limits)[0].state.reason == "max_epochs"
    assert run(data, *limits, "--training.max_steps", 3, folder="b")[0].state.reason == "max_steps"


def test_patience_is_counted_in_steps_since_the_best(data, monkeypatch):
    scores = iter([0.1, 0.3, 0.3, 0.2, float("nan"), 0.3, 0.1, 0.9])
    monkeypatch.setattr(Monitor, "score", lambda monitor, found: next(scores))
    ending, sizes = run(data, "--training.patience", 28)
    assert (ending.state.reason, ending.state.best.step) == ("patience", 14)
    assert len(sizes) == 14 + 28
    assert ending.best.endswith("0.3000 at step 14")


def test_the_last_step_is_evaluated_and_saved_once(data):
    for n, final in ((14, False), (15, True)):
        run(data, "--training.max_steps", n, folder=f"{n}")
        assert [row["step"] for row in rows(data / f"{n}")] == ([7, 14, 15] if final else [7, 14])
        assert rows(data / f"{n}")[-1].get("final", False) == final
        assert link(data / f"{n}" / "model-last") == f"checkpoints/step-{n:010d}/model"


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ([0.5, 0.5, 0.5], 7),
        ([0.1, 0.5, 0.5], 14),
        ([0.5, 0.1, 0.6], 21),
        ([float("nan"), 0.1, 0.1], 14),
        ([0.2, float("nan"), 0.3], 21),
        ([-math.inf, -5.0, -6.0], 14),
        ([0.2, math.inf, 0.3], 14),
    ],
)
def test_the_best_has_the_highest_score_and_the_earliest_of_equals(data, monkeypatch, scores, best):
    each = iter(scores)
    monkeypatch.setattr(Monitor, "score", lambda monitor, found: next(each))
    ending, _ = run(data, "--training.max_steps", 21)
    assert ending.state.best.step == best
    assert json.loads((data / "run" / "best.json").read_text())["step"] == best
    assert link(data / "run" / "model-best") == f"checkpoints/step-{best:010d}/model"


def test_without_one_number_among_the_scores_there_is_no_best(data, monkeypatch):
    monkeypatch.setattr(Monitor, "score", lambda monitor, found: float("nan"))
    ending, _ = run(data)
    assert (ending.state.best, ending.best) == (None, "")
    assert not (data / "run" / "best.json").exists()


def test_a_score_that_is_no_number_is_null_in_the_log(data, monkeypatch):
    monkeypatch.setattr("trainer_cli.job.evaluate", lambda *args: Scores(12, float("nan"), {"accuracy": float("inf")}))
    run(data, "--training.max_steps", 7)
    assert (rows(data / "run")[0]["loss"], rows(data / "run")[0]["accuracy"]) == (None, None)


@pytest.mark.parametrize(
    ("overrides", "key", "best"),
    [
        ((), "accuracy", max),
        (("--training.monitor", "loss"), "loss", min),
        (("--training.score_weights", '{"loss": 1.0}'), "loss", min),
        (("--training.score_weights", '{"accuracy": -1.0}'), "accuracy", min),
    ],
)
def test_the_default_is_the_first_metric_and_lower_is_better_for_a_loss(data, overrides, key, best):
    ending, _ = run(data, *overrides, "--training.eval_frequency", 3)
    found = {row["step"]: row[key] for row in rows(data / "run")}
    assert found[ending.state.best.step] == best(found.values())
    assert ending.state.best.step == min(step for step in found if found[step] == best(found.values()))


def test_without_metrics_the_dev_loss_decides(data):
    text = CONFIG.replace('[metrics.accuracy]\n@metrics = "accuracy.v1"\n', "")
    ending, _ = run(data, text=text)
    losses = {row["step"]: row["loss"] for row in rows(data / "run")}
    assert losses[ending.state.best.step] == min(losses.values())
    assert ending.best == f"loss {min(losses.values()):.4f} at step {ending.state.best.step}"


def test_a_score_that_no_metric_gave_is_named():
    monitor = Monitor({"f_cat": 1.0}, ("f_cat", "f_dog"), {"f_cat": True, "f_dog": True, "loss": False})
    with pytest.raises(ArgumentError, match=r"no metric gave the score 'f_cat' this time, only loss, f_dog: give it"):
        monitor.score({"loss": 0.5, "f_dog": 0.25})


def test_scores_in_a_weighted_sum_are_turned_so_that_higher_is_better():
    weighted = Monitor({"accuracy": 2.0, "loss": 1.0}, ("accuracy",), {"accuracy": True, "loss": False})
    assert weighted.score({"loss": 0.25, "accuracy": 0.5}) == 2 * 0.5 - 0.25
    assert weighted.text(0.75) == "score 0.7500"
    alone = Monitor({"loss": 1.0}, (), {"loss": False})
    assert alone.text(alone.score({"loss": 0.25})) == "loss 0.2500"


def test_without_dev_data_there_are_rows_and_no_best(data):
    ending, _ = run(data, text=NO_DEV)
    assert ending.state.best is None
    assert [row["step"] for row in rows(data / "run")] == [7, 14, 21, 28, 35, 42, 49, 56, 60]
    assert all(set(row) >= {"train_loss", "learn_rate", "batch_size"} for row in rows(data / "run"))
    assert not any("loss" in row or "accuracy" in row for row in rows(data / "run"))
    assert (link(data / "run" / "model-best"), (data / "run" / "best.json").exists()) == (None, False)


@pytest.mark.parametrize("setting", ["patience = 10", 'monitor = "loss"', 'score_weights = {"loss": 1.0}'])
def test_without_dev_data_what_needs_scores_is_refused_with_its_line(data, setting):
    text = NO_DEV.replace("eval_frequency = 7", setting.replace("{", "{{").replace("}", "}}"))
    with pytest.raises(ConfigError) as caught:
        config_of(data, text=text)
    [problem] = caught.value.problems
    assert "needs dev data: add a section [data.dev] or [data.split]" in problem.message
    assert (data / "run.cfg").read_text().splitlines()[problem.line - 1] == setting


def test_the_training_loss_in_a_row_is_the_mean_over_rows_since_the_last_one(data):
    class Losses(Steps):
        def step(self, step, state):
            super().step(step, state)
            losses.append(step.loss)

    losses, progress = [], None
    progress = Losses()
    train(config_of(data, "--training.max_steps", 14), data / "run", progress=progress)
    for row, part in zip(rows(data / "run"), (slice(0, 7), slice(7, 14)), strict=True):
        pairs = list(zip(losses[part], progress.sizes[part], strict=True))
        assert math.isclose(row["train_loss"], sum(a * n for a, n in pairs) / sum(n for _, n in pairs))


def test_a_saved_model_scores_on_dev_data_to_the_last_digit_what_its_row_says(data):
    config = config_of(data, "--checkpoints.keep", 99)
    train(config, data / "run")
    by_step = {row["step"]: row for row in rows(data / "run")}
    for step in steps(data / "run"):
        saved = checkpoint.read(checkpoint.step_path(data / "run", step))
        loaded = from_files(saved.model, data)
        batches = dataset.stream(config.build("data.dev"), loaded.features[1], loaded.target[1], 1024)
        found = evaluate(loaded.model, loaded.loss, loaded.metrics, batches)
        if step:
            assert (found.loss, found.metrics["accuracy"]) == (by_step[step]["loss"], by_step[step]["accuracy"])
            assert loaded.scores == {"loss": found.loss, **found.metrics}
        else:
            assert loaded.scores == {}


def test_a_metric_that_fails_costs_no_update(data, monkeypatch):
    calls = []

    def broken(self, *args):
        calls.append(args)
        if len(calls) > 4:  # two tallies in the rehearsal of each data set
            raise ZeroDivisionError

    monkeypatch.setattr("trainer_cli.metrics.accuracy.Accuracy.update", broken)
    with pytest.raises(ZeroDivisionError):
        run(data)
    assert steps(data / "run")[0] == 7
    monkeypatch.undo()
    assert train(config_of(data), data / "run", resume=True).state.position.step == 60


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_metric_cannot_be_called_like_something_else_in_its_row(data, name):
    text = CONFIG.replace("[metrics.accuracy]", f"[metrics.{name}]")
    with pytest.raises(ConfigError, match=rf"metrics\.{name}: its score would be called {name}") as caught:
        run(data, text=text)
    [problem] = caught.value.problems
    assert (data / "run.cfg").read_text().splitlines()[problem.line - 1] == f"[metrics.{name}]"


def test_all_that_a_row_says_is_reserved(data):
    run(data, "--training.max_steps", 9)
    said = {key for row in rows(data / "run") for key in row} | {"seconds", "n"}
    said |= {"per_class", "confusion", "errors", "importance"}  # of an evaluation
    assert said - {"accuracy"} == RESERVED


def test_the_checks_see_a_run_that_goes_one_step_too_far(data, monkeypatch):
    is_over = Run.is_over.fget
    late = []

    def too_late(self):
        late.append(is_over(self))
        return len(late) > 1 and late[-2]

    monkeypatch.setattr(Run, "is_over", property(too_late))
    with pytest.raises(AssertionError):
        test_max_steps_is_so_many_updates(data, 6)


def test_the_checks_see_a_nan_that_counts_as_best(data, monkeypatch):
    scored = RunState.scored

    def gullible(self, scores, score, log_bytes, *, final=False):
        new = scored(self, scores, score, log_bytes, final=final)
        worse = self.best is not None and score <= self.best.score
        return new if worse else RunState(**{**vars(new), "best": Best(self.position.step, score)})

    monkeypatch.setattr(RunState, "scored", gullible)
    with pytest.raises(AssertionError):
        test_the_best_has_the_highest_score_and_the_earliest_of_equals(data, monkeypatch, [0.2, float("nan"), 0.1], 7)
