"""What a resume compares, what it refuses, and how a change is allowed by its name."""

import json
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from run_fakes import (
    Silent,
    config_of,
    outcome_of,
    rows,
    steps,
    train,
    train_until,
    write_data,
)
from threadpoolctl import threadpool_info

from trainer_cli import __version__, changes, output, provenance, session
from trainer_cli.api import compounding, warmup_linear
from trainer_cli.config.run_config import read_run_config
from trainer_cli.errors import ArgumentError, ConfigError, ModelFileError, OutputError, TrainerError
from trainer_cli.output import claim, set_aside
from trainer_cli.signals import StopFlag


def begin(data, *overrides, **more):
    """A run stopped after step 20."""
    train_until(20, config_of(data, *overrides), data / "run", **more)


def content(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}


def refused(data, *overrides, kinds, match, **more):
    """A resume under changed conditions is refused, touches nothing, and goes on when these kinds are allowed."""
    before = content(data / "run")
    with pytest.raises(ConfigError, match=match) as caught:
        train(config_of(data, *overrides), data / "run", resume=True, **more)
    assert "--overwrite sets that run aside and starts anew" in str(caught.value)
    for kind in kinds:
        assert f"--allow-changed {kind}" in str(caught.value)
    assert content(data / "run") == before
    others = [kind for kind in changes.KINDS if kind not in kinds]
    with pytest.raises(ConfigError):
        train(config_of(data, *overrides), data / "run", resume=True, allow_changed=others, **more)
    assert content(data / "run") == before
    progress = Silent()
    config = config_of(data, *overrides)
    ending = train(config, data / "run", resume=True, allow_changed=kinds, progress=progress, **more)
    assert ending.state.position.step == 60
    recorded = json.loads((data / "run" / "run.json").read_text())["changes"]
    assert [change["step"] for change in recorded] == [20]
    assert set(recorded[0]) == {"step", *kinds}
    lines = [line for kind in kinds for line in recorded[0][kind]]
    assert sorted(progress.warnings) == sorted(f"other bits may follow: {line}" for line in lines)
    return str(caught.value)


@pytest.mark.parametrize(
    ("override", "match"),
    [
        (("--system.seed", 1), "system.seed: was 0, is 1"),
        (("--optimizer.L2", 0.02), "optimizer.L2: was 0.01, is 0.02"),
        (("--optimizer.learn_rate.total_steps", 90), "optimizer.learn_rate.total_steps: was 100, is 90"),
        (("--training.eval_frequency", 8), "training.eval_frequency: was 7, is 8"),
        (("--training.eval_batch_size", 5), "training.eval_batch_size: was 1024, is 5"),
        (("--model.hidden.dropout", 0.3), r"model\.\*\.hidden\.dropout: was 0.2, is 0.3"),
        (("--training.monitor", "loss"), "training.monitor: was None, is 'loss'"),
    ],
)
def test_a_changed_config_is_refused(data, override, match):
    begin(data)
    refused(data, *override, kinds=["config"], match=match)


def test_changed_data_is_refused(data):
    begin(data)
    for name in ("train", "dev"):
        text = (data / f"{name}.csv").read_text()
        (data / f"{name}.csv").write_text(text.replace("yes", "no", 1))
    message = refused(data, kinds=["data"], match="data.train: its content has changed")
    assert "data.dev: its content has changed" in message


def test_the_same_data_elsewhere_is_the_same(data):
    begin(data)
    (data / "moved").mkdir()
    write_data(data / "moved")
    ending = train(config_of(data / "moved"), data / "run", resume=True)
    assert (ending.cause, ending.state.position.step) == (None, 60)


def test_changed_code_is_refused(own_parts):
    code = own_parts / "parts.py"
    begin(own_parts, code=[code])
    refused(own_parts, kinds=["code"], match=r"--code: was parts\.py \(\w{12}\), is nothing")


def test_changed_versions_are_refused(data, monkeypatch):
    begin(data)
    monkeypatch.setattr(np, "__version__", "9.9")
    monkeypatch.setattr(provenance, "__version__", "0.0")
    message = refused(data, kinds=["versions"], match=r"numpy: was .*, is 9\.9")
    assert f"trainer: was {__version__}, is 0.0" in message


def test_another_number_of_threads_is_refused(data):
    begin(data)
    refused(data, "--system.threads", 2, kinds=["threads"], match="system.threads: was 1, is 2")


def test_other_ops_are_refused(data, monkeypatch):
    begin(data)
    monkeypatch.setattr(session, "resolve_ops", lambda name: "numba")
    refused(data, kinds=["ops"], match="system.ops: was numpy, is numba")


