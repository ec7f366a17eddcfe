"""Processes of trials: how their ends are told, and what signals to others do to them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trainer_cli.sweep.executor import Ended, Scored, Task, message_of, report_of, task_of
from trainer_cli.sweep.pool import Pool, told_by

TASK = Task(1, "run.cfg", "no config", (), "", "trial-0001")


@pytest.mark.parametrize(
    ("code", "was_asked", "expected"),
    [
        (3, False, Ended(1, "failed", "its process ended with exit code 3", 3)),
        (0, False, Ended(1, "failed", "its process ended with exit code 0", 1)),
        (-9, False, Ended(1, "killed", "its process was ended by SIGKILL: out of memory?", 137)),
        (-11, False, Ended(1, "killed", "its process was ended by SIGSEGV", 139)),
        (-15, True, Ended(1, "stopped", "SIGTERM", 143)),
    ],
)
def test_the_end_of_a_process_is_told(code, was_asked, expected):
    assert told_by(1, code, was_asked=was_asked) == expected


def test_tasks_and_reports_arrive_as_they_were_sent():
    assert task_of(TASK.message()) == TASK
    report = Scored(3, 7, 0.1 + 0.2, is_past=True)
    assert report_of(message_of(report)) == report


def ends(pool, seconds=120):
    """The reports of all trials that run, until each has ended."""
    found, last = [], time.monotonic() + seconds
    while pool._workers:
        assert time.monotonic() < last
        found += pool.wait(0.1)
    return found


def test_a_config_that_is_none_is_a_failure_with_its_place(tmp_path):
    pool = Pool(1, tmp_path)
    pool.submit(TASK)
    (ended,) = ends(pool)
    assert (ended.state, ended.exit_code) == ("failed", 2)
    assert ended.reason.startswith("run.cfg:1: ")
    assert (tmp_path / "trial-0001.log").read_text() == f"failed: {ended.reason}\n"


CODE = {
    "crashes": ("import os\nos.kill(os.getpid(), 11)\n", "killed", "its process was ended by SIGSEGV", 139),
    "exits": ("import os\nos._exit(7)\n", "failed", "its process ended with exit code 7", 7),
    "raises": ("raise ValueError('odd')\n", "failed", "raises.py:1: ValueError: odd", 2),
}


@pytest.mark.parametrize("name", CODE)
def test_whatever_ends_a_process_ends_one_trial(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    text, state, reason, code = CODE[name]
    Path(f"{name}.py").write_text(text)
    pool = Pool(2, tmp_path)
    pool.submit(Task(1, "run.cfg", "no config", (), "", "trial-0001", code=(f"{name}.py",)))
    pool.submit(Task(2, "run.cfg", "no config", (), "", "trial-0002"))
    found = {report.trial: report for report in ends(pool)}
    assert (found[1].state, found[1].reason, found[1].exit_code) == (state, reason, code)
    assert found[2].reason.startswith("run.cfg:1: ")


def test_closing_leaves_no_process(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("slow.py").write_text("import os, time\nopen(f'pid-{os.getpid()}', 'w').close()\ntime.sleep(100)\n")
    pool = Pool(1, tmp_path)
    pool.submit(Task(1, "run.cfg", "", (), "", "trial-0001", code=("slow.py",)))
    while not (found := list(tmp_path.glob("pid-*"))):
        assert pool.wait(0.05) == []
    pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int(found[0].name.partition("-")[2]), 0)


GROUP = """
import os, signal, sys, time
from multiprocessing import forkserver
from pathlib import Path
from trainer_cli.sweep.executor import Task
from trainer_cli.sweep.pool import Pool
signal.signal(signal.SIGTERM, lambda number, frame: None)
signal.signal(signal.SIGHUP, lambda number, frame: None)
pool = Pool(1, Path("."))
pool.submit(Task(1, "run.cfg", "no config", (), "", "trial-0001", code=("slow.py",)))
while not Path("waits").exists():
    pool.wait(0.05)
server = forkserver._forkserver._forkserver_pid
status = Path(f"/proc/{server}/status").read_text()
blocked = int(status.partition("SigBlk:")[2].split()[0], 16)
assert all(blocked >> (number - 1) & 1 for number in (signal.SIGTERM, signal.SIGHUP)), hex(blocked)
os.killpg(0, int(sys.argv[1]))
Path("go").touch()
found = []
while not found:
    found = pool.wait(0.1)
print(found[0].state, found[0].reason)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_group_of_a_sweep_does_not_reach_its_trials(tmp_path, number):
    """As `timeout` sends it, or a terminal that is closed."""
    slow = "import os, time\nopen('waits', 'w').close()\nwhile not os.path.exists('go'):\n    time.sleep(0.01)\n"
    (tmp_path / "slow.py").write_text(slow)
    words = [sys.executable, "-c", GROUP, str(int(number))]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, start_new_session=True, check=False)
    assert done.stdout.startswith("failed run.cfg:1: "), done.stderr
