"""The process of one trial: an ordinary run in its own run directory, told about to the sweep that started it."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf, nan
from multiprocessing.connection import Connection
from multiprocessing.util import get_temp_dir
from pathlib import Path
from typing import Any

from trainer_cli import json_text, streams, user_code
from trainer_cli.checkpoint import Checkpoint
from trainer_cli.errors import DivergedError, OutputError, Stopped, TrainerError
from trainer_cli.job import Monitor
from trainer_cli.lock import Lock
from trainer_cli.loggers.logger import Logger
from trainer_cli.loop import Step
from trainer_cli.progress import Progress
from trainer_cli.session import LOG, Ending, Ready, Session
from trainer_cli.signals import SIGNALS, StopFlag, stop_flag
from trainer_cli.state import Limits, RunState
from trainer_cli.sweep import channel
from trainer_cli.sweep.executor import Began, Ended, Moved, Report, Scored, Task, message_of, task_of
from trainer_cli.sweep.reached import finite, reached
from trainer_cli.sweep.source import read

# So long a run directory is waited for that another process is about to leave.
LOCK_SECONDS = 15.0
# Between two reports of how far a trial is.
MOVED_SECONDS = 0.2
PRUNED = "pruned"


class Parent:
    """The sweep, as the process of a trial sees it."""

    def __init__(self, connection: Connection[Any, Any], flag: StopFlag):
        self._connection = connection
        self._answers: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._flag = flag
        self.is_gone = False

    def listen(self) -> None:
        """Take answers until the sweep is gone, then stop as after a signal."""
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while (message := channel.receive(self._connection)) is not None:
            self._answers.put(bool(message["go_on"]))
        self.is_gone = True
        self._answers.put(True)
        if self._flag.received is None:
            os.kill(os.getpid(), signal.SIGTERM)

    def tell(self, report: Report) -> None:
        channel.send(self._connection, message_of(report))

    def may_go_on(self) -> bool:
        return self._answers.get()


class TrialProgress(Progress):
    """What a run shows goes to its log; what the sweep wants to know goes to the sweep."""

    def __init__(self, task: Task, parent: Parent, flag: StopFlag):
        super().__init__()
        self.task = task
        self.parent = parent
        self.flag = flag
        self._evaluated = 0
        self._last_moved = -1e9

    def start(self, state: RunState, limits: Limits, rows_per_epoch: int) -> None:
        super().start(state, limits, rows_per_epoch)
        self._limits, self._rows_per_epoch = limits, rows_per_epoch
        # The last evaluation may have had no answer yet, or one that its end did not follow, when the run was ended.
        if state.position.step > state.evaluated:
            self.evaluated(state)

    def step(self, step: Step, state: RunState) -> None:
        super().step(step, state)
        self.evaluated(state)
        now = time.monotonic()
        if now - self._last_moved >= MOVED_SECONDS:
            self._last_moved = now
            self.parent.tell(Moved(self.task.trial, self._done(state), state.position.step, score_of(state)))

    def evaluated(self, state: RunState) -> None:
        """Ask whether to go on, if there was an evaluation. Stopped: no."""
        if not self.task.asks or state.evaluated <= self._evaluated:
            return
        self._evaluated = state.evaluated
        self.parent.tell(Scored(self.task.trial, state.evaluated, score_of(state)))
        if not self.parent.may_go_on():
            raise Stopped(PRUNED, 0)


def score_of(state: RunState) -> float | None:
    """The best score of a run, if that is a finite number."""
    return None if state.best is None else finite(state.best.score)


@dataclass(frozen=True)
class TrialSession(Session):
    """A session that tells the sweep with what a run begins; `monitors` is filled with what it watches."""

    task: Task | None = None
    parent: Parent | None = None
    monitors: list[Monitor] = field(default_factory=list)

    def go_on(
        self, ready: Ready, loggers: Mapping[str, Logger] | None, found: Checkpoint | None, run_dir: Path
    ) -> Ending:
        assert self.task is not None
        assert self.parent is not None
        monitor, number = ready.job.monitor, self.task.trial
        self.monitors.append(monitor)
        name, higher = watched(monitor)
        self.parent.tell(Began(number, name, higher, ready.facts["threads"], found.step if found else 0))
        if found is not None and self.task.asks:
            for step, value in earlier(run_dir, found.state, ready.job.monitor):
                if step < found.state["evaluated"]:
                    self.parent.tell(Scored(number, step, value, is_past=True))
        return super().go_on(ready, loggers, found, run_dir)


def watched(monitor: Monitor) -> tuple[str, bool]:
    """The name of what decides which model is best, and whether more of it is better."""
    if list(monitor.weights.values()) != [1.0]:
        return "score", True
    name = next(iter(monitor.weights))
    return name, monitor.higher_is_better[name]


def earlier(run_dir: Path, state: Mapping[str, Any], monitor: Monitor) -> list[tuple[int, float | None]]:
    """After how many updates a run had which score at best, from its log as it was with a `state`."""
    found: list[tuple[int, float | None]] = []
    top, best = state["best"], -inf
    try:
        for line in (run_dir / LOG).read_bytes()[: state["log_bytes"]].splitlines():
            row = json_text.loads(line)
            # What is no finite number is null there, and only the state knows of one that nothing can be better than.
            is_top = top is not None and top["score"] == inf and row["step"] >= top["step"]
            best = max(best, inf if is_top else monitor.score({key: number(value) for key, value in row.items()}))
            found.append((int(row["step"]), finite(best)))
    except (OSError, ValueError, KeyError, TrainerError):
        return found  # somebody has changed the log: the search knows less
    return found


def number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else nan


def main(connection: Connection[Any, Any], log: str) -> None:
    """Train the trial that the sweep at the other end of `connection` sends, and exit; what it prints goes to `log`."""
    os.setsid()
    redirect(log)
    with stop_flag() as flag:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # that the process has from its parent
        message = channel.receive(connection)
        if message is None:
            os._exit(1)
        parent = Parent(connection, flag)
        parent.listen()
        ended = run_trial(task_of(message), parent, flag)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        parent.tell(ended)
        if parent.is_gone:
            shutil.rmtree(get_temp_dir(), ignore_errors=True)  # the parent's, which has only sockets in it
    os._exit(ended.exit_code)


def redirect(path: str) -> None:
    """Let what this process prints be added to a file, for whoever prints it."""
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)
    streams.quieten()


def run_trial(task: Task, parent: Parent, flag: StopFlag) -> Ended:
    """Train one trial, or go on with it; however that ends is told, not raised."""
    monitors: list[Monitor] = []
    try:
        wait_for(Path(task.folder), flag)
        user_code.import_files([Path(path) for path in task.code])
        progress = TrialProgress(task, parent, flag)
        session = TrialSession(
            progress,
            flag,
            code=[Path(path) for path in task.code],
            n_cores=task.n_cores,
            task=task,
            parent=parent,
            monitors=monitors,
        )
        config = read(task.name, task.text, task.words, task.environment)
        ending = session.train(config, Path(task.folder), resume=True, overwrite=False)
        state, reason, code = ended_by(ending)
    except BaseException as err:
        if not isinstance(err, TrainerError | Stopped):
            traceback.print_exc()
        state, reason, code = failed_by(err)
    print(f"{state}: {reason}")
    known = reached(Path(task.folder), higher_is_better=watched(monitors[0])[1]) if monitors else {}
    return Ended(task.trial, state, reason, code, **known)


def ended_by(ending: Ending) -> tuple[str, str, int]:
    """The state, reason and exit code of a run that could end by itself."""
    if ending.cause is None:
        return "finished", str(ending.state.reason), 0
    if isinstance(ending.cause, Stopped) and ending.cause.signal_name == PRUNED:
        return "pruned", "behind others after as many updates", 0
    return failed_by(ending.cause)


def failed_by(err: BaseException) -> tuple[str, str, int]:
    """The same of a run that something ended."""
    if isinstance(err, Stopped):
        return "stopped", err.signal_name, err.exit_code
    place = user_code.place(err) if isinstance(err, Exception) else None
    if isinstance(err, TrainerError):
        state = "diverged" if isinstance(err, DivergedError) else "failed"
        told = place if place and not any(problem.path for problem in err.problems) else ""
        return state, f"{told}: {err}" if told else str(err), err.exit_code
    message = f"{type(err).__name__}: {err}"
    return ("failed", f"{place}: {message}", 2) if place else ("failed", f"an error of ours: {message}", 1)


def wait_for(folder: Path, flag: StopFlag, clock: Callable[[], float] = time.monotonic) -> None:
    """Return when nobody holds a run directory. OutputError: somebody does for too long."""
    end = clock() + LOCK_SECONDS
    while folder.is_dir():
        try:
            Lock(folder).release()
            return
        except OutputError:
            if clock() > end:
                raise
            flag.check()
            time.sleep(0.1)
