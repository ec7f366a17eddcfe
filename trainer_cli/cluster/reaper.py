"""A process that outlives its driver by a moment, to end what that has left: agents of Ray would stay for a minute."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from trainer_cli.cluster.processes import Process

# It reads until the driver's end of the pipe is closed, which the system does for one that is killed. A process of a
# number is the one that is meant if it was started when that was (the 22nd field of proc_pid_stat(5)).
PROGRAM = """
import os, signal, sys
sys.stdin.read()
for word in sys.argv[1:]:
    pid, start = word.split(":")
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            if int(file.read().rpartition(b")")[2].split()[19]) == int(start):
                os.kill(int(pid), signal.SIGKILL)
    except OSError:
        pass
"""


@contextmanager
def reaped(processes: Collection[Process]) -> Iterator[None]:
    """If this process is killed within the block, these are killed at once."""
    words = [f"{process.pid}:{process.start}" for process in processes]
    reaper = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", PROGRAM, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # what the terminal's keys end does not concern it
    )
    try:
        yield
    finally:
        reaper.kill()
        reaper.communicate()
