"""The files of a sweep: read back as they were written, refused when somebody has changed them."""

import json
import math

import pytest

from trainer_cli.errors import ModelFileError
from trainer_cli.sweep.record import TRIALS, Plan, Record, json_of, read, rows
from trainer_cli.sweep.trial import Trial

PLAN = Plan(("a.x=0..1", "a.c=1,2"), "tpe", "median", "dev.loss", 3)
TRIAL = Trial(
    1,
    {"a.x": 0.1 + 0.2, "a.c": [1, "é"]},
    "pruned",
    "behind",
    score=1 / 3,
    score_step=7,
    scores={"loss": None},
    curve=[[7, -0.5]],
)


def test_a_sweep_is_read_as_it_was_written(tmp_path):
    record = Record(tmp_path, PLAN, 20, 90.0, "loss", False, 12.5)
    record.save()
    record.put(TRIAL)
    record.put(Trial(2, {"a.x": 1}))
    found = read(tmp_path)
    assert (found.plan, found.n_trials, found.budget, found.metric, found.higher_is_better, found.seconds) == (
        PLAN,
        20,
        90.0,
        "loss",
        False,
        12.5,
    )
    assert found.trials == {1: TRIAL, 2: Trial(2, {"a.x": 1})}


def test_a_row_has_what_the_documents_name(tmp_path):
    record = Record(tmp_path, PLAN)
    record.put(TRIAL)
    row = json.loads((tmp_path / TRIALS).read_text())
    assert {"trial", "params", "state", "reason", "score", "scores", "steps", "seconds", "folder"} <= set(row)
    assert row["params"] == {"a.x": 0.30000000000000004, "a.c": [1, "é"]}


def test_a_trial_has_one_row_however_often_it_is_written(tmp_path):
    record = Record(tmp_path, PLAN)
    for number in (1, 2, 1, 2, 1):
        record.put(Trial(number, {}, reason=str(number)))
    assert [trial.trial for trial in rows(tmp_path / TRIALS)] == [1, 2]


def test_rows_of_an_earlier_call_stay(tmp_path):
    record = Record(tmp_path, PLAN)
    record.save()
    for number in (1, 2):
        record.put(Trial(number, {"a.x": number}))
    again = read(tmp_path)
    again.put(Trial(3, {}))
    assert [trial.trial for trial in rows(tmp_path / TRIALS)] == [1, 2, 3]


@pytest.mark.parametrize(
    "text",
    [
        '{"trial": 1, "params": {}}\n{"trial": 1, "params": {}}\n',
        '{"trial": 2, "params": {}}\n',
        '{"trial": "1", "params": {}}\n',
        '{"trial": 1, "params": {}, "state": "odd"}\n',
        '{"trial": 1, "params": {}, "more": 1}\n',
        '{"trial": 1, "par',
        "[]\n",
    ],
)
def test_rows_that_are_none_are_refused(tmp_path, text):
    (tmp_path / TRIALS).write_text(text)
    with pytest.raises(ModelFileError, match=TRIALS):
        rows(tmp_path / TRIALS)


@pytest.mark.parametrize("change", [{"format": 99}, {"plan": None}, {"seconds": "long"}])
def test_a_plan_that_is_none_is_refused(tmp_path, change):
    Record(tmp_path, PLAN).save()
    facts = json.loads((tmp_path / "sweep.json").read_text()) | change
    (tmp_path / "sweep.json").write_text(json.dumps(facts))
    with pytest.raises(ModelFileError, match=r"sweep\.json"):
        read(tmp_path)


@pytest.mark.parametrize("score", [math.nan, None])
def test_no_score_is_never_the_best(tmp_path, score):
    record = Record(tmp_path, PLAN)
    record.trials = {1: Trial(1, {}, "finished", score=score)}
    assert record.best is None
    record.trials[2] = Trial(2, {}, "finished", score=-1.0)
    assert record.best is record.trials[2]


def test_the_json_of_a_sweep_has_its_best_and_all_rows(tmp_path):
    record = Record(tmp_path, PLAN, metric="loss", higher_is_better=False)
    record.trials = {n: Trial(n, {"a.x": n}, "finished", score=float(n)) for n in (1, 2, 3)}
    found = json.loads(json_of(record))
    assert found["best"]["trial"] == 1
    assert [row["trial"] for row in found["trials"]] == [1, 2, 3]
