"""A small run that uses everything at once, ways to stop it anywhere, and what two runs must have in common."""

import errno
import json
import os
import random
import signal
from functools import partial
from pathlib import Path

from trainer_cli import checkpoint, user_code
from trainer_cli.config.run_config import read_run_config
from trainer_cli.progress import Progress
from trainer_cli.session import Session
from trainer_cli.signals import StopFlag

CONFIG = """
[system]
ops = "numpy"

[data.train]
@readers = "csv.v1"
path = "{folder}/train.csv"

[data.dev]
@readers = "csv.v1"
path = "{folder}/dev.csv"

[target]
@encoders = "labels.v1"
column = "label"

[model]
@layers = "chain.v1"

[model.*.hidden]
@layers = "Relu.v1"
nO = 5
dropout = 0.2
normalize = true

[model.*.output]
@layers = "Softmax.v1"

[loss]
@losses = "CategoricalCrossentropy.v4"

{optimizer}

[batch_size]
@schedules = "compounding.v1"
start = 3.3
stop = 9.0
compound = 1.03

[metrics.accuracy]
@metrics = "accuracy.v1"

[training]
max_steps = 60
patience = 1000
eval_frequency = 7

[training.accumulate_gradient]
@schedules = "constant_then.v1"
rate = 3
steps = 31
schedule = 1
"""

ADAM = """
[optimizer]
@optimizers = "Adam.v1"
L2 = 0.01
grad_clip = 0.1

[optimizer.learn_rate]
@schedules = "warmup_linear.v1"
initial_rate = 0.02
warmup_steps = 10
total_steps = 100
"""

PARTS = '''
import numpy as np

from trainer_cli.api import Model, registry, uniform_init


@registry.schedules("zigzag.v1")
def zigzag(high: float):
    """A plain generator with a memory of its own, which ends."""
    rate = high
    for step in range(45):
        yield rate
        rate = rate * 0.9 if step % 5 else high


@registry.layers("cells.v1")
def cells(nO: int):
    """A table with a row for each cell of the plane: most are not used by a batch."""
    return Model("cells", forward, init=init, dims={"nO": nO}, params=("E",), sparse=("E",))


def forward(model, X, is_train):
    rows = (np.clip(np.floor(X * 2), -4, 3) + 4).astype(np.int64) @ [8, 1]

    def backprop(dY):
        model.add_rows("E", rows, dY)

    return model.E[rows], backprop


def init(model, X, Y):
    model.draw("E", uniform_init, (64, model.get_dim("nO")))
'''


def write_data(folder, n_train=23, n_dev=12):
    """Points of two classes, a ragged number of them."""
    numbers = random.Random(0)
    for name, n in (("train", n_train), ("dev", n_dev)):
        rows = [(numbers.gauss(0, 1), numbers.gauss(0, 1)) for _ in range(n)]
        lines = [f"{a:.4f},{b:.4f},{'yes' if a * b > 0 else 'no'}" for a, b in rows]
        (folder / f"{name}.csv").write_text("\n".join(["a,b,label", *lines]) + "\n")
    (folder / "parts.py").write_text(PARTS)
    return folder


def config_of(folder, *overrides, optimizer=ADAM, text=CONFIG):
    path = folder / "run.cfg"
    path.write_text(text.format(folder=folder, optimizer=optimizer))
    return read_run_config(path, overrides=[*map(str, overrides)])


class Silent(Progress):
    """Shows nothing, and remembers what it was told."""

    def __init__(self):
        super().__init__(quiet=True)
        self.warnings = []

    def warn(self, line):
        self.warnings.append(line)


class StopAt(Silent):
    """A signal comes after update `step`."""

    def __init__(self, step, flag):
        super().__init__()
        self.at, self.flag = step, flag

    def step(self, step, state):
        if step.position.step == self.at:
            self.flag(signal.SIGTERM, None)


class Killed(BaseException):
    """Nobody is there any more to save anything."""


class KillAt(Silent):
    """The process is gone after update `step`, before anything else is done about it."""

    def __init__(self, step):
        super().__init__()
        self.at = step

    def step(self, step, state):
        if step.position.step == self.at:
            raise Killed


class KillAtRow(Silent):
    """The process is gone when row number `n` of the log is written and nothing of it is saved."""

    def __init__(self, n):
        super().__init__()
        self.left = n

    def row(self, row, score_names, is_best):
        self.left -= 1
        if self.left == 0:
            raise Killed


class Clock:
    """Seconds that pass at each look."""

    def __init__(self, tick=0.0):
        self.now, self.tick = 0.0, tick

    def __call__(self):
        self.now += self.tick
        return self.now


def train(config, run_dir, *, resume=False, overwrite=False, progress=None, flag=None, **more):
    """One call of the command without the command line."""
    session = Session(progress or Silent(), flag or StopFlag(), **more)
    return session.train(config, run_dir, resume=resume, overwrite=overwrite)


def train_until(step, config, run_dir, **more):
    """Train until a signal comes after update `step`."""
    flag = StopFlag()
    return train(config, run_dir, resume=True, progress=StopAt(step, flag), flag=flag, **more)


def rows(run_dir):
    """metrics.jsonl without the seconds; a last line that is being written, or was cut by a kill, is left out."""
    lines = (run_dir / "metrics.jsonl").read_text().rpartition("\n")[0].splitlines()
    return [{key: value for key, value in json.loads(line).items() if key != "seconds"} for line in lines]


def outcome_of(run_dir):
    """All that two runs have in common whose bits are the same: everything but seconds."""
    newest = checkpoint.newest(run_dir).checkpoint
    best = newest.state["best"]
    best_model = checkpoint.read(checkpoint.step_path(run_dir, best["step"])).model if best else None
    links = {name: link(run_dir / name) for name in ("model-best", "model-last")}
    pointer = json.loads((run_dir / "best.json").read_text()) if best else {}
    return {
        "model": dict(newest.model),
        "best model": best_model and dict(best_model),
        "optimizer": {name: (array.dtype.str, array.tobytes()) for name, array in newest.optimizer.items()},
        "state": timeless(newest.state),
        "rows": rows(run_dir),
        "pointers": (links, pointer.get("step"), pointer.get("score")),
    }


def link(path):
    return str(path.readlink()) if path.is_symlink() else None


def timeless(state):
    """A state without what depends on the clock: the seconds, and how many characters they take in the log."""
    kept = {key: value for key, value in state.items() if key not in ("seconds", "log_bytes")}
    before = kept.get("before_final")
    return kept | {"before_final": timeless(before) if before else None}


def steps(run_dir):
    return checkpoint.steps(run_dir)


def import_parts(folder: Path):
    user_code.import_files([folder / "parts.py"])


CALLS = ("open", "write", "fsync", "mkdir", "rename", "unlink", "rmdir", "symlink", "ftruncate")


class FullDisk:
    """Stands in for `os` within `storage`: the calls whose number (from 1) is in `failing` fail."""

    def __init__(self, failing=(), code=errno.ENOSPC):
        self.failing, self.code, self.n_calls = failing, code, 0

    def __getattr__(self, name):
        return partial(self.call, name) if name in CALLS else getattr(os, name)

    def call(self, name, *args):
        self.n_calls += 1
        if self.n_calls not in self.failing:
            return getattr(os, name)(*args)
        if name == "write":
            os.write(args[0], args[1][: len(args[1]) // 2])  # a disk fills up in the middle of a call
        raise OSError(self.code, os.strerror(self.code))
