"""Who keeps a trial on a machine of a cluster: what a terminal or Ray asks of it does not reach the trial."""

import os
import signal
import sys
import time
from contextlib import suppress

import pytest
from sweeps import is_end, is_score, reports, task_in

from trainer_cli.sweep.keeper import THREADS, Keeper
from trainer_cli.sweep.ray_pool import RayPool

pytest.importorskip("ray")


def interrupted():
    """A keeper that a Ctrl-C ends, as it would any process. Ray takes the code of such a class along."""

    class Interrupted(Keeper):
        def __init__(self, *order):
            super().__init__(*order)
            signal.signal(signal.SIGINT, signal.default_int_handler)

    return Interrupted


@pytest.mark.parametrize("is_mended", [True, False])
def test_a_ctrl_c_of_the_terminal_costs_no_keeper_whenever_it_comes(cluster, short_folder, monkeypatch, is_mended):
    """It reaches the keepers too, some of them before the sweep has asked their trials to stop."""
    monkeypatch.setattr("trainer_cli.sweep.ray_pool.Keeper", Keeper if is_mended else interrupted())
    pool = RayPool(cluster, 1, short_folder, 1, print)
    pool.submit(task_in(short_folder, asks=True))
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
