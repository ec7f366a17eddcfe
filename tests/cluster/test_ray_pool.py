"""Who gives trials to the machines of a cluster: what is asked reaches them, and what cannot be is told."""

import json
import os
import signal
from pathlib import Path

import pytest
from sweeps import is_end, is_score, reports, task_in

from trainer_cli.errors import ClusterError
from trainer_cli.sweep.executor import Ended
from trainer_cli.sweep.keeper import Keeper
from trainer_cli.sweep.ray_pool import RayPool

pytest.importorskip("ray")


def test_a_trial_is_answered_and_asked_to_stop_and_its_keeper_takes_another(cluster, short_folder):
    pool = RayPool(cluster, 1, short_folder, 1, print)
    pool.submit(task_in(short_folder, asks=True))
    assert [report.step for report in reports(pool, is_score) if is_score(report)] == [7]
    pool.answer(1, go_on=True)
    assert [report.step for report in reports(pool, is_score) if is_score(report)] == [14]
    pool.answer(1, go_on=False)
    ended = reports(pool, is_end)[-1]
    assert (ended.state, ended.exit_code) == ("pruned", 0)
    assert 14 <= ended.steps < 21
    keeper = pool._idle[0].where.pid
    pool.submit(task_in(short_folder, 2))
    reports(pool, lambda report: type(report).__name__ == "Moved")
    pool.stop(2)
    ended = reports(pool, is_end)[-1]
    assert (ended.state, ended.reason, ended.exit_code) == ("stopped", "SIGTERM", 143)
    assert pool._idle[0].where.pid == keeper

    os.kill(keeper, signal.SIGKILL)  # of nobody's trial: another keeper takes the next
    pool.submit(task_in(short_folder, 3, words=("--training.max_steps=7",)))
    ended = reports(pool, is_end)[-1]
    assert (ended.state, ended.steps) == ("finished", 7)
    assert pool._idle[0].where.pid != keeper
    pool.close()


def test_closing_leaves_no_process_of_a_trial(cluster, short_folder):
    pool = RayPool(cluster, 1, short_folder, 1, print)
    pool.submit(task_in(short_folder, asks=True))
    reports(pool, is_score)
    pid = json.loads((short_folder / "trial-0001" / ".lock").read_text())["pid"]
    pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_trial_that_waits_for_a_machine_is_told_and_can_be_stopped(cluster, short_folder, monkeypatch):
    monkeypatch.setattr("trainer_cli.sweep.ray_pool.PATIENCE", 0.0)
    monkeypatch.setattr("trainer_cli.sweep.ray_pool.FAREWELL", 0.2)
    lines = []
    pool = RayPool(cluster, 1, short_folder, 1000, lines.append)
    pool.submit(task_in(short_folder))
    assert pool.wait(0.1) == []
    assert lines == ["trial 1 has not begun after 0 s: it waits for a machine with 1000 free cores"]
    pool.stop(1)
    assert reports(pool, is_end) == [Ended(1, "stopped", "SIGTERM", 143)]
    pool.close()


def test_a_trial_that_waits_for_a_machine_is_taken_by_a_keeper_that_is_free(cluster, short_folder, monkeypatch):
    """Else the free one would hold the cores for which the other waits."""
    monkeypatch.setattr("trainer_cli.sweep.ray_pool.HANDOVER", 0.5)
    pool = RayPool(cluster, 2, short_folder, 9, print)  # of 16 cores
    pool.submit(task_in(short_folder, 1, words=("--training.max_steps=7",)))
    reports(pool, lambda report: type(report).__name__ == "Began")
    pool.submit(task_in(short_folder, 2, words=("--training.max_steps=7",)))
    found = reports(pool, lambda report: is_end(report) and report.trial == 2)
    assert [(each.trial, each.state) for each in found if is_end(each)] == [(1, "finished"), (2, "finished")]
    assert len(pool._idle) == 1
    pool.close()


def test_a_machine_without_the_folder_of_the_sweep_is_no_place_for_trials(cluster, short_folder):
    pool = RayPool(cluster, 1, Path("/nowhere/sweep"), 1, print)
    pool.submit(task_in(short_folder))
    with pytest.raises(ClusterError, match=r"no trial can be trained on .*: .* to share it: /nowhere/sweep"):
        reports(pool, is_end)
    pool.close()


class Broken(Keeper):
    def __init__(self, *order):
        raise OSError("no room")


def test_keepers_that_cannot_start_end_the_sweep(cluster, short_folder, monkeypatch):
    monkeypatch.setattr("trainer_cli.sweep.ray_pool.Keeper", Broken)
    pool = RayPool(cluster, 1, short_folder, 1, print)
    pool.submit(task_in(short_folder))
    with pytest.raises(ClusterError, match=r"no trial can be started in the cluster: who was to keep one is lost: "):
        reports(pool, is_end)
    pool.close()
