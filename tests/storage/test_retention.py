import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from storage_fakes import Disk, Faulty, make, tree

from trainer_cli import checkpoint, retention, storage
from trainer_cli.checkpoint import FILES, newest, save, step_path, steps
from trainer_cli.errors import StorageError
from trainer_cli.lock import Lock


def spoil(path):
    (path / "state.json").write_bytes(b"spoilt")


def test_the_two_newest_and_the_best_stay(tmp_path):
    for step in (100, 200, 300, 400, 500):
        save(tmp_path, make(step, best=min(step, 200)))
    assert retention.prune(tmp_path) == [300, 100]
    assert steps(tmp_path) == [500, 400, 200]
    assert sorted(os.listdir(tmp_path / "checkpoints")) == [f"step-0000000{step}" for step in (200, 400, 500)]


def test_a_damaged_one_does_not_count_as_one_of_the_newest(tmp_path):
    for step in (100, 200, 300, 400):
        save(tmp_path, make(step, best=400))
    spoil(step_path(tmp_path, 400))
    assert retention.prune(tmp_path, keep=1) == [200, 100]
    assert steps(tmp_path) == [400, 300]


def test_with_nothing_whole_nothing_goes(tmp_path):
    for step in (100, 200, 300):
        spoil(save(tmp_path, make(step)))
    assert retention.prune(tmp_path, keep=1) == []
    assert steps(tmp_path) == [300, 200, 100]


def test_the_best_that_the_second_newest_knows_stays_for_a_fall_back(tmp_path):
    for step, best in ((100, 100), (200, 100), (300, 100), (400, 400)):
        save(tmp_path, make(step, best))
        retention.prune(tmp_path)
    assert steps(tmp_path) == [400, 300, 100]
    retention.prune(tmp_path, keep=1)
    assert steps(tmp_path) == [400]


def test_tidying_up_removes_what_a_crash_left_and_nothing_else(tmp_path):
    save(tmp_path, make(100))
    folder = tmp_path / "checkpoints"
    for name in (".tmp-step-0000000200-12-0123abcd", ".dead-step-0000000050-12-0123abcd"):
        (folder / name / "model").mkdir(parents=True)
        (folder / name / "state.json").write_bytes(b"half")
    (tmp_path / ".tmp-best.json-12-0123abcd").write_bytes(b"half")
    (tmp_path / ".tmp-model-best-12-0123abcd").symlink_to("nowhere")
    foreign = [".tmp-mine", "checkpoints/.dead-mine", "checkpoints/.tmp-step-0000000300-x", "checkpoints/.bad-step-1"]
    for name in foreign:
        (tmp_path / name).mkdir()
    kept = folder / ".tmp-step-0000000400-12-0123abcd"
    kept.mkdir()
    (kept / "thesis.tex").write_bytes(b"mine")
    with Lock(tmp_path) as lock:
        retention.tidy(tmp_path, lock)
    assert sorted(os.listdir(folder)) == sorted([*(Path(f).name for f in foreign[1:]), kept.name, "step-0000000100"])
    assert sorted(os.listdir(tmp_path)) == [".lock", ".tmp-mine", "checkpoints"]
    assert (kept / "thesis.tex").read_bytes() == b"mine"


@pytest.mark.parametrize("new_is_whole", [True, False, None])
def test_a_replacement_that_was_cut_short_is_settled(tmp_path, new_is_whole):
    path = save(tmp_path, make(100, version=1))
    was = path.with_name(f".was-{path.name}-1")
    path.rename(was)
    if new_is_whole is not None:
        save(tmp_path, make(100, version=2))
        save(tmp_path / "other", make(100, version=1))
        step_path(tmp_path / "other", 100).rename(was)
        if not new_is_whole:
            spoil(path)
    with Lock(tmp_path) as lock:
        retention.tidy(tmp_path, lock)
    assert newest(tmp_path).checkpoint.state["version"] == (2 if new_is_whole else 1)
    assert not was.exists()


def test_a_replaced_checkpoint_with_a_foreign_file_is_kept_but_no_longer_as_a_checkpoint(tmp_path):
    path = save(tmp_path, make(100, version=1))
    (path / "thesis.tex").write_bytes(b"mine")
    save(tmp_path, make(100, version=2))
    kept = tmp_path / "checkpoints" / ".old-step-0000000100-1"
    assert (kept / "thesis.tex").read_bytes() == b"mine"
    with Lock(tmp_path) as lock:
        retention.tidy(tmp_path, lock)
    assert newest(tmp_path).checkpoint.state["version"] == 2
    assert sorted(os.listdir(kept.parent)) == [kept.name, path.name]


def test_a_link_among_the_checkpoints_is_not_followed(tmp_path):
    save(tmp_path / "other", make(50))
    before = tree(tmp_path / "other")
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    for name in ("step-0000000050", ".tmp-step-0000000050-1-0123abcd"):
        (tmp_path / "run" / "checkpoints" / name).symlink_to("../../other/checkpoints/step-0000000050")
    save(tmp_path / "run", make(100))
    with Lock(tmp_path / "run") as lock:
        retention.tidy(tmp_path / "run", lock)
    assert retention.prune(tmp_path / "run", keep=1) == []
    assert tree(tmp_path / "other") == before


