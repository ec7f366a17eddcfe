import errno

import pytest
from storage_fakes import Disk, Faulty, Recorder

from trainer_cli import storage
from trainer_cli.errors import StorageError
from trainer_cli.journal import Journal


def test_lines_are_added_and_the_length_is_what_lies_on_the_disk(tmp_path):
    journal = Journal(tmp_path / "log")
    assert [journal.append(b"one\n"), journal.append(b"three\n")] == [4, 10]
    assert (tmp_path / "log").read_bytes() == b"one\nthree\n"


def test_a_journal_is_cut_back_to_what_the_checkpoint_knows(tmp_path):
    (tmp_path / "log").write_bytes(b"one\ntwo\nthr")
    assert Journal(tmp_path / "log", 4).append(b"2\n") == 6
    assert (tmp_path / "log").read_bytes() == b"one\n2\n"


def test_a_journal_that_is_shorter_than_remembered_goes_on_from_its_end(tmp_path):
    (tmp_path / "log").write_bytes(b"one\n")
    journal = Journal(tmp_path / "log", 100)
    assert (journal.length, journal.is_changed) == (4, True)


@pytest.mark.parametrize(
    ("content", "kept", "is_changed"),
    [
        (b"one\ntwo\n", b"one\ntwo\n", False),
        (b"one\ntwo\nthree\n", b"one\ntwo\n", False),
        (b"longer\ntwo\n", b"longer\n", True),
        (b"no line at all", b"", True),
        (b"", b"", True),
    ],
)
def test_a_journal_that_somebody_changed_keeps_whole_lines_and_tells(tmp_path, content, kept, is_changed):
    (tmp_path / "log").write_bytes(content)
    journal = Journal(tmp_path / "log", 8)
    assert (journal.length, journal.is_changed) == (len(kept), is_changed)
    assert (tmp_path / "log").read_bytes() == kept


def test_each_line_is_synced(tmp_path, monkeypatch):
    disk = Recorder()
    monkeypatch.setattr(storage, "os", disk)
    Journal(tmp_path / "log").append(b"line\n")
    assert [entry[0] for entry in disk.log] == ["create", "ftruncate", "fsync", "fsync", "write", "fsync"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("persistent", [False, True])
def test_a_failed_line_leaves_no_trace_and_is_not_tried_on_the_same_file(tmp_path, monkeypatch, code, persistent):
    for at in range(1, 5):
        monkeypatch.setattr(storage, "os", Disk())
        path = tmp_path / str(at)
        journal = Journal(path)
        journal.append(b"one\n")
        inode = path.stat().st_ino
        monkeypatch.setattr(storage, "os", Faulty(at, code, persistent))
        with pytest.raises(StorageError):
            journal.append(b"two\n")
        assert journal.length == 4
        if persistent:
            with pytest.raises(StorageError):
                journal.append(b"two\n")
        monkeypatch.setattr(storage, "os", Disk())
        assert journal.append(b"2\n") == 6
        assert path.read_bytes() == b"one\n2\n"
        assert path.stat().st_ino != inode


def test_a_journal_that_trusts_the_file_after_an_error_would_keep_half_a_line(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "log")
    monkeypatch.setattr(storage, "os", Faulty(2, errno.ENOSPC))
    with pytest.raises(StorageError):
        journal.append(b"two\n")
    monkeypatch.setattr(storage, "os", Disk())
    journal._sound = True
    journal.append(b"2\n")
    assert (tmp_path / "log").read_bytes() == b"tw2\n"


def test_half_a_line_or_two_are_our_own_mistake(tmp_path):
    journal = Journal(tmp_path / "log")
    for line in (b"no end", b"", b"two\nlines\n"):
        with pytest.raises(AssertionError):
            journal.append(line)


def test_a_journal_that_is_a_link_is_not_written_through(tmp_path):
    (tmp_path / "outside").write_bytes(b"precious")
    (tmp_path / "log").symlink_to("outside")
    with pytest.raises(StorageError, match="ELOOP"):
        Journal(tmp_path / "log")
    assert (tmp_path / "outside").read_bytes() == b"precious"
