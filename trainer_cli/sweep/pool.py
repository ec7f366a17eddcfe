"""Trials in processes of this machine, one each: what ends one process ends one trial."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, Pipe, wait
from multiprocessing.util import get_temp_dir
from pathlib import Path
from typing import Any

from trainer_cli.signals import SIGNALS
from trainer_cli.sweep import channel
from trainer_cli.sweep.executor import Ended, Report, Task, report_of
from trainer_cli.sweep.worker import main

PRELOADED = "trainer_cli.sweep.preload"
SAFE_PATH = "PYTHONSAFEPATH"
# So long after the last message of a trial its process is waited for, in seconds.
PATIENCE = 5.0


@dataclass
class Worker:
    """The process of a trial, and what it told last."""

    process: Any
    connection: Connection[Any, Any]
    is_open: bool = True
    ended: Ended | None = None
    was_asked: bool = False


class Pool:
    """An `Executor`: `n_workers` processes at once. What a trial prints goes to `folder/trial-N.log`.

    Their parent is a process that has imported what they need and does nothing else, so that a trial begins in
    milliseconds. Each is the first of a session of its own: a Ctrl-C of the terminal reaches this process alone, and
    when this one is gone, they see it and stop as after a signal.
    """

    def __init__(self, n_workers: int, folder: Path):
        self.n_workers = n_workers
        self.folder = folder
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([PRELOADED])
        get_temp_dir()  # so that trials know of it, who remove it where this process cannot
        self._workers: dict[int, Worker] = {}

    def submit(self, task: Task) -> None:
        assert len(self._workers) < self.n_workers, "no worker is free"
        ours, theirs = Pipe()
        log = self.folder / f"{Path(task.folder).name}.log"
        process = self._context.Process(target=main, args=(theirs, str(log)), name=f"trial-{task.trial}")
        with sheltered():
            process.start()
        theirs.close()
        channel.send(ours, task.message())
        self._workers[task.trial] = Worker(process, ours)

    def wait(self, seconds: float) -> list[Report]:
        open_ones = {worker.connection: number for number, worker in self._workers.items() if worker.is_open}
        sentinels = [worker.process.sentinel for worker in self._workers.values()]
        found: list[Report] = []
        for ready in wait([*open_ones, *sentinels], seconds):
            if isinstance(ready, Connection):
                found += self._received(open_ones[ready])
        for number, worker in list(self._workers.items()):
            # A process of the user's that is left behind may hold the connection open.
            if not worker.is_open or not worker.process.is_alive():
                found += self._drained(number)
                found.append(self._end(number))
        return found

    def answer(self, trial: int, *, go_on: bool) -> None:
        channel.send(self._workers[trial].connection, {"go_on": go_on})

    def stop(self, trial: int) -> None:
        worker = self._workers[trial]
        if not worker.was_asked and worker.process.is_alive():
            worker.was_asked = True
            worker.process.terminate()

    def kill(self, trial: int) -> None:
        worker = self._workers[trial]
        worker.was_asked = True
        kill_group(worker.process)

    def close(self) -> None:
        for number in list(self._workers):
            self.kill(number)
            self._end(number)

    def abandon(self) -> None:
        """End all trials, and wait for none."""
        for worker in self._workers.values():
            kill_group(worker.process)

    def _received(self, number: int) -> list[Report]:
        """What one message of a trial says; the last one is kept until its process is gone."""
        worker = self._workers[number]
        message = channel.receive(worker.connection)
        if message is None:
            worker.is_open = False
            return []
        report = report_of({**message, "trial": number})
        if isinstance(report, Ended):
            worker.ended = report
            return []
        return [report]

    def _drained(self, number: int) -> list[Report]:
        worker, found = self._workers[number], list[Report]()
        while worker.is_open and worker.connection.poll():
            found += self._received(number)
        return found

    def _end(self, number: int) -> Ended:
        worker = self._workers.pop(number)
        worker.process.join(PATIENCE)
        if worker.process.is_alive():
            kill_group(worker.process)
            worker.process.join()
        code = worker.process.exitcode
        worker.process.close()
        worker.connection.close()
        return worker.ended or told_by(number, code, was_asked=worker.was_asked)


def told_by(number: int, code: int, *, was_asked: bool) -> Ended:
    """How a process ended that could not tell it itself."""
    if code >= 0:
        return Ended(number, "failed", f"its process ended with exit code {code}", code or 1)
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    if was_asked:
        return Ended(number, "stopped", name, 128 - code)
    hint = ": out of memory?" if -code == signal.SIGKILL else ""
    return Ended(number, "killed", f"its process was ended by {name}{hint}", 128 - code)


def kill_group(process: Any) -> None:
    """End a process and those that it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:  # it has no session of its own yet, or is gone
        process.kill()


@contextmanager
def sheltered() -> Iterator[None]:
    """For the first process that is started, of which all are copies: it looks for no module in the current folder, and
    what signals ask of the group of this process does not concern it."""
    before = os.environ.get(SAFE_PATH)
    os.environ[SAFE_PATH] = "1"
    resource_tracker.ensure_running()  # when it starts it lets SIGTERM through again, which it would do after this
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        if before is None:
            del os.environ[SAFE_PATH]
        else:
            os.environ[SAFE_PATH] = before
