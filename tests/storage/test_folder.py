import os
import socket
from contextlib import suppress

import pytest

from trainer_cli import folder
from trainer_cli.errors import DamagedError, ModelFileError
from trainer_cli.folder import Folder


@pytest.fixture
def place(tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    inside = tmp_path / "inside"
    (inside / "model").mkdir(parents=True)
    (inside / "plain").write_bytes(b"0123456789")
    return inside


def read(place, name, limit=100):
    with Folder(place) as opened:
        return opened.read(name, limit)


def test_a_plain_file_is_read_whole(place, monkeypatch):
    assert read(place, "plain") == b"0123456789"
    monkeypatch.setattr(folder, "CHUNK", 3)
    assert read(place, "plain", limit=10) == b"0123456789"


def test_a_file_larger_than_its_limit_is_not_read(place, monkeypatch):
    monkeypatch.setattr(os, "read", lambda *_: pytest.fail("read before its size was checked"))
    with pytest.raises(DamagedError, match="has 10 bytes where at most 9"):
        read(place, "plain", limit=9)


def test_a_file_cut_while_it_is_read_is_damage(place, monkeypatch):
    real = os.read
    monkeypatch.setattr(os, "read", lambda fd, n: b"" if (place / "plain").write_bytes(b"") == 0 else real(fd, n))
    with pytest.raises(DamagedError, match="ended 10 bytes early"):
        read(place, "plain")


def make_link(path):
    path.symlink_to("../secret")


def make_socket(path):
    here = os.getcwd()
    os.chdir(path.parent)  # the names of sockets are short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


@pytest.mark.parametrize("make", [make_link, os.mkfifo, make_socket])
def test_links_fifos_and_sockets_are_refused_by_name_and_by_listing(place, make):
    make(place / "odd")
    with Folder(place) as opened:
        with pytest.raises(DamagedError, match="odd: is a"):
            opened.read("odd", 100)
        with pytest.raises(DamagedError, match="odd: is a"):
            opened.names()


def test_a_link_put_in_place_after_the_look_is_not_followed(place, monkeypatch):
    make_link(place / "odd")
    monkeypatch.setattr(folder.os, "stat", lambda name, **_: os.lstat(place / "plain"))
    with pytest.raises(DamagedError):
        read(place, "odd")


def test_without_nofollow_that_link_would_be_read(place, monkeypatch):
    make_link(place / "odd")
    monkeypatch.setattr(folder.os, "stat", lambda name, **_: os.lstat(place / "plain"))
    monkeypatch.setattr(folder, "FILE", 0)
    assert read(place, "odd") == b"secret"


def test_a_hard_link_is_refused_though_it_is_no_damage(place):
    os.link(place.parent / "secret", place / "hard")
    with pytest.raises(ModelFileError, match="hard link") as caught:
        read(place, "hard")
    assert not isinstance(caught.value, DamagedError)


def test_a_folder_that_is_a_link_is_refused(place, tmp_path):
    (tmp_path / "link").symlink_to(place)
    with pytest.raises(DamagedError):
        Folder(tmp_path / "link")
    (place / "model").rmdir()
    (place / "model").symlink_to(tmp_path)
    with Folder(place) as opened, pytest.raises(DamagedError):
        opened.folder("model")


def test_what_is_missing_or_a_folder_is_damage(place):
    for name in ("missing", "model"):
        with pytest.raises(DamagedError, match=name):
            read(place, name)
    with pytest.raises(DamagedError, match="nowhere"):
        Folder(place / "nowhere")


def test_no_permission_is_no_damage(place, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(folder.os, "open", refuse)
    with pytest.raises(ModelFileError, match="Permission denied") as caught:
        Folder(place)
    assert not isinstance(caught.value, DamagedError)


def test_descriptors_are_given_back(place):
    before = len(os.listdir("/dev/fd"))
    for name in ("plain", "missing", "model"):
        with suppress(DamagedError):
            read(place, name)
    with Folder(place) as opened, opened.folder("model"):
        pass
    assert len(os.listdir("/dev/fd")) == before
