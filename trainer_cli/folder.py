"""Reading a folder that a stranger may have packed: by name, bounded, and never outside of it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainer_cli.errors import DamagedError, ModelFileError, Problem

# What says that the file itself is not as it was written; anything else (no permission, no memory) may pass.
DAMAGE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EMLINK, errno.EIO, errno.ENXIO}
FILE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
CHUNK = 1 << 26


class Folder:
    """An open folder. Its entries are reached through its descriptor, so no link can lead a name out of it."""

    def __init__(self, path: Path, parent: Folder | None = None):
        self.path = path
        name, within = (path, None) if parent is None else (path.name, parent._fd)
        with readable(path):
            self._fd: int = os.open(name, os.O_RDONLY | os.O_DIRECTORY | FILE, dir_fd=within)

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def names(self) -> list[str]:
        """The names of the files and folders here, sorted; a link, FIFO, socket or device among them is refused."""
        with readable(self.path), os.scandir(self._fd) as entries:
            modes = {entry.name: entry.stat(follow_symlinks=False).st_mode for entry in entries}
        for name, mode in modes.items():
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                raise damaged(self.path / name, f"is {kind_of(mode)}; only plain files are read")
        return sorted(modes)

    def folder(self, name: str) -> Folder:
        """The folder `name` in this one."""
        return Folder(self.path / name, self)

    def read(self, name: str, limit: int) -> bytes:
        """All of the file `name`, which must be plain, have one name and at most `limit` bytes."""
        path = self.path / name
        with readable(path):
            mode = os.stat(name, dir_fd=self._fd, follow_symlinks=False).st_mode
            if not stat.S_ISREG(mode):  # asked before opening: opening a device can do something
                raise damaged(path, f"is {kind_of(mode)}; only plain files are read")
            fd = os.open(name, os.O_RDONLY | FILE, dir_fd=self._fd)
            try:
                return _read_all(fd, path, limit)
            finally:
                os.close(fd)


def _read_all(fd: int, path: Path, limit: int) -> bytes:
    info = os.fstat(fd)
    if not stat.S_ISREG(info.st_mode):
        raise damaged(path, f"is {kind_of(info.st_mode)}; only plain files are read")
    if info.st_nlink > 1:  # the content may be sound, so this is no damage
        message = "is a hard link, which could lead out of the folder; put a copy in its place"
        raise ModelFileError(problems=[Problem(message, path=str(path))])
    if info.st_size > limit:
        raise damaged(path, f"has {info.st_size} bytes where at most {limit} are expected")
    chunks, left = [], info.st_size
    while left:
        chunk = os.read(fd, min(left, CHUNK))
        if not chunk:
            raise damaged(path, f"ended {left} bytes early")
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks)


def damaged(path: Path, message: str, where: str = "") -> DamagedError:
    """The error for a file whose content is not what was written."""
    where = where if where.isprintable() else repr(where)
    return DamagedError(problems=[Problem(message, path=str(path), where=where[:80])])


def kind_of(mode: int) -> str:
    """What a mode stands for, in words."""
    kinds = {stat.S_IFLNK: "a link", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFDIR: "a folder"}
    return kinds.get(stat.S_IFMT(mode), "a device")


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn an OSError of reading into a DamagedError, or into a ModelFileError where the file may be sound."""
    try:
        yield
    except OSError as err:
        kind = DamagedError if err.errno in DAMAGE else ModelFileError
        message = f"could not be read: {err.strerror or err}"
        raise kind(problems=[Problem(message, path=str(path))]) from err
