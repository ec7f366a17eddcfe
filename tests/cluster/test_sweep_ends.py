"""Sweeps on Ray that are ended, by whom and however it be: the trials are saved, and nothing is left behind."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
from commands import finish
from heads import head
from killing import token_mode
from sweeps import begun, line_of, trials

from trainer_cli.cluster.processes import alive, descendants

pytest.importorskip("ray")


SLOW = """import time
from trainer_cli.api import registry


@registry.loggers('slow.v1')
class Slow:
    def log(self, row):
        time.sleep(100)

    def close(self):
        pass
"""


def left(folder):
    return [path.name for pattern in ("ray-*", "pymp-*") for path in folder.glob(pattern)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_saves_the_trials_and_leaves_nothing(short_folder, number):
    """A Ctrl-C of the terminal, and what ends a job. SIGTERM ends the processes of Ray as well, keepers among them."""
    process = begun(short_folder)
    family = descendants(process.pid)
    assert {each for trial in (1, 2) for each in line_of(trial)} < set(family)
    os.killpg(process.pid, number)
    code, _, said = finish(process)
    assert code == 128 + number, said
    assert f"Stopped ({number.name}): 2 trials: 2 stopped in " in said.decode()
    assert [(row["state"], row["reason"], row["exit_code"]) for row in trials()] == [("stopped", number.name, 143)] * 2
    assert all(row["steps"] > 0 for row in trials())
    assert not alive(family)
    assert left(short_folder) == []


def are_gone(processes, seconds=10):
    end = time.monotonic() + seconds
    while alive(processes):
        assert time.monotonic() < end, "processes are left behind"
        time.sleep(0.05)


def test_a_second_ctrl_c_ends_all_at_once(short_folder):
    (short_folder / "slow.py").write_text(SLOW)
    with open("run.cfg", "a", encoding="utf-8") as file:
        file.write('\n[loggers.slow]\n@loggers = "slow.v1"\n')
    process = begun(short_folder, "--code", "slow.py")
    trials = [*line_of(1), *line_of(2)]
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert finish(process)[0] == 130
    are_gone(trials)


def test_a_killed_sweep_leaves_no_trial(short_folder):
    process = begun(short_folder)
    found = [*line_of(1), *line_of(2)]
    process.kill()
    finish(process)
    are_gone(found)
    assert not any(short_folder.glob("pymp-*"))  # of those who have kept the trials
    assert {row["state"] for row in trials()} == {"running"}


def test_a_sweep_whose_cluster_is_lost_has_rows_that_say_so_and_goes_on(short_folder):
    often = "--checkpoints.max_seconds=0.1"
    with head(2, **token_mode()) as lost:
        long = begun(short_folder, often, where=f"--address={lost.address}")
        lost.kill()
        code, _, said = finish(long)
    assert code == 4, said
    why = "the head of the cluster could not be reached for 20 s"
    assert why in said.decode()
    assert [(row["state"], row["reason"], row["exit_code"]) for row in trials()] == [("killed", why, 4)] * 2
    before = [row["steps"] for row in trials()]
    assert min(before) > 0
    again = begun(short_folder, often, "--resume")
    while not all(map(came_from, (1, 2))):
        assert again.poll() is None, finish(again)
        time.sleep(0.02)
    again.send_signal(signal.SIGINT)
    assert finish(again)[0] == 130
    assert [row["state"] for row in trials()] == ["stopped"] * 2
    assert all(came_from(n) >= steps for n, steps in enumerate(before, 1))


def came_from(trial):
    """The step from which a trial was gone on with."""
    found = re.search(r"going on from step (\d+)", Path(f"sweep/trial-{trial:04d}.log").read_text())
    return found and int(found[1])
