from __future__ import annotations

import threading

import numpy as np
import pytest

from trainer_cli.ops.workers import N_RUNS, Workers, rows_of


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_every_part_is_done_once(n_threads: int) -> None:
    done: list[int] = []
    workers = Workers(n_threads)
    for n_parts in (0, 1, 3, 40):
        done.clear()
        workers.each(n_parts, done.append)
        assert sorted(done) == list(range(n_parts))


def test_parts_run_at_the_same_time() -> None:
    meeting = threading.Barrier(3, timeout=30)
    Workers(3).each(3, lambda _: meeting.wait() and None)


def test_what_a_part_raises_is_raised() -> None:
    def work(part: int) -> None:
        raise ValueError(part)

    with pytest.raises(ValueError):
        Workers(2).each(4, work)


def test_threads_heed_what_the_caller_said_of_warnings() -> None:
    zeros = np.zeros(3, np.float32)
    with np.errstate(all="ignore"):
        Workers(2).each(8, lambda _: np.divide(zeros, zeros) is None)


@pytest.mark.parametrize("n_rows", [1, 7, 16, 41])
def test_runs_are_all_rows_in_order(n_rows: int) -> None:
    runs = [rows_of(run, n_rows) for run in range(min(N_RUNS, n_rows))]
    assert [row for run in runs for row in range(n_rows)[run]] == list(range(n_rows))
    sizes = {run.stop - run.start for run in runs}
    assert max(sizes) - min(sizes) <= 1
