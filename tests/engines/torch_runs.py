"""A small run of a PyTorch module that has all that could go wrong: dropout, normalisation, a frozen part, a table."""

import json
import os
import subprocess
import sys

import numpy as np

PARTS = """
import torch
from torch import nn

from trainer_cli.api import registry


class Net(nn.Module):
    def __init__(self, width, fault):
        super().__init__()
        self.hidden, self.norm, self.drop = nn.Linear(2, width), nn.BatchNorm1d(width), nn.Dropout(0.3)
        self.fixed, self.output = nn.Linear(width, width).requires_grad_(False), nn.Linear(width, 2)
        self.fault, self.n = fault, 0

    def forward(self, x):
        self.n += self.training
        y = self.output(torch.relu(self.fixed(self.drop(self.norm(self.hidden(x))))))
        return getattr(self, self.fault)(y) if self.fault else y

    def as_tuple(self, y):
        return y, y

    def as_whole(self, y):
        return y.argmax(1)

    def wrong_width(self, y):
        return y.repeat(1, 2)

    def wrong_rows(self, y):
        return y[1:]

    def raises(self, y):
        raise KeyError("no such thing")

    def raises_late(self, y):
        if self.n > 5:
            return self.raises(y)
        return y

    def raises_back(self, y):
        return Backwards.apply(y)

    def not_finite(self, y):
        return y * float("nan")

    def nan_late(self, y):
        return y / (0 if self.n > 5 else 1)

    def detached(self, y):
        return y.detach()

    def softmax(self, y):
        return y.softmax(1)

    def raises_dev(self, y):
        if not self.training and self.n > 5:
            raise RuntimeError("not now")
        return y


class Backwards(torch.autograd.Function):
    @staticmethod
    def forward(ctx, y):
        return y * 1

    @staticmethod
    def backward(ctx, dy):
        raise RuntimeError("no way back")


@registry.layers("net.v1")
def net(width: int = 6, fault: str = ""):
    return Net(width, fault)


@registry.layers("no_module.v1")
def no_module():
    return 3
"""

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
@layers = "PyTorchWrapper.v1"

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
max_steps = 30
batch_size = 7
eval_frequency = 7
accumulate_gradient = 2
"""

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def write_files(folder, optimizer=None):
    """Points of two classes, the parts and the config; the config's path."""
    rng = np.random.default_rng(0)
    for name, n in (("train", 47), ("dev", 20)):
        X = rng.normal(size=(n, 2))
        rows = [f"{a:.4f},{b:.4f},{'yes' if a + b > 0 else 'no'}" for a, b in X]
        (folder / f"{name}.csv").write_text("\n".join(["a,b,label", *rows]) + "\n")
    (folder / "parts.py").write_text(PARTS)
    text = CONFIG if optimizer is None else CONFIG.replace('@optimizers = "Adam.v1"\nlearn_rate = 0.02', optimizer)
    (folder / "run.cfg").write_text(text)
    return folder / "run.cfg"


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
