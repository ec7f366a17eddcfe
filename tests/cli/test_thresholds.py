"""A threshold that was found on the dev data decides from then on: in predictions, and in scores of other data."""

import csv
import io
import json

import pytest
from commands import call, train

from trainer_cli import trained


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


def test_the_check_sees_a_threshold_that_is_forgotten(run, monkeypatch):
    monkeypatch.setattr(trained, "tell_thresholds", lambda metrics, target, scores: None)
    with pytest.raises(AssertionError):
        test_other_data_do_not_choose_a_threshold_of_their_own(run)
