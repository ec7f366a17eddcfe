"""A disk that fills up costs a run nothing as long as the last save succeeds."""

import errno
import itertools

import pytest
from run_fakes import Clock, FullDisk, Silent, config_of, outcome_of, rows, steps, train

from trainer_cli import storage
from trainer_cli.checkpoint import Checkpoint
from trainer_cli.errors import StorageError
from trainer_cli.saver import Saver

SHORT = ("--training.max_steps", 5, "--training.eval_frequency", 2, "--checkpoints.max_seconds", 1e-9)


def train_on(disk, config, run_dir, monkeypatch, **more):
    """Train on a faulty disk; why the run was cut short, or None."""
    with monkeypatch.context() as patch:
        patch.setattr(storage, "os", disk)
        try:
            return train(config, run_dir, clock=Clock(tick=1), **more).cause
        except StorageError as err:  # before there is a run
            return err


def n_calls(config, run_dir, monkeypatch):
    disk = FullDisk()
    assert train_on(disk, config, run_dir, monkeypatch) is None
    return disk.n_calls


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_call_that_fails_once_costs_nothing(data, monkeypatch, code):
    config = config_of(data, *SHORT)
    n = n_calls(config, data / "whole", monkeypatch)
    expected, completed = outcome_of(data / "whole"), 0
    for at in range(1, n, 9):
        run_dir, progress = data / str(at), Silent()
        cause = train_on(FullDisk([at], code), config, run_dir, monkeypatch, progress=progress)
        completed += cause is None
        if cause is not None:
            assert cause.exit_code == 4
            assert errno.errorcode[code] in str(cause)
            train(config, run_dir, resume=True)
        assert outcome_of(run_dir) == expected, f"call {at}"
    assert completed > n // 18  # most of the calls are of saves that are tried again


def test_a_disk_that_stays_full_ends_the_run_at_its_last_save(data, monkeypatch):
    config = config_of(data, *SHORT)
    n = n_calls(config, data / "whole", monkeypatch)
    for at in range(1, n, 16):
        run_dir = data / str(at)
        cause = train_on(FullDisk(range(at, 10_000)), config, run_dir, monkeypatch)
        assert isinstance(cause, StorageError) or at > n - 60, f"call {at}"
        train(config, run_dir, resume=True)
        assert outcome_of(run_dir) == outcome_of(data / "whole")


def test_the_first_save_is_required_at_once(data, monkeypatch):
    class Started(Silent):
        def step(self, step, state):
            raise AssertionError("trained without a first checkpoint")

    checkpoints = iter([True])
    commit = storage.commit_folder

    def full(path, files):
        if next(checkpoints, False):
            raise StorageError(f"{path}: could not be written: No space left on device (ENOSPC)")
        commit(path, files)

    monkeypatch.setattr(storage, "commit_folder", full)
    ending = train(config_of(data), data / "run", progress=Started())
    assert isinstance(ending.cause, StorageError)
    assert (ending.saved, steps(data / "run")) == (None, [])


def fail_saves(monkeypatch, *which):
    """Fail the saves with these numbers, from 0."""
    count, commit = itertools.count(), storage.commit_folder

    def full(path, files):
        if next(count) in which:
            raise StorageError(f"{path}: could not be written: No space left on device (ENOSPC)")
        commit(path, files)

    monkeypatch.setattr(storage, "commit_folder", full)


def test_a_save_that_fails_is_told_and_tried_again(data, monkeypatch):
    train(config_of(data, *SHORT), data / "whole", clock=Clock(tick=1))
    fail_saves(monkeypatch, 2, 3)
    progress = Silent()
    ending = train(config_of(data, *SHORT), data / "run", clock=Clock(tick=1), progress=progress)
    assert ending.cause is None
    assert len(progress.warnings) == 2
    assert "is not saved, the next save tries again" in progress.warnings[0]
    assert "No space left on device (ENOSPC)" in progress.warnings[0]
    assert outcome_of(data / "run") == outcome_of(data / "whole")


def test_a_last_save_that_fails_is_exit_4_and_can_be_made_up_for(data, monkeypatch):
    train(config_of(data, *SHORT), data / "whole", clock=Clock(tick=1))
    with monkeypatch.context() as patch:
        fail_saves(patch, 5)
        ending = train(config_of(data, *SHORT), data / "run", clock=Clock(tick=1))
    assert ending.cause.exit_code == 4
    assert ending.saved.name == "step-0000000004"
    train(config_of(data, *SHORT), data / "run", resume=True)
    assert outcome_of(data / "run") == outcome_of(data / "whole")


def test_a_log_that_cannot_be_written_waits_for_the_next_save(data, monkeypatch):
    appended, append = itertools.count(), storage.append_file

    def full(path, line):
        if next(appended) in (0, 1):
            raise StorageError(f"{path}: full")
        append(path, line)

    monkeypatch.setattr(storage, "append_file", full)
    progress = Silent()
    ending = train(config_of(data), data / "run", progress=progress, clock=Clock())
    assert ending.cause is None
    assert [row["step"] for row in rows(data / "run")] == [7, 14, 21, 28, 35, 42, 49, 56, 60]
    assert "the log waits for the next save" in progress.warnings[0]


