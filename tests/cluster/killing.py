"""Runs in which processes are killed: the command, its workers, and what is left of both."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from run_fakes import Silent

from trainer_cli.cluster.processes import alive, descendants, running

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}

# A layer in which a step takes its time, where the file `slow` says so (and how long), and never ends for whoever takes
# `hang` away. So does a batch of an evaluation, where the file `late` is.
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
        time.sleep(float((here / "slow").read_text() or 0.1))
    if not is_train and (here / "late").exists():
        time.sleep(0.5)
    if is_train and (here / "hang").exists():
        os.rename(here / "hang", here / "hangs")
        time.sleep(1000)
    return X, lambda dY: dY
"""


# What a worker is at, by the name that it gives itself, and by the title that Ray gives its process before that.
WORK = {
    "ray::Actor.prepare": "while they started",
    "Actor.gradient": "in a step",
    "Actor.count": "in an evaluation",
    "Actor": "between two calls",
}


def work_of(process):
    """What a worker is at; an empty text for a process that is none."""
    with suppress(OSError):
        folder = Path(f"/proc/{process.pid}")
        title = (folder / "cmdline").read_bytes().rstrip(b"\0").decode(errors="replace")
        return WORK.get((folder / "comm").read_text().strip() if title == "ray::Actor.serve" else title, "")
    return ""


def is_worker(process):
    return work_of(process) != ""


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


@dataclass
class Kills:
    """What has been killed in a run: workers by what they were at, and drivers, whose workers took so many seconds at
    most to end after them."""

    workers: Counter[str] = field(default_factory=Counter)
    drivers: int = 0
    seconds: float = 0.0


def run_with_kills(folder, address, numbers, n_drivers, n_workers):
    """Train in `run`, with `n_drivers` killed one after the other, and before each its share of `n_workers` workers."""
    words = ["run.cfg", "-o", "run", "--resume", "--quiet", "--code", "parts.py", f"--address={address}", "--workers=3"]
    words += ["--training.accumulate_gradient=5", "--checkpoints.max_seconds=0.1"]
    kills = Kills()
    for n in range(1, n_drivers + 1):
        driver = begin(*words, folder=folder)
        while kills.workers.total() < n * n_workers // n_drivers:
            found = wait_until(lambda: workers_of(os.getpid()), driver)
            chosen, work = chosen_at(numbers.choice(list(WORK.values())), found, numbers)
            if work and kill(chosen):
                kills.workers[work] += 1
        time.sleep(numbers.random())
        driver.kill()
        kills.drivers += driver.wait() == -signal.SIGKILL
        kills.seconds = max(kills.seconds, seconds_to_end(workers_of(os.getpid())))
    (folder / "slow").write_text("0")
    last = begin(*words, folder=folder)
    said = last.communicate()[1]
    assert last.returncode == 0, said
    return kills


def chosen_at(wanted, workers, numbers, seconds=1.0):
    """One of some workers that is at the work that is wanted, if one soon is; else any; and what it is at."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for worker in numbers.sample(workers, len(workers)):
            if work_of(worker) == wanted:
                return worker, wanted
        time.sleep(0.003)
    worker = numbers.choice(workers)
    return worker, work_of(worker)


def begin(*words, folder, stdout=subprocess.DEVNULL, **more):
    """The command in a process of its own."""
    line = [sys.executable, "-m", "trainer_cli", "train", *map(str, words)]
    pipes = {"stdout": stdout, "stderr": subprocess.PIPE}
    return subprocess.Popen(
        line, cwd=folder, env={**ENVIRONMENT, **token_mode(), **more}, text=True, start_new_session=True, **pipes
    )


def token_mode():
    """What a driver has to know to connect to the cluster of these tests: newer versions of Ray ask for a token."""
    return {name: value for name, value in os.environ.items() if name == "RAY_AUTH_MODE"}


def wait_until(condition, process=None, seconds=120.0):
    """Wait until something is so; fails if it is not in time, or a process has ended before."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it took too long"
        assert process is None or process.poll() is None, process.stderr.read()
        time.sleep(0.03)
    return found


def seconds_to_end(processes, most=30.0):
    """How long it takes until none of these is there any more."""
    start = time.monotonic()
    wait_until(lambda: not alive(processes), seconds=most)
    return time.monotonic() - start


def started(pid):
    """The process `pid` and all that it has started."""
    return [*descendants(pid), *(process for process, _ in running() if process.pid == pid)]
