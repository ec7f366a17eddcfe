"""Runs of functions of JAX: trained, killed, resumed, scored, and what is said when they fail."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import nullcontext

import pytest

pytest.importorskip("jax")

import jax
from engine_runs import CODE, call, command, entered, killed, last_row, train
from jax_runs import write_files
from run_fakes import outcome_of

from trainer_cli import rehearsal
from trainer_cli.threads import fix_threads
from trainer_cli.wrappers import jax_engine


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write_files(tmp_path)
    monkeypatch.delenv("NPROC", raising=False)
    with entered(tmp_path, monkeypatch) as found:
        yield found


def test_a_run_learns_and_is_scored_and_predicts_in_a_fresh_process(folder):
    said = train("run", "--verbose", "--training.max_steps=120")
    assert re.search(r"JAX compiled net.apply [1-5] times", said)
    last = last_row(folder)
    assert last["accuracy"] > 0.8
    code, out, err = command("evaluate", "run/model-last", "--json", *CODE, folder=folder)
    assert code == 0, err
    scores = json.loads(out)
    assert (scores["accuracy"], scores["loss"]) == (last["accuracy"], last["loss"])  # to the bit
    code, out, err = command("predict", "run", "dev.csv", *CODE, folder=folder)
    assert code == 0, err
    assert out.count("\n") >= 20
    assert command("evaluate", "run", "dev.csv", folder=folder)[0] == 2  # nobody knows net.v1


OPTAX = ("--optimizer.@optimizers=OptaxOptimizer.v1", "--optimizer.name=adamw")


@pytest.mark.parametrize("words", [(), OPTAX], ids=["Adam", "adamw"])
def test_a_run_that_was_killed_goes_on_to_the_same_bits(folder, words):
    train("whole", "-q", *words)
    often = ("--checkpoints.max_seconds=1e-9", "-q", *words)
    assert killed("train", "run.cfg", "-o", "run", *CODE, *often, folder=folder) == -signal.SIGKILL
    train("run", "--resume", "-q", *words)
    assert outcome_of(folder / "run") == outcome_of(folder / "whole")


def test_a_key_that_is_not_of_the_step_would_be_seen(folder, monkeypatch):
    """The planted bug: draws depend on how many there were in this process."""
    keys = iter(range(10**9))
    measured = jax_engine.JAXEngine.measured

    def counted(self, model, X, padded, seed, measure):
        return measured(self, model, X, padded, seed * 0 + next(keys), measure)

    monkeypatch.setattr(jax_engine.JAXEngine, "measured", counted)
    train("whole", "-q")
    train("run", "-q", "--training.max_steps=20")
    train("run", "-q", "--resume")
    assert outcome_of(folder / "run")["rows"] != outcome_of(folder / "whole")["rows"]


def test_micro_batches_share_one_state(folder):
    train("run", "-q", "--training.max_steps=3")
    code, _, err = command("export", "run", "--output", "params.safetensors", *CODE, folder=folder)
    assert code == 0, err
    from safetensors.numpy import load_file

    found = load_file(folder / "params.safetensors")
    assert set(found) == {"hidden", "output", "state.mean", "state.n"}
    assert found["state.n"] == 3  # one for each update


def test_a_run_compiles_five_times_at_most_as_jax_itself_counts(folder, monkeypatch):
    """Batches that grow, short last ones, two dev sets of other sizes, averages; what init draws is not of a run."""
    text = (folder / "run.cfg").read_text().replace("batch_size = 7\n", "eval_batch_size = 16\n")
    schedule = '[batch_size]\n@schedules = "piecewise.v1"\nrates = [2, 30, 11]\nboundaries = [10, 30]\n'
    more = '[data.dev.more]\n@readers = "csv.v1"\npath = "train.csv"\n'
    text = text.replace("[data.dev]", "[data.dev.less]")
    (folder / "run.cfg").write_text(text + schedule + more)
    found = listening(monkeypatch)
    said = train("run", "--verbose")
    assert len(found) == 5, found
    assert "JAX compiled net.apply 5 times (forward passes 1, pullbacks 1, predictions 1, gradients 2)" in said


def test_a_trial_of_rows_of_several_sizes_would_compile_more(folder, monkeypatch):
    """The planted bug: a dev set of three rows is tried out as it is, beside one of twenty."""
    rows = (folder / "dev.csv").read_text().splitlines()
    (folder / "few.csv").write_text("\n".join(rows[:4]) + "\n")
    text = (folder / "run.cfg").read_text().replace("batch_size = 7\n", "batch_size = 30\n")
    more = '[data.dev.few]\n@readers = "csv.v1"\npath = "few.csv"\n'
    (folder / "run.cfg").write_text(text.replace("[data.dev]", "[data.dev.all]") + more)
    found = listening(monkeypatch)
    train("run", "-q")
    assert len(found) <= 5, found
    found.clear()
    monkeypatch.setattr(rehearsal, "of_one_size", lambda model, n: nullcontext())
    train("other", "-q")
    assert len(found) > 5, found


def listening(monkeypatch):
    """What JAX compiles from now on, but for what `init` draws."""
    found, drawing = [], []
    make = jax_engine.JAXEngine.make

    def made(self, *args):
        drawing.append(True)
        make(self, *args)
        drawing.clear()

    def note(event, seconds, fun_name="", **more):
        if event == "/jax/core/compile/backend_compile_duration" and not drawing:
            found.append(fun_name)

    monkeypatch.setattr(jax_engine.JAXEngine, "make", made)
    jax.monitoring.register_event_duration_secs_listener(note)
    return found


def test_xla_gets_the_threads_that_the_run_has(folder):
    """As many as it is told: what it is told is in its environment before it starts."""
    before = os.environ.get("NPROC")
    try:
        assert fix_threads(3, ["torch"]) == 3
        assert os.environ.get("NPROC") == before
        assert fix_threads(3, ["jax"]) == 3
        assert os.environ["NPROC"] == "3"
        assert not jax.config.values["jax_cpu_enable_async_dispatch"]
        assert fix_threads("auto", ["jax"]) >= 1
        assert fix_threads(1, ["jax"]) == 1
    finally:
        os.environ.pop("NPROC", None)
    train("run", "-q", "--training.max_steps=3")
    assert os.environ.pop("NPROC") == "1"
    assert json.loads((folder / "run/run.json").read_text())["threads"] == 1


FAULTS = {
    "raises": r"model.module: JAX module net.apply raised KeyError: 'no such thing'; its input was float32",
    "tuple": r"run.cfg:21: model.module: JAX module net.apply must return one array of floats, not a tuple",
    "stopped": r"run.cfg:21: model.module: JAX module net.apply returns an output that depends on none of its param",
    "softmax": r"loss: takes logits, but the JAX module net.apply ends in a softmax: let it return what comes before",
    "blind": r"run.cfg:21: model.module: JAX module net.apply gives other outputs.* has to take `mask`",
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("command", [("train", "-q", "-o", "run"), ("debug-config",)])
def test_a_module_that_fails_is_told_in_one_line(folder, command, fault):
    name, *words = command
    said = call(name, "run.cfg", *words, *CODE, f"--model.module.fault={fault}", code=2)
    assert re.search(FAULTS[fault], said), said
    assert "Traceback" not in said
    assert said.count("\n") == 1


def test_outputs_that_are_not_finite_are_told_with_the_batch(folder):
    said = train("run", "--model.module.fault=not_finite", "-q", code=3)
    message = r"diverged in update 6: .*net.apply returned NaN or infinite numbers.*[Bb]atch: train.csv:"
    assert re.search(message, said), said


def test_the_traceback_of_verbose_has_the_users_lines_and_none_of_jax(folder):
    parts = folder / "parts.py"
    parts.write_text(parts.read_text().replace('raise KeyError("no such thing")', "Y @ jnp.zeros((5, 5))"))
    said = train("run", "--model.module.fault=raises", "-q", "--verbose", code=2)
    _, first, place, line, *rest = said.splitlines()
    assert first == "Traceback (most recent call last):"
    assert place.endswith('parts.py", line 34, in apply')
    assert line.strip() == "Y @ jnp.zeros((5, 5))"
    assert "_src" not in said
    assert "JAX has removed" not in said
    assert rest[-1].startswith("TypeError: dot_general requires")


def test_a_missing_library_costs_one_line(folder):
    (folder / "none.py").write_text(
        "import sys\nsys.modules['jax'] = None\nfrom trainer_cli.__main__ import main\nmain()\n"
    )
    line = [sys.executable, "none.py", "debug-config", "run.cfg", *CODE]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "run.cfg:19: model.@layers: JAXWrapper.v1 needs jax: pip install 'trainer-cli[jax]'\n"