def test_every_difference_is_named_at_once(data, monkeypatch):
    begin(data)
    (data / "dev.csv").write_text((data / "dev.csv").read_text().replace("yes", "no", 1))
    monkeypatch.setattr(provenance, "__version__", "0.0")
    monkeypatch.setattr(session, "resolve_ops", lambda name: "numba")
    refused(
        data,
        *("--system.seed", 1, "--optimizer.L2", 0.3, "--system.threads", 2),
        kinds=["config", "data", "threads", "ops", "versions"],
        match="(?s)optimizer.L2.*system.seed.*data.dev.*system.threads.*system.ops.*trainer",
        code=[],
    )


def test_what_cannot_change_bits_may_change(data):
    begin(data)
    wider = (
        *("--training.max_epochs", 90, "--training.max_time", 1e6, "--training.patience", 999),
        *("--checkpoints.keep", 1, "--checkpoints.max_seconds", 5),
    )
    assert train(config_of(data, *wider), data / "run", resume=True).cause is None
    train(config_of(data), data / "whole")
    assert rows(data / "run") == rows(data / "whole")


def test_another_processor_is_told_and_recorded(data, monkeypatch):
    begin(data)
    monkeypatch.setattr(provenance, "cpu", lambda: "Abacus")
    progress = Silent()
    assert train(config_of(data), data / "run", resume=True, progress=progress).cause is None
    assert len(progress.warnings) == 1
    assert "is Abacus" in progress.warnings[0]
    assert "cpu" in json.loads((data / "run" / "run.json").read_text())["changes"][0]


def test_threads_and_ops_that_were_left_to_a_rule_stay_as_recorded(data, monkeypatch):
    monkeypatch.setattr(session, "resolve_threads", lambda threads, product, n: 3 if threads == "auto" else threads)
    begin(data)
    monkeypatch.setattr(session, "resolve_threads", lambda threads, product, n: 1 if threads == "auto" else threads)
    assert train(config_of(data), data / "run", resume=True).cause is None
    assert json.loads((data / "run" / "run.json").read_text())["threads"] == 3


def test_changes_of_several_resumes_are_all_recorded(data):
    begin(data)
    train_until(30, config_of(data, "--system.seed", 1), data / "run", allow_changed=["config"])
    train(config_of(data, "--system.seed", 2), data / "run", resume=True, allow_changed=["config"])
    recorded = json.loads((data / "run" / "run.json").read_text())["changes"]
    assert recorded == [
        {"step": 20, "config": ["system.seed: was 0, is 1"]},
        {"step": 30, "config": ["system.seed: was 1, is 2"]},
    ]


def test_a_kind_that_does_not_exist_is_refused(data):
    with pytest.raises(ArgumentError, match=r"--allow-changed takes one of config, data, .* not 'everything'"):
        train(config_of(data), data / "run", allow_changed=["everything"])
    assert not (data / "run").exists()


def test_a_finished_run_is_compared_as_well(data):
    train(config_of(data), data / "run")
    with pytest.raises(ConfigError, match=r"system\.seed: was"):
        train(config_of(data, "--system.seed", 1), data / "run", resume=True)


def test_the_check_sees_a_comparison_that_compares_nothing(data, monkeypatch):
    begin(data)
    monkeypatch.setattr(changes, "of_config", lambda before, now: [])
    with pytest.raises(pytest.fail.Exception):
        refused(data, "--system.seed", 1, kinds=["config"], match="system.seed")


def test_the_config_that_a_run_keeps_trains_the_same_run(data):
    train(config_of(data, "--optimizer.L2", 0.02), data / "run")
    kept = read_run_config(data / "run" / "config.cfg")
    assert train(kept, data / "run", resume=True).was_over  # also encoders that were left out are in it
    train(kept, data / "again")
    assert outcome_of(data / "again") == outcome_of(data / "run")
    assert (data / "again" / "config.cfg").read_text() == (data / "run" / "config.cfg").read_text()


def test_run_facts_that_are_gone_or_not_ours_are_told(data):
    begin(data)
    for content in (b"{", b"[]", b'{"format": 1}', b'{"format": 2}', b"\xff", None):
        (data / "run" / "run.json").unlink() if content is None else (data / "run" / "run.json").write_bytes(content)
        with pytest.raises(ModelFileError, match=r"run\.json"):
            train(config_of(data), data / "run", resume=True)


def test_a_resume_of_nothing_begins_a_run(data):
    train(config_of(data), data / "whole")
    (data / "empty").mkdir()
    for name in ("missing", "empty"):
        ending = train(config_of(data), data / name, resume=True)
        assert not ending.was_over
        assert outcome_of(data / name) == outcome_of(data / "whole")


def test_a_folder_that_is_not_empty_is_refused_and_left_alone(data):
    train(config_of(data), data / "run")
    (data / "other").mkdir()
    (data / "other" / "thesis.tex").write_text("precious")
    for name in ("run", "other"):
        before = content(data / name)
        with pytest.raises(OutputError, match=r"is not empty; (use --resume|it holds no run)") as caught:
            train(config_of(data), data / name)
        assert caught.value.exit_code == 5
        assert content(data / name) == before


