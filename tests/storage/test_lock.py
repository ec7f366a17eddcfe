import json
import os
import signal
import subprocess
import sys
import time

import pytest

from trainer_cli import lock as lock_module
from trainer_cli import storage
from trainer_cli.errors import OutputError, StorageError
from trainer_cli.lock import Lock

HOLD = "import sys; from trainer_cli.lock import Lock; from pathlib import Path; lock = Lock(Path(sys.argv[1]))"
FORK = f"{HOLD}; import os, time; pid = os.fork(); pid or time.sleep(60); print(pid, flush=True); time.sleep(60)"
WAIT = f"{HOLD}; import time; print('held', flush=True); time.sleep(60)"
RACE = """
import os, sys, time
from pathlib import Path
from trainer_cli.errors import OutputError
from trainer_cli.lock import Lock
for n in range(20):
    folder = Path(sys.argv[1]) / str(n)
    folder.mkdir()
    go, winners, done = os.pipe(), os.pipe(), os.pipe()
    for _ in range(20):
        if os.fork() == 0:
            os.close(go[1])
            os.read(go[0], 1)
            try:
                lock = Lock(folder)
                os.write(winners[1], b"1")
            except OutputError:
                os.write(winners[1], b"0")
            os.close(done[1])
            os.read(done[0], 1)
            os._exit(0)
    os.close(go[1])
    results = b""
    while len(results) < 20:
        results += os.read(winners[0], 20)
    print(results.count(b"1"))
    os.close(done[1])
    for _ in range(20):
        os.wait()
"""


def start(code, folder):
    process = subprocess.Popen([sys.executable, "-P", "-c", code, str(folder)], stdout=subprocess.PIPE, text=True)
    return process, process.stdout.readline().strip()


def end(process):
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_owner_is_refused_and_told_of_the_first(tmp_path):
    with Lock(tmp_path) as first:
        assert first.held
        with pytest.raises(
            OutputError, match=f"another run is using this directory: process {os.getpid()} on"
        ) as caught:
            Lock(tmp_path)
        assert caught.value.exit_code == 5
    assert not first.held
    with Lock(tmp_path):
        pass


def test_a_lock_is_given_back_when_its_owner_is_killed(tmp_path):
    process, said = start(WAIT, tmp_path)
    try:
        assert said == "held"
        with pytest.raises(OutputError, match=f"process {process.pid} "):
            Lock(tmp_path)
    finally:
        end(process)
    with Lock(tmp_path):
        assert json.loads((tmp_path / ".lock").read_text())["pid"] == os.getpid()


def outlives(tmp_path, code):
    """Whether a lock is still held after its owner was killed, by a child that the owner had forked."""
    process, child = start(code, tmp_path)
    end(process)
    try:
        for _ in range(100):  # the child closes its copy right after the fork, which may be a moment from now
            try:
                Lock(tmp_path).release()
                return False
            except OutputError:
                time.sleep(0.01)
        return True
    finally:
        os.kill(int(child), signal.SIGKILL)


def test_a_forked_child_does_not_keep_the_lock_of_its_killed_parent(tmp_path):
    assert not outlives(tmp_path, FORK)


def test_without_closing_it_in_the_child_the_lock_would_outlive_its_owner(tmp_path):
    assert outlives(tmp_path, "import os; os.register_at_fork = lambda **_: None; " + FORK)


def test_of_twenty_processes_exactly_one_wins_every_time(tmp_path):
    race = subprocess.run([sys.executable, "-P", "-c", RACE, tmp_path], capture_output=True, text=True, check=True)
    assert race.stdout.split() == ["1"] * 20


def test_a_lock_that_only_looks_whether_the_file_is_there_would_be_stale(tmp_path):
    process, _ = start(WAIT, tmp_path)
    end(process)
    assert (tmp_path / ".lock").exists()  # and yet
    Lock(tmp_path).release()


@pytest.mark.parametrize("note", [b"", b"[]", b"\xff", b"{}", b"[" * 2000])
def test_whatever_stands_in_the_file_is_only_for_the_message(tmp_path, note):
    with Lock(tmp_path):
        (tmp_path / ".lock").write_bytes(note)
        with pytest.raises(OutputError, match=r"another run is using this directory$"):
            Lock(tmp_path)


def test_a_lock_file_that_is_a_link_is_not_followed(tmp_path):
    (tmp_path / "precious").write_bytes(b"mine")
    (tmp_path / ".lock").symlink_to("precious")
    with pytest.raises(StorageError, match=r"\.lock"):
        Lock(tmp_path)
    assert (tmp_path / "precious").read_bytes() == b"mine"


def test_a_note_that_cannot_be_written_gives_the_lock_back(tmp_path, monkeypatch):
    def refuse(fd, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "overwrite", refuse)
    with pytest.raises(StorageError, match="ENOSPC"):
        Lock(tmp_path)
    monkeypatch.undo()
    with Lock(tmp_path):
        pass


def test_two_folders_have_two_locks(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with Lock(tmp_path / "a"), Lock(tmp_path / "b"):
        assert lock_module.NAME == ".lock"
