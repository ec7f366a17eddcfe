"""Trials in processes of this machine, one each: what ends one process ends one trial."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import IO, Any

from trainer_cli import storage
from trainer_cli.sweep import channel
from trainer_cli.sweep.executor import Ended, Report, Task, report_of

# The process finds modules where this one does, and not in the current folder.
START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv.pop()); "
    "from trainer_cli.sweep.worker import main; main(int(sys.argv.pop()))"
)
# So long after the last message of a trial its process is waited for.
PATIENCE = 5.0


@dataclass
class Worker:
    """The process of a trial, and what it told last."""

    process: subprocess.Popen[bytes]
    connection: Connection[Any, Any]
    log: IO[bytes]
    is_open: bool = True
    ended: Ended | None = None
    was_asked: bool = False


class Pool:
    """An `Executor`: `n_workers` processes at once. What a trial prints goes to `folder/trial-N.log`.

    Each process is the first of a session of its own, so that a Ctrl-C of the terminal reaches this process alone; when
    this one is gone, they see it and stop as after a signal.
    """

    def __init__(self, n_workers: int, folder: Path):
        self.n_workers = n_workers
        self.folder = folder
        self._workers: dict[int, Worker] = {}

    def submit(self, task: Task) -> None:
        assert len(self._workers) < self.n_workers, "no worker is free"
        ours, theirs = Pipe()
        path = self.folder / f"{Path(task.folder).name}.log"
        with storage.reported(path):
            log = open(path, "ab")  # noqa: SIM115 - open as long as the process
        fd = theirs.fileno()
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", START, str(fd), json.dumps(sys.path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=[fd],
            start_new_session=True,
        )
        theirs.close()
        channel.send(ours, task.message())
        self._workers[task.trial] = Worker(process, ours, log)

    def wait(self, seconds: float) -> list[Report]:
        open_ones = {worker.connection: number for number, worker in self._workers.items() if worker.is_open}
        found: list[Report] = []
        for connection in wait(list(open_ones), seconds):
            found += self._received(open_ones[connection])  # type: ignore[index]
        for number, worker in list(self._workers.items()):
            # A process of the user's that is left behind may hold the socket open.
            if not worker.is_open or worker.process.poll() is not None:
                found += self._drained(number)
                found.append(self._end(number))
        return found

    def answer(self, trial: int, *, go_on: bool) -> None:
        channel.send(self._workers[trial].connection, {"go_on": go_on})

    def stop(self, trial: int) -> None:
        worker = self._workers[trial]
        if not worker.was_asked and worker.process.poll() is None:
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
        try:
            code = worker.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            kill_group(worker.process)
            code = worker.process.wait()
        worker.connection.close()
        worker.log.close()
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


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and those that it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.poll()
