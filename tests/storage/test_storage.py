import errno
import os
import stat

import pytest
from storage_fakes import ERRNOS, Faulty, Recorder, Short, tree

from trainer_cli import names, storage
from trainer_cli.errors import StorageError
from trainer_cli.journal import Journal

FILES = {"a": b"first\n" * 20, "model/b": b"second\n", "manifest.json": b""}


def put(monkeypatch, disk):
    monkeypatch.setattr(storage, "os", disk)
    return disk


def test_a_committed_folder_has_the_files_and_nothing_else_remains(tmp_path):
    storage.commit_folder(tmp_path / "step", FILES)
    assert tree(tmp_path / "step") == {**FILES, "model": None}
    assert os.listdir(tmp_path) == ["step"]


def test_a_folder_of_the_same_name_is_kept_until_the_caller_removes_it(tmp_path):
    storage.commit_folder(tmp_path / "step", {"a": b"old"})
    storage.commit_folder(tmp_path / "step", {"a": b"new"})
    assert tree(tmp_path) == {".was-step-1": None, ".was-step-1/a": b"old", "step": None, "step/a": b"new"}
    assert names.superseded(tmp_path / "step") == [tmp_path / ".was-step-1"]


def test_short_writes_are_continued(tmp_path, monkeypatch):
    put(monkeypatch, Short())
    storage.commit_folder(tmp_path / "step", FILES)
    storage.replace_file(tmp_path / "best", b"0123456789" * 9)
    assert tree(tmp_path / "step") == {**FILES, "model": None}
    assert (tmp_path / "best").read_bytes() == b"0123456789" * 9


def test_a_write_that_ignores_short_writes_would_lose_the_rest(tmp_path, monkeypatch):
    put(monkeypatch, Short())
    monkeypatch.setattr(storage, "write_all", lambda fd, data: storage.os.write(fd, data))
    storage.replace_file(tmp_path / "best", b"0123456789")
    assert (tmp_path / "best").read_bytes() == b"0123456"


def test_every_file_and_folder_is_synced_before_its_name_appears(tmp_path, monkeypatch):
    disk = put(monkeypatch, Recorder())
    storage.commit_folder(tmp_path / "step", FILES)
    rename = next(i for i, entry in enumerate(disk.log) if entry[0] == "rename")
    temp = disk.log[rename][1]
    synced = [entry[1] for entry in disk.log[:rename] if entry[0] == "fsync"]
    assert sorted(synced) == sorted(f"{temp}{end}" for end in ("/a", "/model/b", "/manifest.json", "/model", ""))
    assert disk.log[rename + 1][:2] == ("fsync", str(tmp_path))


def test_a_file_that_is_replaced_is_synced_before_and_its_folder_after(tmp_path, monkeypatch):
    put(monkeypatch, disk := Recorder())
    storage.replace_file(tmp_path / "best", b"x")
    calls = [entry[0] for entry in disk.log]
    assert calls[-3:] == ["fsync", "rename", "fsync"]
    assert disk.log[-1][1] == str(tmp_path)


def test_modes_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        storage.commit_folder(tmp_path / "step", FILES)
        storage.replace_file(tmp_path / "best", b"x")
        Journal(tmp_path / "log").append(b"line\n")
    finally:
        os.umask(before)
    for name, mode in {"step": 0o750, "step/model": 0o750, "step/a": 0o640, "best": 0o640, "log": 0o640}.items():
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == mode, name


def test_an_error_names_the_file_and_the_errno(tmp_path, monkeypatch):
    put(monkeypatch, Faulty(2, errno.ENOSPC))
    with pytest.raises(
        StorageError, match=r"/best: could not be written: No space left on device \(ENOSPC\)"
    ) as caught:
        storage.replace_file(tmp_path / "best", b"x")
    assert caught.value.exit_code == 4


def replace(place):
    storage.replace_file(place / "best", b"new")


def commit(place):
    storage.commit_folder(place / "step", FILES)


def point(place):
    storage.link(place / "model-best", "new")


def remove(place):
    storage.remove_folder(place / "gone", ["a", "model/b"])