@pytest.mark.parametrize("n_threads", [1, 2])
def test_the_threads_of_the_config_are_in_force_while_it_trains(data, n_threads):
    seen = set()

    class Look(Silent):
        def step(self, step, state):
            seen.update(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")

    train(config_of(data, "--system.threads", n_threads, "--training.max_steps", 2), data / "run", progress=Look())
    assert seen == {n_threads}


def test_a_row_of_the_log_has_the_rate_and_size_of_the_last_update(data):
    train(config_of(data), data / "run")
    rates, sizes = warmup_linear(0.02, 10, 100), compounding(3.3, 9.0, 1.03)
    for row in rows(data / "run"):
        assert (row["learn_rate"], row["batch_size"]) == (rates(row["step"] - 1), int(sizes(row["step"] - 1)))


def test_overwrite_sets_a_run_aside(data):
    train(config_of(data), data / "run")
    first = outcome_of(data / "run")
    train(config_of(data, "--system.seed", 1), data / "run", overwrite=True)
    assert outcome_of(data / "run") != first
    assert outcome_of(data / "run" / ".old-1") == first


@pytest.mark.parametrize(
    "mistake",
    [
        ("--data.train.path", "nowhere.csv"),
        ("--target.column", "lable"),
        ("--model.output.@layers", "Relu.v1"),
        ("--data.dev.delimiter", ";"),
        ("--training.monitor", "recall"),
    ],
)
def test_overwrite_sets_nothing_aside_before_all_is_checked(data, mistake):
    train(config_of(data), data / "run")
    first = outcome_of(data / "run")
    with pytest.raises(TrainerError):
        train(config_of(data, *mistake), data / "run", overwrite=True)
    assert outcome_of(data / "run") == first
    assert not (data / "run" / ".old-1").exists()


def test_overwrite_that_is_stopped_while_it_reads_leaves_the_run_and_names_none_as_its_own(data):
    train(config_of(data), data / "run")
    first, flag = outcome_of(data / "run"), StopFlag()
    flag(signal.SIGTERM, None)
    ending = train(config_of(data), data / "run", overwrite=True, flag=flag)
    assert (str(ending.cause), ending.saved) == ("stopped by SIGTERM", None)
    assert outcome_of(data / "run") == first


def test_setting_aside_before_the_check_would_be_noticed(data, monkeypatch):
    def hasty(folder, **flags):
        lock = claim(folder, **flags)
        if flags["overwrite"]:
            set_aside(lock)
        return lock

    train(config_of(data), data / "run")
    monkeypatch.setattr(output, "claim", hasty)
    with pytest.raises(TrainerError):
        train(config_of(data, "--target.column", "lable"), data / "run", overwrite=True)
    assert (data / "run" / ".old-1").exists()


def test_a_second_run_in_one_folder_is_refused_while_the_first_one_works(data):
    class Second(Silent):
        def step(self, step, state):
            if step.position.step == 5:
                for options in ({}, {"resume": True}, {"overwrite": True}):
                    with pytest.raises(OutputError, match=r"another run is using this directory|is not empty"):
                        train(config_of(data), data / "run", **options)

    train(config_of(data), data / "run", progress=Second())
    train(config_of(data), data / "whole")
    assert outcome_of(data / "run") == outcome_of(data / "whole")
    assert steps(data / "run")[0] == 60


@pytest.mark.parametrize("name", ["run.json", "config.cfg"])
@pytest.mark.parametrize("content", [None, "{", "[a]\nb = 1 # c"])
def test_a_run_that_cannot_say_how_it_began_names_the_ways_out(data, name, content):
    begin(data)
    (data / "run" / name).unlink()
    if content is not None:
        (data / "run" / name).write_text(content)
    with pytest.raises(ModelFileError, match=rf"{name}(.|\n)*Put the file back, or let --overwrite set the run in"):
        train(config_of(data), data / "run", resume=True)
    train(config_of(data), data / "run", overwrite=True)
    assert steps(data / "run")[0] == 60


def test_a_run_whose_checkpoints_are_gone_says_that_it_begins_anew(data):
    begin(data)
    shutil.rmtree(data / "run" / "checkpoints")
    silent = Silent()
    train(config_of(data), data / "run", resume=True, progress=silent)
    assert [line.partition(": ")[2] for line in silent.warnings] == [
        "no checkpoint is left of an earlier run; this one begins at step 0"
    ]
    train(config_of(data), data / "whole")
    assert outcome_of(data / "run") == outcome_of(data / "whole")


def test_a_library_that_another_package_brought_is_no_condition():
    """scipy has a BLAS of its own."""
    code = "from trainer_cli.provenance import blas_facts; print(blas_facts())"
    alone, beside = (
        subprocess.run([sys.executable, "-c", f"{first}{code}"], capture_output=True, text=True, check=True).stdout
        for first in ("import numpy; ", "import scipy.linalg; ")
    )
    assert alone == beside != "('', '')\n"
