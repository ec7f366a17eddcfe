import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from commands import call, finish, start, train
from run_fakes import rows
from threadpoolctl import threadpool_info

from trainer_cli import lookup, provenance, trained
from trainer_cli.data import dataset
from trainer_cli.data.readers.csv import CSVReader
from trainer_cli.evaluate import Scores
from trainer_cli.metrics.accuracy import Accuracy


def scores(*words, **more):
    """The scores alone, without what is told of each class."""
    found = json.loads(call("evaluate", *words, "--json", **more).stdout)
    return {name: value for name, value in found.items() if name not in ("seconds", "per_class", "confusion")}


@pytest.fixture
def run(folder):
    train("--quiet")
    return folder / "run"


def row_of(run, step):
    row = next(row for row in rows(run) if row["step"] == step)
    return {"accuracy": row["accuracy"], "loss": row["loss"], "n": 12}


def test_dev_scores_are_those_of_the_log_to_the_last_digit(run):
    """The best is that of step 7; json and float keep every digit."""
    assert scores(run) == scores(run / "model-best") == row_of(run, 7)
    assert scores(run / "checkpoints" / "step-0000000007") == row_of(run, 7)
    assert scores(run / "checkpoints" / "step-0000000014") == scores(run / "model-last") == row_of(run, 14)


@pytest.mark.parametrize("ops", ["numpy", "numba"])
def test_also_with_the_runs_own_arithmetic_threads_and_batches(folder, ops):
    if ops == "numba":
        pytest.importorskip("numba")
    train("--system.ops", ops, "--system.threads=2", "--training.eval_batch_size=5", "--quiet")
    assert scores("run") == row_of(folder / "run", 7)


def test_the_check_sees_an_evaluation_by_other_arithmetic(folder, monkeypatch):
    pytest.importorskip("numba")
    train("--system.ops=numba", "--training.max_steps=60", "--model.hidden.@layers=Gelu.v1", "--quiet")
    assert scores("run/model-last") == row_of(folder / "run", 60)
    monkeypatch.setattr(provenance, "conditions", lambda run_dir: provenance.Conditions(ops="numpy"))
    assert scores("run/model-last") != row_of(folder / "run", 60)


def test_a_data_file_and_a_folder_with_one_are_read_as_the_training_data_was(run, folder):
    (folder / "inbox").mkdir()
    shutil.copy(folder / "dev.csv", folder / "inbox" / "today.csv")
    assert scores(run, "inbox") == scores(run, "dev.csv") == row_of(run, 7)


def test_a_copied_model_folder_works_anywhere_on_data_that_is_named(run, folder, tmp_path):
    shutil.copytree(run / "model-best", folder / "shipped")
    shutil.rmtree(run)
    assert scores("shipped", "dev.csv")["n"] == 12
    assert "has no dev data; name a data file after it" in call("evaluate", "shipped", code=2).stderr


