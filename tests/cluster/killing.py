"""Runs in which processes are killed: the command, its workers, and what is left of both."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from run_fakes import Silent

from trainer_cli.cluster.processes import alive, descendants, running

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}

# A layer in which a step takes its time, where the file `slow` says so, and never ends for whoever takes `hang` away.
SLOW = """

import os
import time
from pathlib import Path

from trainer_cli.api import Model, registry


@registry.layers("slow.v1")
def slow():
    return Model("slow", stay)


def stay(model, X, is_train):
    here = Path(__file__).parent
    if is_train and (here / "slow").exists():
        time.sleep(0.02)
    if is_train and (here / "hang").exists():
        os.rename(here / "hang", here / "hangs")
        time.sleep(1000)
    return X, lambda dY: dY
"""


def is_worker(process):
    with suppress(OSError), open(f"/proc/{process.pid}/cmdline", "rb") as file:
        return file.read().startswith(b"ray::Actor")
    return False


def workers_of(pid):
    """The workers of a run among the processes that `pid` has started."""
    return [process for process in descendants(pid) if is_worker(process)]


def kill(process):
    """Whether there was somebody to kill."""
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)
        return True
    return False


class WorkerKiller(Silent):
    """Kills workers of this process at random moments, `n` in all: between two steps, in one, or while they start."""

    def __init__(self, n, seed=0, max_delay=0.03):
        super().__init__()
        self.n, self.max_delay, self.numbers, self.n_killed = n, max_delay, random.Random(seed), 0

    def step(self, step, state):
        if self.n_killed < self.n and self.numbers.random() < 0.7:
            threading.Timer(self.numbers.random() * self.max_delay, self.kill).start()

    def kill(self):
        found = workers_of(os.getpid())
        if found and self.n_killed < self.n:
            self.n_killed += kill(self.numbers.choice(found))


def begin(*words, folder, **more):
    """The command in a process of its own."""
    line = [sys.executable, "-m", "trainer_cli", "train", *map(str, words)]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    return subprocess.Popen(line, cwd=folder, env={**ENVIRONMENT, **more}, text=True, start_new_session=True, **pipes)


def wait_until(condition, process=None, seconds=120.0):
    """Wait until something is so; fails if it is not in time, or a process has ended before."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it took too long"
        assert process is None or process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    return found


def seconds_to_end(processes, most=30.0):
    """How long it takes until none of these is there any more."""
    start = time.monotonic()
    wait_until(lambda: not alive(processes), seconds=most)
    return time.monotonic() - start


def started(pid):
    """The process `pid` and all that it has started."""
    return [*descendants(pid), *(process for process, _ in running() if process.pid == pid)]
