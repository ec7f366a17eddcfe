"""All writing of run files: whole or not at all, and on the disk before anybody is told.

Every change goes through a call of this module's `os`, so that a test can record it, fail it or kill the process at
it. The order of the calls is the promise: data, fsync, name, fsync of the folder, and only then is older data let go.
An OSError becomes a StorageError that names the file and the errno. Nothing is tried twice on the same file: after a
failed fsync the kernel may have dropped the data and still report success the next time.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from trainer_cli.errors import StorageError
from trainer_cli.names import LEFTOVER, next_superseded, temporary, unused

CHUNK = 1 << 26  # some systems refuse to write 2 GiB in one call
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


@contextmanager
def reported(path: Path) -> Iterator[None]:
    """Turn an OSError into a StorageError about `path`."""
    try:
        yield
    except OSError as err:
        raise StorageError(f"{path}: could not be written: {reason(err)}") from err


def reason(err: OSError) -> str:
    """What went wrong, in words and as the errno's name: `No space left on device (ENOSPC)`."""
    name = errno.errorcode.get(err.errno or 0, "no errno")
    return f"{err.strerror or err} ({name})"


def replace_file(path: Path, data: bytes) -> None:
    """Give `path` the content `data` at once: a reader sees the old file or the new one, also after a power loss."""
    temp = temporary(path)
    with reported(path):
        with _unlinked_on_error(temp):
            _write_new(temp, data)
            os.rename(temp, path)
        _sync_folder(path.parent)


def truncate_file(path: Path, length: int) -> int:
    """Cut `path`, made if need be, to at most `length` bytes; return how many it has then."""
    with reported(path):
        with _closing(open_file(path)) as fd:
            length = min(length, os.fstat(fd).st_size)
            os.ftruncate(fd, length)
            sync(fd)
        _sync_folder(path.parent)
    return length


def append_file(path: Path, data: bytes) -> None:
    """Add `data` to the end of `path`; after an error the file may end in a part of it."""
    with reported(path):
        _write(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC), data)


def commit_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """Make the folder `path` with `files` (by relative name, at most one folder deep) appear complete or not at all.

    A folder that is there already is kept, as the first of `names.superseded(path)`; the caller removes it once the
    new one has been read back. On an error the old folder is put back and the new one is dropped.
    """
    temp = temporary(path)
    with reported(path):
        try:
            _write_folder(temp, files)
            _put_in_place(temp, path)
        except OSError:
            with suppress(OSError):
                _delete_folder(temp, files)
            raise


def remove_folder(path: Path, names: Collection[str]) -> bool:
    """Delete a folder of ours that holds nothing but files called `names`; one that holds more is left as it is."""
    with reported(path):
        if not holds_only(path, names):
            return False
        dead = path if LEFTOVER.fullmatch(path.name) else temporary(path, "dead")
        if dead != path:
            # Without the fsync a power loss could leave a half emptied folder under the old name.
            os.rename(path, dead)
            _sync_folder(path.parent)
        _delete_folder(dead, names)
    return True


def remove_file(path: Path) -> None:
    """Delete a file or link of ours."""
    with reported(path):
        os.unlink(path)


def rename(path: Path, to: Path) -> None:
    """Rename within a file system, never onto something that exists."""
    with reported(path):
        if os.path.lexists(to):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(to))
        os.rename(path, to)
        _sync_folder(to.parent)
        if to.parent != path.parent:
            _sync_folder(path.parent)


def set_aside(path: Path, word: str) -> Path:
    """Rename `path` to the first free one of `.<word>-<name>-1`, `-2`, ...; return the new path."""
    to = unused(path.with_name(f".{word}-{path.name}"))
    rename(path, to)
    return to


def link(path: Path, target: str) -> None:
    """Make `path` a link to `target` (relative), replacing the link that was there; anything else is not replaced."""
    temp = temporary(path)
    with reported(path):
        if os.path.islink(path) and os.readlink(path) == target:
            return
        if os.path.lexists(path) and not os.path.islink(path):
            raise FileExistsError(errno.EEXIST, "something that is no link is in the way", str(path))
        os.symlink(target, temp)
        with _unlinked_on_error(temp):
            os.rename(temp, path)
        _sync_folder(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder and its parents durable; one that is there already is fine."""
    missing = [folder for folder in (path, *path.parents) if not os.path.isdir(folder)]
    for folder in reversed(missing):
        with reported(folder), suppress(FileExistsError):
            os.mkdir(folder)
            _sync_folder(folder.parent)


def holds_only(path: Path, names: Collection[str]) -> bool:
    """Whether a folder has only regular files called `names` in it, and only the folders that these names ask for."""
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        return False
    folders = _folders(names)
    for folder in ("", *folders):
        if not os.path.lexists(path / folder):
            continue
        with os.scandir(path / folder) as entries:
            for entry in entries:
                name, mode = f"{folder}/{entry.name}".lstrip("/"), entry.stat(follow_symlinks=False).st_mode
                if not (stat.S_ISDIR(mode) if name in folders else stat.S_ISREG(mode) and name in names):
                    return False
    return True


def open_file(path: Path) -> int:
    """Open `path`, made if need be, to read and write; a link is refused."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)


def overwrite(fd: int, data: bytes) -> None:
    """Make `data` the content of an open file; a note for people, not durable."""
    os.ftruncate(fd, 0)
    write_all(fd, data)


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Write all of `data`, however little each call takes."""
    view = memoryview(data)
    while view:
        written = os.write(fd, view[:CHUNK])
        if written == 0:
            raise OSError(errno.EIO, "nothing was written")
        view = view[written:]


def sync(fd: int) -> None:
    """Return when the data of `fd` are on the disk, not in a cache of the drive."""
    os.fsync(fd)
    if sys.platform == "darwin":
        import fcntl

        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)


def _write_new(path: Path, data: bytes) -> None:
    _write(os.open(path, NEW_FILE, 0o666), data)


def _write(fd: int, data: bytes) -> None:
    """Write, sync and close."""
    with _closing(fd):
        write_all(fd, data)
        sync(fd)


@contextmanager
def _closing(fd: int) -> Iterator[int]:
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def _unlinked_on_error(temp: Path) -> Iterator[None]:
    try:
        yield
    except OSError:
        with suppress(OSError):
            os.unlink(temp)
        raise


def _write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    folders = _folders(files)
    os.mkdir(path)
    for folder in folders:
        os.mkdir(path / folder)
    for name, data in files.items():
        _write_new(path / name, data)
    for folder in (*folders, ""):
        _sync_folder(path / folder)


def _put_in_place(temp: Path, path: Path) -> None:
    was = next_superseded(path)
    replacing, placed = os.path.lexists(path), False
    try:
        if replacing:
            os.rename(path, was)
            _sync_folder(path.parent)
        os.rename(temp, path)
        placed = True
        _sync_folder(path.parent)
    except OSError:
        # The name may be there without being durable: take it back, so that a retry writes everything anew.
        with suppress(OSError):
            if placed:
                os.rename(path, temp)
            if replacing:
                os.rename(was, path)
        raise


def _delete_folder(path: Path, names: Collection[str]) -> None:
    for name in names:
        with suppress(FileNotFoundError):
            os.unlink(path / name)
    for folder in _folders(names):
        with suppress(FileNotFoundError):
            os.rmdir(path / folder)
    os.rmdir(path)


def _folders(names: Collection[str]) -> list[str]:
    """The folders that relative names ask for."""
    return sorted({name.rpartition("/")[0] for name in names} - {""})


def _sync_folder(path: Path) -> None:
    with _closing(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)) as fd:
        sync(fd)
