"""Sweeps on Ray: the trials, rows and bits of a sweep without it, whatever becomes of its machines."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from commands import call, finish, start
from heads import head
from killing import token_mode
from run_fakes import config_of, outcome_of, write_data

from trainer_cli.cluster.processes import alive, descendants, running
from trainer_cli.errors import ClusterError
from trainer_cli.sweep.executor import Ended, Scored, Task
from trainer_cli.sweep.keeper import THREADS, Keeper
from trainer_cli.sweep.ray_pool import RayPool

pytest.importorskip("ray")

RATE = "optimizer.learn_rate.initial_rate"
RANDOM = f"{RATE}=1e-4..1e-1:log"
LONG = ("--training.max_steps=100000", "--training.eval_frequency=7", "--training.patience=0")
TOLD = ("trial", "params", "state", "reason", "score", "score_step", "scores", "steps", "threads", "exit_code", "curve")


@pytest.fixture
def folder(monkeypatch):
    """Of a short name: Ray has its sockets in it."""
    path = Path(tempfile.mkdtemp(prefix="e", dir="/tmp")).resolve()
    monkeypatch.chdir(path)
    config_of(write_data(path))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def sweep(*words, output="sweep", **more):
    return call("sweep", "run.cfg", "--output", output, *words, **more)


def trials(output="sweep"):
    rows = [json.loads(line) for line in Path(output, "trials.jsonl").read_text().splitlines()]
    return [{key: row[key] for key in TOLD if key in row} for row in rows]


def test_the_trials_on_ray_are_those_without(cluster, folder):
    words = (RANDOM, "--trials=3", "--workers=2", "--training.max_steps=14")
    said = sweep(*words, "--ray", output="there").stderr
    assert "2 at once, up to" in said
    assert "on a Ray cluster" in said
    sweep(*words, output="here")
    assert trials("there") == trials("here")
    found = [[outcome_of(Path(output, f"trial-000{n}")) for n in (1, 2, 3)] for output in ("there", "here")]
    assert found[0] == found[1]
    assert found[0][0] != found[0][1]  # the check sees a trial with another's values


def task_in(folder, number=1, **more):
    text = Path("run.cfg").read_text()
    (folder / "sweep.json").touch()
    return Task(number, "run.cfg", text, more.pop("words", LONG), "", str(folder / f"trial-{number:04d}"), **more)


def reports(pool, until, seconds=120):
    """What a pool tells, up to the first report of which `until` is true."""
    found, last = [], time.monotonic() + seconds
    while not any(map(until, found)):
        assert time.monotonic() < last, found
        found += pool.wait(0.1)
    return found


def is_end(report):
    return isinstance(report, Ended)


def is_score(report):
    return isinstance(report, Scored)


def test_a_trial_is_answered_and_asked_to_stop_and_its_keeper_takes_another(cluster, folder):
    pool = RayPool(cluster, 1, folder, 1, print)
    pool.submit(task_in(folder, asks=True))
    assert [report.step for report in reports(pool, is_score) if is_score(report)] == [7]
    pool.answer(1, go_on=True)
    assert [report.step for report in reports(pool, is_score) if is_score(report)] == [14]
    pool.answer(1, go_on=False)
    ended = reports(pool, is_end)[-1]
    assert (ended.state, ended.exit_code) == ("pruned", 0)
    assert 14 <= ended.steps < 21
    keeper = pool._idle[0].where.pid
    pool.submit(task_in(folder, 2))
    reports(pool, lambda report: type(report).__name__ == "Moved")
    pool.stop(2)
    ended = reports(pool, is_end)[-1]
    assert (ended.state, ended.reason, ended.exit_code) == ("stopped", "SIGTERM", 143)
    assert pool._idle[0].where.pid == keeper

    os.kill(keeper, signal.SIGKILL)  # of nobody's trial: another keeper takes the next
    pool.submit(task_in(folder, 3, words=("--training.max_steps=7",)))
    ended = reports(pool, is_end)[-1]
    assert (ended.state, ended.steps) == ("finished", 7)
    assert pool._idle[0].where.pid != keeper
    pool.close()


def test_closing_leaves_no_process_of_a_trial(cluster, folder):
    pool = RayPool(cluster, 1, folder, 1, print)
    pool.submit(task_in(folder, asks=True))
    reports(pool, is_score)
    pid = json.loads((folder / "trial-0001" / ".lock").read_text())["pid"]
    pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_trial_that_waits_for_a_machine_is_told_and_can_be_stopped(cluster, folder, monkeypatch):
    monkeypatch.setattr("trainer_cli.sweep.ray_pool.PATIENCE", 0.0)
    monkeypatch.setattr("trainer_cli.sweep.ray_pool.FAREWELL", 0.2)
    lines = []
    pool = RayPool(cluster, 1, folder, 1000, lines.append)
    pool.submit(task_in(folder))
    assert pool.wait(0.1) == []
    assert lines == ["trial 1 has not begun after 0 s: it waits for a machine with 1000 free cores"]
    pool.stop(1)
    assert reports(pool, is_end) == [Ended(1, "stopped", "SIGTERM", 143)]
    pool.close()


def test_a_trial_that_waits_for_a_machine_is_taken_by_a_keeper_that_is_free(cluster, folder, monkeypatch):
    """Else the free one would hold the cores for which the other waits."""
    monkeypatch.setattr("trainer_cli.sweep.ray_pool.HANDOVER", 0.5)
    pool = RayPool(cluster, 2, folder, 9, print)  # of 16 cores
    pool.submit(task_in(folder, 1, words=("--training.max_steps=7",)))
    reports(pool, lambda report: type(report).__name__ == "Began")
    pool.submit(task_in(folder, 2, words=("--training.max_steps=7",)))
    found = reports(pool, lambda report: is_end(report) and report.trial == 2)
    assert [(each.trial, each.state) for each in found if is_end(each)] == [(1, "finished"), (2, "finished")]
    assert len(pool._idle) == 1
    pool.close()


def test_a_machine_without_the_folder_of_the_sweep_is_no_place_for_trials(cluster, folder):
    pool = RayPool(cluster, 1, Path("/nowhere/sweep"), 1, print)
    pool.submit(task_in(folder))
    with pytest.raises(ClusterError, match=r"no trial can be trained on .*: .* to share it: /nowhere/sweep"):
        reports(pool, is_end)
    pool.close()


class Broken(Keeper):
    def __init__(self, *order):
        raise OSError("no room")


def test_keepers_that_cannot_start_end_the_sweep(cluster, folder, monkeypatch):
    monkeypatch.setattr("trainer_cli.sweep.ray_pool.Keeper", Broken)
    pool = RayPool(cluster, 1, folder, 1, print)
    pool.submit(task_in(folder))
    with pytest.raises(ClusterError, match=r"no trial can be started in the cluster: who was to keep one is lost: "):
        reports(pool, is_end)
    pool.close()


def interrupted():
    """A keeper that a Ctrl-C ends, as it would any process. Ray takes the code of such a class along."""

    class Interrupted(Keeper):
        def __init__(self, *order):
            super().__init__(*order)
            signal.signal(signal.SIGINT, signal.default_int_handler)

    return Interrupted


@pytest.mark.parametrize("is_mended", [True, False])
def test_a_ctrl_c_of_the_terminal_costs_no_keeper_whenever_it_comes(cluster, folder, monkeypatch, is_mended):
    """It reaches the keepers too, some of them before the sweep has asked their trials to stop."""
    monkeypatch.setattr("trainer_cli.sweep.ray_pool.Keeper", Keeper if is_mended else interrupted())
    pool = RayPool(cluster, 1, folder, 1, print)
    pool.submit(task_in(folder, asks=True))
    reports(pool, is_score)
    keeper, found, last = pool._seats[1].where.pid, [], time.monotonic() + (1 if is_mended else 120)
    while not found and time.monotonic() < last:  # one that comes between two questions costs nobody anything
        with suppress(ProcessLookupError):
            os.kill(keeper, signal.SIGINT)
        found = pool.wait(0.1)
    if is_mended:
        assert found == []
        pool.answer(1, go_on=False)
        found = reports(pool, is_end)
    assert found[-1].state == ("pruned" if is_mended else "killed")
    pool.close()


def test_a_keeper_has_the_threads_of_the_sweep_not_those_of_ray(tmp_path, monkeypatch):
    monkeypatch.setattr("trainer_cli.sweep.keeper.leave_interrupts", lambda: None)
    monkeypatch.setitem(vars(sys.modules["__main__"]), "__file__", "ray.py")
    monkeypatch.setenv(THREADS, "7")
    Keeper(os.getcwd(), str(tmp_path), "3")
    assert os.environ[THREADS] == "3"
    Keeper(os.getcwd(), str(tmp_path), None)
    assert THREADS not in os.environ


def has_trained(trial):
    path = Path(f"sweep/trial-{trial:04d}/metrics.jsonl")
    return path.is_file() and path.stat().st_size > 0


def line_of(trial):
    """The process of a trial, the one of which it is a copy, and that of Ray which keeps it."""
    parents = {process.pid: (process, parent) for process, parent in running()}
    found, pid = [], json.loads(Path(f"sweep/trial-{trial:04d}/.lock").read_text())["pid"]
    for _ in range(3):
        process, pid = parents[pid]
        found.append(process)
    return found


def test_a_trial_whose_keeper_is_killed_is_a_row_and_goes_on_to_the_same_bits(cluster, folder):
    steps = ("--training.max_steps=1400", *LONG[1:], "--checkpoints.max_seconds=0.1")

    def kill():
        while not has_trained(2):
            time.sleep(0.01)
        os.kill(line_of(2)[-1].pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    words = (RANDOM, "--trials=2", "--workers=2", *steps, "--ray")
    assert "trial   2 killed" in sweep(*words).stderr
    killer.join()
    first, second = trials()
    assert (first["state"], first["steps"]) == ("finished", 1400)
    assert (second["state"], second["exit_code"]) == ("killed", 4)
    assert re.fullmatch(r"its process of Ray on \S+ is lost: \w+Error: .*", second["reason"])
    sweep(*words, "--resume")
    assert [(row["state"], row["steps"]) for row in trials()] == [("finished", 1400)] * 2
    assert "going on from step" in Path("sweep/trial-0002.log").read_text()
    call("train", "run.cfg", "--output", "alone", *steps, f"--{RATE}={trials()[1]['params'][RATE]}")
    assert outcome_of(Path("alone")) == outcome_of(Path("sweep/trial-0002"))


def test_a_sweep_whose_cluster_is_lost_has_rows_that_say_so_and_goes_on(folder):
    often = "--checkpoints.max_seconds=0.1"
    with head(2, **token_mode()) as lost:
        long = begun(folder, often, where=f"--address={lost.address}")
        lost.kill()
        code, _, said = finish(long)
    assert code == 4, said
    why = "the head of the cluster could not be reached for 20 s"
    assert why in said.decode()
    assert [(row["state"], row["reason"], row["exit_code"]) for row in trials()] == [("killed", why, 4)] * 2
    before = [row["steps"] for row in trials()]
    assert min(before) > 0
    again = begun(folder, often, "--resume")
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


SLOW = """import time
from trainer_cli.api import registry


