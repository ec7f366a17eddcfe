"""A small run of a module of another library, in this process and in one of its own, and ways to stop it."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
from typer.testing import CliRunner

from trainer_cli.cli import app

CODE = ("--code", "parts.py")

CONFIG = """
[system]
ops = "numpy"
threads = 1

[data.train]
@readers = "csv.v1"
path = "train.csv"

[data.dev]
@readers = "csv.v1"
path = "dev.csv"

[target]
@encoders = "labels.v1"
column = "label"

[model]
@layers = "{wrapper}.v1"

[model.module]
@layers = "net.v1"

[loss]
@losses = "CategoricalCrossentropy.v4"
from_logits = true

[optimizer]
@optimizers = "Adam.v1"
learn_rate = 0.02

[metrics.accuracy]
@metrics = "accuracy.v1"

[training]
max_steps = {max_steps}
batch_size = 7
eval_frequency = 7
accumulate_gradient = 2
"""

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def write_run(folder, parts, config):
    """Points of two classes, the parts and the config; the config's path."""
    rng = np.random.default_rng(0)
    for name, n in (("train", 47), ("dev", 20)):
        X = rng.normal(size=(n, 2))
        rows = [f"{a:.4f},{b:.4f},{'yes' if a + b > 0 else 'no'}" for a, b in X]
        (folder / f"{name}.csv").write_text("\n".join(["a,b,label", *rows]) + "\n")
    (folder / "parts.py").write_text(parts)
    (folder / "run.cfg").write_text(config)
    return folder / "run.cfg"


@contextmanager
def entered(folder, monkeypatch):
    """The folder as the current one, of whose parts nothing is left afterwards."""
    monkeypatch.chdir(folder)
    yield folder
    sys.modules.pop("trainer_code_parts", None)


def call(*words, code=0):
    """The command in this process: what it says."""
    result = CliRunner().invoke(app, [*map(str, words)])
    assert result.exit_code == code, result.output
    return result.output


def train(run, *words, code=0):
    return call("train", "run.cfg", "-o", run, *CODE, *words, code=code)


def command(*words, folder):
    """The command in a process of its own: its exit code, stdout and stderr."""
    line = [sys.executable, "-m", "trainer_cli", *map(str, words)]
    done = subprocess.run(line, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=300)
    return done.returncode, done.stdout, done.stderr


def killed(*words, folder, rows=1):
    """The command, killed as soon as so many evaluations are in its log."""
    line = [sys.executable, "-m", "trainer_cli", *map(str, words)]
    process = subprocess.Popen(line, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    log = folder / words[words.index("-o") + 1] / "metrics.jsonl"
    while not (log.exists() and log.read_bytes().count(b"\n") >= rows):
        assert process.poll() is None, process.stdout.read().decode()
    process.kill()
    process.communicate()
    return process.returncode


def last_row(folder, run="run"):
    return json.loads((folder / run / "metrics.jsonl").read_text().splitlines()[-1])
