"""The processes that a process has started, and theirs: they end before it goes on, whatever they are at."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import NamedTuple

# Waiting processes are looked at so often, in seconds.
LOOK = 0.02


class Process(NamedTuple):
    """A process; by the time it was started at, in ticks since the machine was, no later one of the number is it."""

    pid: int
    start: int


def descendants(pid: int) -> list[Process]:
    """The processes that `pid` has started, those that these have started, and so on, as /proc has them (Linux)."""
    children: dict[int, list[Process]] = {}
    for process, parent in running():
        children.setdefault(parent, []).append(process)
    found = list(children.get(pid, ()))
    for process in found:
        found += children.get(process.pid, ())
    return found


def end(processes: Collection[Process], seconds: float) -> None:
    """Wait until these have ended, and kill those that have not after so many seconds."""
    deadline = time.monotonic() + seconds
    while (left := alive(processes)) and time.monotonic() < deadline:
        time.sleep(LOOK)
    for process in left:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)


def alive(processes: Collection[Process]) -> set[Process]:
    """Those of them that have not ended."""
    return set(processes) & {process for process, _ in running()} if processes else set()


def running() -> Iterator[tuple[Process, int]]:
    """All processes that have not ended, each with its parent's number."""
    names = os.listdir("/proc") if os.path.isdir("/proc") else []
    for name in filter(str.isdigit, names):
        with suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
            # What stands before is the name of the program, in which there may be anything (proc_pid_stat(5)).
            state, parent, *fields = file.read().rpartition(b")")[2].split()
            if state not in (b"Z", b"X"):
                yield Process(int(name), int(fields[17])), int(parent)
