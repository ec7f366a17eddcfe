"""Who keeps the process of a trial on a machine of a cluster: as a pool does here, for one trial after the other."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Mapping
from multiprocessing.util import get_temp_dir
from pathlib import Path
from typing import Any, NamedTuple

from trainer_cli.signals import leave_interrupts
from trainer_cli.sweep.executor import Ended, message_of, task_of
from trainer_cli.sweep.pool import Pool
from trainer_cli.sweep.record import PLAN

# What Ray sets to the cores of an actor; libraries read it as how many threads they are to have.
THREADS = "OMP_NUM_THREADS"


class Where(NamedTuple):
    """The machine and process of a keeper, and why it can keep no trial there, if it cannot."""

    host: str
    pid: int
    problem: str = ""


class Keeper:
    """What an actor of Ray does: it passes on what a sweep asks of the trial that it keeps, and what the trial tells.

    `folder` is the current folder of the sweep, `output` its own, `threads` what it has as OMP_NUM_THREADS. Messages
    are those of `trainer_cli.sweep.executor`, as mappings.
    """

    def __init__(self, folder: str, output: str, threads: str | None):
        leave_interrupts()
        # The program of Ray's workers, which a process that is started anew would import once more.
        vars(sys.modules["__main__"]).pop("__file__", None)
        os.environ.pop(THREADS, None)
        if threads is not None:
            os.environ[THREADS] = threads
        if os.path.isdir(folder):
            os.chdir(folder)  # the paths of a config begin there
        is_there = (Path(output) / PLAN).is_file()
        problem = "" if is_there else f"the folder of the sweep is not there, all machines have to share it: {output}"
        self.where = Where(platform.node(), os.getpid(), problem)
        self.pool = Pool(1, Path(output))
        self.trial: int | None = None

    def submit(self, message: Mapping[str, Any]) -> Where:
        """Start a trial, if this is a place for it."""
        task = task_of(message)
        if not self.where.problem:
            self.pool.submit(task)
            self.trial = task.trial
        return self.where

    def wait(self, seconds: float) -> list[dict[str, Any]]:
        """What the trial has told; this waits so long at most for something."""
        found = self.pool.wait(seconds)
        if any(isinstance(report, Ended) for report in found):
            self.trial = None
        return [message_of(report) for report in found]

    def answer(self, trial: int, go_on: bool) -> None:
        if trial == self.trial:
            self.pool.answer(trial, go_on=go_on)

    def stop(self, trial: int) -> None:
        if trial == self.trial:
            self.pool.stop(trial)

    def kill(self, trial: int) -> None:
        if trial == self.trial:
            self.pool.kill(trial)

    def close(self) -> None:
        """Leave no trial behind, and no file: Ray ends this process without asking it for more."""
        self.pool.close()
        self.trial = None
        shutil.rmtree(get_temp_dir(), ignore_errors=True)