@pytest.mark.parametrize("n_threads", [1, 2])
def test_the_threads_of_the_run_are_in_force(folder, monkeypatch, n_threads):
    train("--system.threads", n_threads, "--quiet")
    seen, real = set(), Accuracy.update

    def look(self, *args):
        seen.update(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return real(self, *args)

    monkeypatch.setattr(Accuracy, "update", look)
    scores("run")
    assert seen == {n_threads}


def test_a_score_that_is_no_number_is_null_in_json(run, monkeypatch):
    wrong = Scores(12, float("inf"), {"accuracy": float("nan")})
    monkeypatch.setattr("trainer_cli.assessment.scored", lambda *args: wrong)
    text = call("evaluate", run, "--json").stdout
    found = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert (found["accuracy"], found["loss"], found["n"]) == (None, None, 12)
    assert "accuracy n/a" in " ".join(call("evaluate", run).stdout.split())


def the_page_s_evaluate(model, batch_size, Xs, Ys):
    """The function of the page on training that the project follows, its axis put right."""
    correct = 0.0
    total = 0.0
    for X, Y in model.ops.multibatch(batch_size, Xs, Ys):
        correct += (model.predict(X).argmax(axis=1) == Y.argmax(axis=1)).sum()
        total += X.shape[0]
    return correct / total


@pytest.mark.parametrize("batch_size", [1, 5, 100])
def test_a_loop_of_ones_own_agrees_to_the_last_digit(run, folder, batch_size):
    saved = lookup.find(run)
    loaded = trained.from_files(saved.files, saved.folder)
    data = dataset.load(CSVReader(folder / "dev.csv"), loaded.features[1], loaded.target[1])
    found = the_page_s_evaluate(loaded.model, batch_size, data.X, np.eye(2)[data.Y])
    assert found == scores(run)["accuracy"]


def test_the_table_shows_each_score(run):
    table = call("evaluate", run).stdout
    assert f"accuracy   {row_of(run, 7)['accuracy']:.4f}" in table
    assert "(step 7)" in table
    assert "\x1b" not in table


def test_scores_go_to_a_file_as_well(run, folder):
    call("evaluate", run, "--output", "scores.json")
    found = json.loads((folder / "scores.json").read_text())
    assert list(found) == ["accuracy", "loss", "n", "seconds", "per_class", "confusion"]
    assert row_of(run, 7).items() <= found.items()
    assert "could not be written" in call("evaluate", run, "--output", ".", code=4).stderr


def test_a_place_for_the_scores_is_checked_before_they_are_counted(run):
    said = call("evaluate", run, "--output", "nowhere/scores.json", code=2).stderr
    assert said == "--output nowhere/scores.json: the folder nowhere is not there\n"


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
@pytest.mark.parametrize("words", [["evaluate", "run"], ["evaluate", "run", "--json"], ["debug-config", "run.cfg"]])
def test_results_that_nobody_got_are_a_failure(run, words):
    with open("/dev/full", "w") as full:
        code, _, err = finish(start(*words, stdout=full, stderr=subprocess.PIPE))
    assert (code, err) == (4, b"standard output could not be written: No space left on device\n")


@pytest.mark.skipif(sys.platform != "linux", reason="needs pipes")
def test_a_pipe_that_is_closed_has_had_what_was_wanted_of_it(run):
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as closed:
        code, _, err = finish(start("evaluate", "run", stdout=closed, stderr=subprocess.PIPE))
    assert (code, err) == (0, b"")


WRONG = {
    "no model": (["nix"], "nix: there is no such model: No such file or directory"),
    "no data": (["run", "nix.csv"], "no file is there: nix.csv"),
    "a folder without data": (["run", "run"], "run"),
    "a file for a model": (["dev.csv"], "dev.csv"),
    "a folder for a model": (["."], "is no run directory, checkpoint or model folder"),
    "no code": (["run", "--code", "nix.py"], "nix.py: there is no such file"),
    "other columns": (["run", "other.csv"], "other.csv"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_input_gives_a_clear_line_and_exit_2(run, folder, name):
    (folder / "other.csv").write_text("x,y\n1,2\n")
    words, said = WRONG[name]
    result = call("evaluate", *words, code=2)
    assert result.stdout == ""
    assert said in result.stderr
    assert len(result.stderr.splitlines()) <= 3
    assert "path:" not in result.stderr


def test_a_damaged_checkpoint_is_named_with_those_that_are_whole(run):
    path = run / "checkpoints" / "step-0000000007" / "model" / "params.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    said = call("evaluate", run, code=2).stderr
    assert "step-0000000007" in said
    assert "These are whole:" in said
    assert "step-0000000014" in said


def test_run_facts_that_are_not_ours_are_told(run):
    for wrong in ("", "[]", '{"format": 99}', '{"format": 1, "data": []}'):
        (run / "run.json").write_text(wrong)
        assert "run.json" in call("evaluate", run, code=2).stderr


def test_data_without_what_is_predicted_are_told_of_predict(folder):
    train()
    lines = (folder / "dev.csv").read_text().splitlines()
    (folder / "plain.csv").write_text("\n".join(line.rpartition(",")[0] for line in lines) + "\n")
    message = (
        'plain.csv: there is no column \'label\' to score by; trainer predict needs none. The columns are "a", "b"'
    )
    assert message in call("evaluate", "run", "plain.csv", code=2).stderr


@pytest.mark.parametrize("name", ["nul.csv", "nul.jsonl"])
def test_a_label_that_is_damaged_is_told_as_damage_and_not_as_unknown(folder, name):
    config = (folder / "run.cfg").read_text().replace("csv.v1", "auto.v1")
    (folder / "run.cfg").write_text(config)
    train("--quiet")
    text = "a,b,label\n1,2,y\0es\n" if name == "nul.csv" else '{"a": 1, "b": 2, "label": "y\0es"}\n'
    (folder / name).write_text(text)
    said = call("evaluate", "run", name, code=2).stderr
    assert said.startswith(f"{name}:{2 if name == 'nul.csv' else 1}: a NUL byte stands in the line")


def test_a_file_of_images_without_its_labels_is_told_by_its_path(folder):
    (folder / "idx3-ubyte").write_bytes(b"\0\0\x08\x03")
    assert call("describe", "idx3-ubyte", code=2).stderr.startswith("idx3-ubyte: the labels are expected beside it")
