import os

import pytest
from storage_fakes import make, tree

from trainer_cli import checkpoint, output, pointers, storage
from trainer_cli.errors import ArgumentError, OutputError, StorageError
from trainer_cli.output import claim, set_aside


def a_run(folder):
    with claim(folder, resume=False, overwrite=False):
        saved = make(100, best=100)
        checkpoint.save(folder, saved)
        pointers.refresh(folder, {**saved.state, "step": 100})
        for name in ("config.cfg", "run.json", "metrics.jsonl", "report.html"):
            (folder / name).write_bytes(name.encode())
    return folder


def take(folder, **flags):
    with claim(folder, **{"resume": False, "overwrite": False, **flags}) as lock:
        if flags.get("overwrite"):
            set_aside(lock)
        return lock.folder


def test_a_directory_that_is_not_there_is_made(tmp_path):
    assert take(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert os.listdir(tmp_path / "a" / "b") == [".lock"]


def test_an_empty_directory_and_one_where_a_run_died_at_once_are_taken(tmp_path):
    take(tmp_path)
    take(tmp_path)


def test_without_a_flag_what_is_not_empty_is_refused_and_not_touched(tmp_path):
    a_run(tmp_path / "run")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.tex").write_bytes(b"mine")
    before = tree(tmp_path)
    for name, way_out in (
        ("run", "use --resume to go on, --over"),
        ("foreign", "it holds no run; name another --output"),
    ):
        with pytest.raises(OutputError, match=f"is not empty; {way_out}") as caught:
            take(tmp_path / name)
        assert caught.value.exit_code == 5
    assert tree(tmp_path) == before


def test_a_check_that_looked_only_for_checkpoints_would_take_a_foreign_directory(tmp_path, monkeypatch):
    (tmp_path / "thesis.tex").write_bytes(b"mine")
    monkeypatch.setattr(output, "_check", lambda run_dir, allowed: allowed or not checkpoint.steps(run_dir))
    take(tmp_path)
    assert (tmp_path / ".lock").exists()


def test_resume_takes_a_run_a_new_folder_and_one_without_a_checkpoint(tmp_path):
    before = tree(a_run(tmp_path / "run"))
    take(tmp_path / "run", resume=True)
    after = tree(tmp_path / "run")
    assert {**after, ".lock": None} == {**before, ".lock": None}
    take(tmp_path / "new", resume=True)
    (tmp_path / "new" / "config.cfg").write_bytes(b"killed before the first checkpoint")
    take(tmp_path / "new", resume=True)


@pytest.mark.parametrize("flags", [{"resume": True}, {"overwrite": True}])
def test_files_of_our_names_that_no_run_wrote_are_never_taken_for_ours(tmp_path, flags):
    (tmp_path / "config.cfg").write_bytes(b"# my only copy, with comments")
    before = tree(tmp_path)
    with pytest.raises(OutputError, match=r"has a 'config\.cfg' but holds no run"):
        take(tmp_path, **flags)
    assert tree(tmp_path) == before


def test_overwrite_sets_our_files_aside_and_leaves_foreign_ones(tmp_path):
    a_run(tmp_path)
    for name in ("thesis.tex", "cache/data", "models/mine"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"mine")
    before = tree(tmp_path)
    take(tmp_path, overwrite=True)
    after = tree(tmp_path)
    foreign = {name for name in before if name.startswith(("thesis", "cache", "models"))}
    ours = set(before) - foreign - {".lock"}
    assert set(after) == foreign | {".lock", ".old-1"} | {f".old-1/{name}" for name in ours}
    assert all(after[name] == before[name] for name in foreign)
    assert all(after[f".old-1/{name}"] == before[name] for name in ours)
    assert checkpoint.read(checkpoint.step_path(tmp_path / ".old-1", 100)).step == 100


def test_overwriting_again_takes_the_next_number_and_nothing_takes_none(tmp_path):
    a_run(tmp_path)
    take(tmp_path, overwrite=True)
    take(tmp_path, overwrite=True)
    (tmp_path / "run.json").write_bytes(b"{}")
    take(tmp_path, overwrite=True)
    assert sorted(os.listdir(tmp_path)) == [".lock", ".old-1", ".old-2"]
    assert os.listdir(tmp_path / ".old-2") == ["run.json"]


def test_a_run_copied_without_its_hidden_files_is_still_a_run(tmp_path):
    a_run(tmp_path)
    (tmp_path / ".lock").unlink()
    take(tmp_path, resume=True)


def test_a_second_run_is_refused_whatever_its_flags(tmp_path):
    with claim(tmp_path, resume=False, overwrite=False):
        for flags in ({}, {"resume": True}, {"overwrite": True}):
            with pytest.raises(OutputError, match="another run"):
                take(tmp_path, **flags)


def test_a_refusal_after_locking_gives_the_lock_back(tmp_path, monkeypatch):
    real, calls = output._check, []

    def filled_in_between(run_dir, allowed):
        calls.append(run_dir)
        if len(calls) == 2:
            (tmp_path / "late").write_bytes(b"")
        real(run_dir, allowed)

    monkeypatch.setattr(output, "_check", filled_in_between)
    with pytest.raises(OutputError, match="is not empty"):
        take(tmp_path)
    (tmp_path / "late").unlink()
    monkeypatch.undo()
    take(tmp_path)


def test_both_flags_at_once_are_refused(tmp_path):
    with pytest.raises(ArgumentError, match="give one of them"):
        take(tmp_path, resume=True, overwrite=True)


def test_a_file_and_a_place_without_permission_are_refused(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="is no directory"):
        take(tmp_path / "file")
    monkeypatch.setattr(storage.os, "mkdir", lambda path: os.mkdir("/proc/none"))
    with pytest.raises(StorageError, match="new: could not be written"):
        take(tmp_path / "new")


def test_a_link_to_the_directory_is_resolved_once(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert take(tmp_path / "link") == tmp_path / "real"


def test_a_loop_of_links_is_no_directory(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OutputError, match="a loop of links; name another --output"):
        take(tmp_path / "loop")