@registry.loggers('slow.v1')
class Slow:
    def log(self, row):
        time.sleep(100)

    def close(self):
        pass
"""


def begun(folder, *words, where="--ray"):
    """A sweep of two long trials, on a cluster of its own."""
    more = ("--trials=2", "--workers=2", where, *LONG, *words)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": {"TMPDIR": str(folder)}}
    process = start("sweep", "run.cfg", "--output", "sweep", RANDOM, *more, start_new_session=True, **pipes)
    while not all(map(has_trained, (1, 2))):
        assert process.poll() is None, finish(process)
        time.sleep(0.02)
    return process


def left(folder):
    return [path.name for pattern in ("ray-*", "pymp-*") for path in folder.glob(pattern)]


def test_ctrl_c_saves_the_trials_and_leaves_nothing(folder):
    process = begun(folder)
    family = descendants(process.pid)
    assert {each for trial in (1, 2) for each in line_of(trial)} < set(family)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it
    code, _, said = finish(process)
    assert code == 130, said
    assert b"Stopped (SIGINT): 2 trials: 2 stopped in " in said
    assert [(row["state"], row["reason"], row["exit_code"]) for row in trials()] == [("stopped", "SIGINT", 143)] * 2
    assert all(row["steps"] > 0 for row in trials())
    assert not alive(family)
    assert left(folder) == []


def are_gone(processes, seconds=10):
    end = time.monotonic() + seconds
    while alive(processes):
        assert time.monotonic() < end, "processes are left behind"
        time.sleep(0.05)


def test_a_second_ctrl_c_ends_all_at_once(folder):
    (folder / "slow.py").write_text(SLOW)
    with open("run.cfg", "a", encoding="utf-8") as file:
        file.write('\n[loggers.slow]\n@loggers = "slow.v1"\n')
    process = begun(folder, "--code", "slow.py")
    trials = [*line_of(1), *line_of(2)]
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert finish(process)[0] == 130
    are_gone(trials)


def test_a_killed_sweep_leaves_no_trial(folder):
    process = begun(folder)
    found = [*line_of(1), *line_of(2)]
    process.kill()
    finish(process)
    are_gone(found)
    assert {row["state"] for row in trials()} == {"running"}