def test_the_comparison_sees_a_log_that_lost_a_line(data, monkeypatch):
    config = config_of(data)
    train(config, data / "whole")
    monkeypatch.setattr(Saver, "_flush", lambda self, journal: self._unwritten.clear())
    train(config, data / "run")
    assert outcome_of(data / "run") != outcome_of(data / "whole")


# The policy of saving, on its own.


def a_checkpoint(step, best=None):
    state = {"step": step, "best": None if best is None else {"step": best, "score": 0.5}}
    return Checkpoint(step, {"meta.json": b"{}"}, {}, state)


def a_saver(run_dir, clock, **more):
    told = []
    options = {"keep": 2, "max_seconds": 300.0, "tell": told.append, "detail": told.append, **more}
    return Saver(run_dir, run_dir / "metrics.jsonl", clock=clock, **options), told


def test_a_save_is_due_when_it_costs_a_thirtieth_of_the_time_since_the_last(tmp_path):
    clock = Clock()
    saver, _ = a_saver(tmp_path, clock)
    clock.tick = 1.0
    saver.save(a_checkpoint(0), required=True)  # looks at the clock twice: it took a second
    clock.tick, end = 0.0, clock.now
    clock.now = end + 30
    assert not saver.is_due(evaluated=True)
    clock.now = end + 30.1
    assert saver.is_due(evaluated=True)
    assert not saver.is_due(evaluated=False)
    clock.now = end + 300
    assert saver.is_due(evaluated=False)


def test_nothing_is_due_right_after_the_start(tmp_path):
    assert not a_saver(tmp_path, lambda: 17.0)[0].is_due(evaluated=True)


def test_a_clock_that_goes_back_saves_nothing_and_breaks_nothing(tmp_path):
    clock = Clock()
    clock.now = 100.0
    saver, _ = a_saver(tmp_path, clock)
    clock.now = -1e9
    assert not saver.is_due(evaluated=True)


def test_the_best_that_is_held_is_written_before_what_names_it(tmp_path):
    saver, told = a_saver(tmp_path, Clock())
    saver.keep_best(a_checkpoint(7, best=7), final=False)
    saver.save(a_checkpoint(9, best=7), required=True)
    assert told == ["saved step 7", "saved step 9"]


def test_a_best_that_was_beaten_is_not_written(tmp_path):
    saver, told = a_saver(tmp_path, Clock())
    saver.keep_best(a_checkpoint(7, best=7), final=False)
    saver.keep_best(a_checkpoint(8, best=8), final=False)
    saver.save(a_checkpoint(9, best=8), required=True)
    assert told == ["saved step 8", "saved step 9"]


def test_the_best_before_a_final_one_is_written_as_well(tmp_path):
    saver, told = a_saver(tmp_path, Clock())
    saver.keep_best(a_checkpoint(7, best=7), final=False)
    saver.keep_best(a_checkpoint(9, best=9), final=True)
    saver.save(a_checkpoint(9, best=9), required=True)
    assert told == ["saved step 7", "saved step 9"]


def test_a_best_whose_save_failed_is_still_held(tmp_path, monkeypatch):
    saver, told = a_saver(tmp_path, Clock())
    saver.keep_best(a_checkpoint(7, best=7), final=False)
    with monkeypatch.context() as patch:
        patch.setattr(storage, "os", FullDisk([1]))
        saver.save(a_checkpoint(7, best=7), required=False)
    assert "step 7 is not saved" in told[0]
    saver.save(a_checkpoint(9, best=7), required=True)
    assert told[1:] == ["saved step 7", "saved step 9"]


def test_an_old_checkpoint_that_cannot_be_deleted_makes_no_save_fail(tmp_path, monkeypatch):
    saver, told = a_saver(tmp_path, Clock(), keep=1)
    saver.save(a_checkpoint(1), required=True)

    def stuck(*args):
        raise StorageError("no permission")

    monkeypatch.setattr(storage, "remove_folder", stuck)
    saver.save(a_checkpoint(2), required=True)
    assert told == [
        "saved step 1",
        "saved step 2",
        "old checkpoints are not deleted, the next save tries again: no permission",
    ]
    assert steps(tmp_path) == [2, 1]


def test_saved_is_said_only_when_the_checkpoint_is_whole(tmp_path, monkeypatch):
    saver, told = a_saver(tmp_path, Clock())
    monkeypatch.setattr(storage, "os", FullDisk(range(10, 20)))
    with pytest.raises(StorageError):
        saver.save(a_checkpoint(3), required=True)
    assert told == []


def test_the_check_sees_a_best_that_is_let_go_before_it_is_written(tmp_path, monkeypatch):
    def hasty(self, newest):
        self._bests.clear()
        self._write(newest)

    monkeypatch.setattr(Saver, "_write_all", hasty)
    with pytest.raises(AssertionError):
        test_a_best_whose_save_failed_is_still_held(tmp_path, monkeypatch)