FOREIGN = ("notes.txt", "checkpoints/notes.txt", "checkpoints/step-1/a", "checkpoints/.tmp-x/a", "checkpoints/best/a")


class Retention(RuleBasedStateMachine):
    """Save, score, prune, damage, crash and resume in any order, with foreign files everywhere."""

    prune_run = staticmethod(retention.prune)

    @initialize()
    def begin(self):
        self.scratch = tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.run_dir, self.step, self.best, self.whole = Path(self.scratch.name), 0, 0, {}
        self.foreign = {self.run_dir / name: name.encode() for name in FOREIGN}
        for path, data in self.foreign.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    @rule(is_best=st.booleans(), ahead=st.integers(0, 3), fail_at=st.none() | st.integers(1, 60))
    def save(self, is_best, ahead, fail_at):
        step = self.step + 10 * ahead
        best = step if is_best or not self.whole else self.best
        storage.os = Faulty(fail_at, 28) if fail_at else Disk()
        try:
            checkpoint.save(self.run_dir, make(step, best))
        except StorageError:
            return
        finally:
            storage.os = Disk()
        self.step, self.best = step, best
        self.whole[step] = best

    @rule(keep=st.integers(1, 3), fail_at=st.none() | st.integers(1, 30))
    def prune(self, keep, fail_at):
        storage.os = Faulty(fail_at, 5, persistent=True) if fail_at else Disk()
        try:
            self.prune_run(self.run_dir, keep)
        except StorageError:
            pass
        finally:
            storage.os = Disk()
        kept = sorted(self.whole, reverse=True)[:keep]
        kept += [best for best in map(self.whole.get, kept) if best in self.whole]
        assert set(kept) <= set(steps(self.run_dir))
        self.whole = {step: best for step, best in self.whole.items() if step in steps(self.run_dir)}

    @rule()
    def crash_and_resume(self):
        with Lock(self.run_dir) as lock:
            retention.tidy(self.run_dir, lock)
            assert sorted(self.whole) == sorted(set(steps(self.run_dir)))

    @precondition(lambda self: len(self.whole) > 1)
    @rule(data=st.data())
    def damage(self, data):
        step = data.draw(st.sampled_from(sorted(self.whole)))
        spoil(step_path(self.run_dir, step))
        with Lock(self.run_dir) as lock:
            retention.tidy(self.run_dir, lock)
        storage.set_aside(step_path(self.run_dir, step), "bad")
        del self.whole[step]
        self.step = max(self.whole)
        self.best = self.whole[self.step]

    @rule(data=st.data())
    def leave_a_note_in_a_checkpoint(self, data):
        if self.whole:
            step = data.draw(st.sampled_from(sorted(self.whole)))
            folder = step_path(self.run_dir, step)
            if folder.is_dir():
                self.foreign[folder / "note.md"] = b"mine"
                (folder / "note.md").write_bytes(b"mine")

    @invariant()
    def foreign_files_are_as_they_were(self):
        for path, data in self.foreign.items():
            moved = [path, *self.run_dir.glob(f"checkpoints/.*{path.parent.name}-*/{path.name}")]
            assert any(place.is_file() and place.read_bytes() == data for place in moved), path

    @invariant()
    def the_newest_whole_one_loads(self):
        if self.whole:
            assert newest(self.run_dir).checkpoint.step >= max(self.whole)

    def teardown(self):
        if hasattr(self, "scratch"):
            self.scratch.cleanup()


FEW = settings(max_examples=60, stateful_step_count=15)
UNSHRUNK = settings(FEW, phases=[Phase.generate], report_multiple_bugs=False)


def test_no_order_of_saves_prunes_and_crashes_touches_a_foreign_file_or_loses_the_newest():
    run_state_machine_as_test(Retention, settings=FEW)


def prune_by_pattern(run_dir, keep):
    folders = [path for path in sorted((run_dir / "checkpoints").glob("*")) if path.is_dir()]
    for path in folders[:-keep]:
        shutil.rmtree(path)


def prune_without_best(run_dir, keep):
    for step in steps(run_dir)[keep:]:
        storage.remove_folder(step_path(run_dir, step), FILES)


def prune_newest(run_dir, keep):
    for step in steps(run_dir)[::-1][keep:]:
        storage.remove_folder(step_path(run_dir, step), FILES)


@pytest.mark.parametrize("bad", [prune_by_pattern, prune_without_best, prune_newest])
def test_a_careless_prune_is_found_out(bad):
    careless = type("Careless", (Retention,), {"prune_run": staticmethod(bad)})
    with pytest.raises((AssertionError, AttributeError)):
        run_state_machine_as_test(careless, settings=UNSHRUNK)
