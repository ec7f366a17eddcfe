"""Runs of a model of thinc: trained, killed, resumed, scored, and what is said when it fails."""

import json
import re
import signal
from contextlib import nullcontext

import numpy as np
import pytest

pytest.importorskip("thinc")

from engine_runs import CODE, CONFIG, command, entered, killed, last_row, train, write_run
from run_fakes import outcome_of
from safetensors.numpy import load_file
from thinc.api import Model, Relu, Softmax, chain

from trainer_cli.wrappers import thinc as wrapper

PARTS = """
import numpy as np
from thinc.api import Model, Relu, Softmax, chain

from trainer_cli.api import registry


@registry.layers("net.v1")
def net(width: int = 6, fault: str = ""):
    return chain(Relu(width, dropout=0.3), Model("watch", watch, attrs={"fault": fault, "n": 0}), Softmax())


def watch(model, X, is_train):
    model.attrs["n"] += is_train
    if model.attrs["fault"] == "raises":
        raise KeyError("no such thing")
    if model.attrs["fault"] == "not_finite" and model.attrs["n"] > 12:
        X = X * np.inf
    return X, lambda dY: dY
"""
OURS = CONFIG.format(wrapper="ThincWrapper", max_steps=40).replace("from_logits = true\n", "")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write_run(tmp_path, PARTS, OURS)
    with entered(tmp_path, monkeypatch) as found:
        yield found


def test_a_run_learns_and_is_scored_and_predicts_in_a_fresh_process(folder):
    train("run", "-q", "--training.max_steps=120")
    last = last_row(folder)
    assert last["accuracy"] > 0.8
    code, out, err = command("evaluate", "run/model-last", "--json", *CODE, folder=folder)
    assert code == 0, err
    scores = json.loads(out)
    assert (scores["accuracy"], scores["loss"]) == (last["accuracy"], last["loss"])  # to the bit
    code, out, err = command("predict", "run", "dev.csv", *CODE, folder=folder)
    assert code == 0, err
    assert out.count("\n") >= 20


def test_a_run_that_was_killed_goes_on_to_the_same_bits(folder):
    train("whole", "-q")
    often = ("--checkpoints.max_seconds=1e-9", "-q")
    assert killed("train", "run.cfg", "-o", "run", *CODE, *often, folder=folder) == -signal.SIGKILL
    train("run", "--resume", "-q")
    assert outcome_of(folder / "run") == outcome_of(folder / "whole")


def test_dropout_that_is_not_seeded_would_be_seen(folder, monkeypatch):
    """The planted bug: thinc draws from the global generator as it stands."""
    train("whole", "-q")
    monkeypatch.setattr(wrapper, "seeded", lambda *keys: nullcontext())
    train("run", "-q", "--training.max_steps=20")
    train("run", "-q", "--resume")
    assert outcome_of(folder / "run")["rows"] != outcome_of(folder / "whole")["rows"]


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [
        ("raises", 2, r"run.cfg:21: model.module: thinc module relu>>dropout>>watch>>softmax raised KeyError"),
        (
            "not_finite",
            3,
            r"diverged in update \d: .*watch>>softmax returned NaN or inf.*[Bb]atch: train.csv:",
        ),
    ],
)
def test_a_module_that_fails_is_told_in_one_line(folder, fault, code, message):
    said = train("run", f"--model.module.fault={fault}", "-q", code=code)
    assert re.search(message, said), said
    assert "Traceback" not in said


def test_a_loss_of_logits_does_not_follow_their_softmax(folder):
    (folder / "run.cfg").write_text(OURS.replace('Crossentropy.v4"\n', 'Crossentropy.v4"\nfrom_logits = true\n'))
    assert train("run", "-q", code=2).startswith(
        "run.cfg:26: loss.from_logits: from_logits = true takes logits, but the thinc module "
        "relu>>dropout>>watch>>softmax ends in a softmax: leave from_logits out"
    )


def test_first_numbers_that_thinc_wrote_are_told_their_setting(folder):
    (folder / "th.bin").write_bytes(b"")
    said = train("run", "-q", "--training.init_from=th.bin", code=2)
    assert 'weights = "th.bin" beside @layers = "ThincWrapper.v1" reads what model.to_bytes() of thinc wrote' in said
    assert "torch" not in said


STILL = ("--optimizer.learn_rate=0.0", "--optimizer.use_averages=false")


def test_weights_of_thinc_are_where_a_run_begins(folder):
    identity = Model("watch", lambda model, X, is_train: (X, lambda dY: dY), attrs={"fault": "", "n": 0})
    source = chain(Relu(6, dropout=0.3), identity, Softmax())
    source.initialize(np.zeros((1, 2), np.float32), np.zeros((1, 2), np.float32))
    (folder / "source.bin").write_bytes(source.to_bytes())
    train(
        "begin",
        "-q",
        "--training.max_steps=1",
        "--model.weights=source.bin",
        *STILL,
    )
    (folder / "source.bin").unlink()  # what a run began with is in its checkpoint
    train("begin", "-q", "--resume", "--training.max_steps=3", "--model.weights=source.bin", *STILL)
    assert last_row(folder, "begin")["step"] == 3
    code, _, err = command("evaluate", "begin", *CODE, folder=folder)
    assert code == 0, err
    assert "source.bin: cannot be read: No such file" in train("new", "-q", "--model.weights=source.bin", code=2)
    code, _, err = command("export", "begin", "--output", "params.safetensors", *CODE, folder=folder)
    assert code == 0, err
    found = load_file(folder / "params.safetensors")
    np.testing.assert_array_equal(found["0.relu.W"], source.layers[0].layers[0].get_param("W"))
