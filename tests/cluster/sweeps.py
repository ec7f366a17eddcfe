"""Sweeps on a cluster: begun, looked at, and trial by trial."""

import json
import subprocess
import time
from pathlib import Path

from commands import call, finish, start

from trainer_cli.cluster.processes import running
from trainer_cli.sweep.executor import Ended, Scored, Task

RATE = "optimizer.learn_rate.initial_rate"
RANDOM = f"{RATE}=1e-4..1e-1:log"
LONG = ("--training.max_steps=100000", "--training.eval_frequency=7", "--training.patience=0")
TOLD = ("trial", "params", "state", "reason", "score", "score_step", "scores", "steps", "threads", "exit_code", "curve")


def sweep(*words, output="sweep", **more):
    return call("sweep", "run.cfg", "--output", output, *words, **more)


def trials(output="sweep"):
    rows = [json.loads(line) for line in Path(output, "trials.jsonl").read_text().splitlines()]
    return [{key: row[key] for key in TOLD if key in row} for row in rows]


def begun(folder, *words, where="--ray"):
    """A sweep of two long trials, on a cluster of its own."""
    more = ("--trials=2", "--workers=2", where, *LONG, *words)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": {"TMPDIR": str(folder)}}
    process = start("sweep", "run.cfg", "--output", "sweep", RANDOM, *more, start_new_session=True, **pipes)
    while not all(map(has_trained, (1, 2))):
        assert process.poll() is None, finish(process)
        time.sleep(0.02)
    return process


def has_trained(trial):
    path = Path(f"sweep/trial-{trial:04d}/metrics.jsonl")
    return path.is_file() and path.stat().st_size > 0


def line_of(trial):
    """The process of a trial, the one of which it is a copy, and that of Ray which keeps it."""
    parents = {process.pid: (process, parent) for process, parent in running()}
    found, pid = [], json.loads(Path(f"sweep/trial-{trial:04d}/.lock").read_text())["pid"]
    for _ in range(3):
        process, pid = parents[pid]
        found.append(process)
    return found


def task_in(folder, number=1, **more):
    text = Path("run.cfg").read_text()
    (folder / "sweep.json").touch()
    return Task(number, "run.cfg", text, more.pop("words", LONG), "", str(folder / f"trial-{number:04d}"), **more)


def reports(pool, until, seconds=120):
    """What a pool tells, up to the first report of which `until` is true."""
    found, last = [], time.monotonic() + seconds
    while not any(map(until, found)):
        assert time.monotonic() < last, found
        found += pool.wait(0.1)
    return found


def is_end(report):
    return isinstance(report, Ended)


def is_score(report):
    return isinstance(report, Scored)
