"""A threshold that was found on the dev data decides from then on: in predictions, and in scores of other data."""

import csv
import io
import json

import pytest
from commands import call, train

from trainer_cli import lookup, trained
from trainer_cli.data.encoders.labels import Labels
from trainer_cli.metrics.f_score import FScore


@pytest.fixture
def run(folder):
    """A model of few steps, whose probabilities lie far from a half."""
    text = (folder / "run.cfg").read_text()
    metric = '[metrics.f]\n@metrics = "f_score.v1"\nthreshold = "best"\n\n'
    (folder / "run.cfg").write_text(text.replace("[metrics.accuracy]", f"{metric}[metrics.accuracy]"))
    train()
    return folder


def saved_threshold(folder):
    return json.loads((folder / "run" / "model-best" / "meta.json").read_text())["scores"]["f_threshold"]


def predicted(*words):
    return list(csv.DictReader(io.StringIO(call("predict", "run", "dev.csv", *words).stdout)))


def test_the_threshold_is_saved_with_the_model_and_decides(run):
    threshold = saved_threshold(run)
    rows = predicted()
    for row in rows:
        of_yes = float(row["score"]) if row["prediction"] == "yes" else 1 - float(row["score"])
        assert (row["prediction"] == "yes") == (of_yes >= threshold - 1e-6)


def test_the_classes_of_an_evaluation_are_those_that_are_predicted(run):
    found = json.loads(call("evaluate", "run", "--json").stdout)
    rows = predicted()
    right = sum(row["prediction"] == row["label"] for row in rows)
    assert sum(found["confusion"]["counts"][i][i] for i in (0, 1)) == right
    assert found["f_threshold"] == saved_threshold(run)
    assert found["accuracy"] == right / len(rows)


def test_other_data_do_not_choose_a_threshold_of_their_own(run):
    """Scores on one row alone would be perfect with a threshold of its own."""
    header, first, *_ = (run / "dev.csv").read_text().splitlines()
    other = {"yes": "no", "no": "yes"}[predicted()[0]["prediction"]]
    (run / "one.csv").write_text(f"{header}\n{first.rpartition(',')[0]},{other}\n")
    assert json.loads(call("evaluate", "run", "one.csv", "--json").stdout)["f_macro"] == 0


def told(scores):
    """The threshold that a metric `f` and the target have when a model with these scores is loaded."""
    metric, target = FScore(threshold="best"), Labels()
    trained.tell_thresholds({"f": metric}, target, scores)
    assert metric.threshold == target.threshold
    return target.threshold


def test_of_several_dev_sets_the_first_one_s_threshold_decides():
    assert told({"b.f_threshold": 0.25, "b.f_macro": 0.5, "a.f_threshold": 0.75, "a.f_macro": 0.5}) == 0.25
    assert told({"b.f_threshold": None, "a.f_threshold": 0.75}) == 0.75


def test_the_first_dev_set_is_the_one_that_the_config_names_first(run):
    """The scores in a model's file stand by the alphabet."""
    lines = (run / "dev.csv").read_text().splitlines()
    sets = ""
    for name, rows in (("late", lines[1:6]), ("early", lines[6:])):
        (run / f"{name}.csv").write_text("\n".join([lines[0], *rows]) + "\n")
        sets += f'[data.dev.{name}]\n@readers = "csv.v1"\npath = "{name}.csv"\n\n'
    text = (run / "run.cfg").read_text()
    start, end = text.index("[data.dev]"), text.index("[target]")
    (run / "run.cfg").write_text(text[:start] + sets + text[end:])
    train("--overwrite")
    scores = json.loads((run / "run" / "model-last" / "meta.json").read_text())["scores"]
    assert scores["late.f_threshold"] != scores["early.f_threshold"]
    saved = lookup.find(run / "run" / "model-last")
    assert trained.from_files(saved.files, saved.folder).target[1].threshold == scores["late.f_threshold"]


def test_the_check_sees_a_threshold_that_is_forgotten(run, monkeypatch):
    monkeypatch.setattr(trained, "tell_thresholds", lambda metrics, target, scores: None)
    with pytest.raises(AssertionError):
        test_other_data_do_not_choose_a_threshold_of_their_own(run)