@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("change", [replace, commit, point, remove])
def test_whatever_call_fails_the_old_or_the_new_is_there_and_a_retry_works(tmp_path, monkeypatch, change, persistent):
    n_faults = 0
    for code in ERRNOS:
        for at in range(1, 100):
            place = tmp_path / f"{code}-{at}"
            set_up(place)
            old = tree(place)
            disk = put(monkeypatch, Faulty(at, code, persistent))
            try:
                change(place)
            except StorageError:
                put(monkeypatch, Recorder())
                assert_old_or_new(place, old)
                if change is not remove or (place / "gone").exists():
                    change(place)
            assert_new(place, change)
            if disk.n_calls < at:
                break
            n_faults += 1
    assert n_faults >= 5 * len(ERRNOS)


def set_up(place):
    (place / "gone" / "model").mkdir(parents=True)
    (place / "gone" / "a").write_bytes(b"a")
    (place / "gone" / "model" / "b").write_bytes(b"b")
    (place / "best").write_bytes(b"old")
    (place / "model-best").symlink_to("old")
    (place / "step").mkdir()
    (place / "step" / "a").write_bytes(b"old")


def assert_old_or_new(place, old):
    now = {name: data for name, data in tree(place).items() if not name.startswith((".tmp-", ".dead-", "gone"))}
    if "step" not in now:
        now = {name.replace(".was-step-1", "step"): data for name, data in now.items()}
    now = {name: data for name, data in now.items() if not name.startswith(".was-")}
    for name, data in now.items():
        new = {"best": b"new", "model-best": "new"}.get(name, FILES.get(name.removeprefix("step/")))
        assert data in (old.get(name), new), name
    assert {"best", "model-best", "step", "step/a"} <= set(now)


def assert_new(place, change):
    now = tree(place)
    assert change is not replace or now["best"] == b"new"
    assert change is not point or now["model-best"] == "new"
    assert change is not commit or {name: now.get(f"step/{name}") for name in FILES} == FILES
    assert change is not remove or "gone" not in now


def test_nothing_is_removed_from_a_folder_that_holds_a_foreign_file(tmp_path):
    for foreign in ("notes.txt", "model/notes.txt"):
        place = tmp_path / foreign.replace("/", "-")
        set_up(place)
        (place / "gone" / foreign).write_bytes(b"mine")
        before = tree(place)
        assert not storage.remove_folder(place / "gone", ["a", "model/b"])
        assert tree(place) == before


def test_a_link_in_place_of_a_folder_is_never_followed_to_remove(tmp_path):
    set_up(tmp_path / "other")
    before = tree(tmp_path / "other")
    (tmp_path / "step").symlink_to("other/gone")
    assert not storage.remove_folder(tmp_path / "step", ["a", "model/b"])
    (tmp_path / "step").unlink()
    (tmp_path / "step").mkdir()
    (tmp_path / "step" / "model").symlink_to("../other/gone/model")
    assert not storage.remove_folder(tmp_path / "step", ["a", "model/b"])
    assert tree(tmp_path / "other") == before


def test_replacing_a_link_does_not_write_through_it(tmp_path):
    (tmp_path / "outside").write_bytes(b"precious")
    (tmp_path / "best").symlink_to("outside")
    storage.replace_file(tmp_path / "best", b"new")
    assert (tmp_path / "outside").read_bytes() == b"precious"
    assert (tmp_path / "best").read_bytes() == b"new"


def test_a_link_does_not_replace_what_is_no_link(tmp_path):
    (tmp_path / "model-best").write_bytes(b"mine")
    with pytest.raises(StorageError, match="something that is no link"):
        storage.link(tmp_path / "model-best", "step")
    assert (tmp_path / "model-best").read_bytes() == b"mine"


def test_a_rename_never_lands_on_something(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()  # the system call alone would replace an empty folder
    with pytest.raises(StorageError, match="EEXIST"):
        storage.rename(tmp_path / "a", tmp_path / "b")


def test_setting_aside_twice_takes_the_next_number(tmp_path):
    for n in (1, 2):
        (tmp_path / "step").write_bytes(b"%d" % n)
        assert storage.set_aside(tmp_path / "step", "bad").name == f".bad-step-{n}"
    assert (tmp_path / ".bad-step-1").read_bytes() == b"1"


def test_a_folder_and_its_parents_are_made_and_synced(tmp_path, monkeypatch):
    disk = put(monkeypatch, Recorder())
    storage.make_folder(tmp_path / "a" / "b")
    storage.make_folder(tmp_path / "a" / "b")
    assert [entry[0] for entry in disk.log] == ["mkdir", "fsync"] * 2


def test_a_file_where_a_folder_is_due_is_a_storage_error(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(StorageError, match="ENOTDIR"):
        storage.make_folder(tmp_path / "a" / "b")
