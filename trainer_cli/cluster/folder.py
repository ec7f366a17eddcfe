"""The temporary folders of clusters of one run: each is gone with the run, at the latest when the next one begins."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "ray-"
# Whose folder it is has this file locked: the system takes the lock back when that process ends, however it does.
OWNER = "owner.lock"
# The socket files of Ray have names of 65 characters in its folder, and a socket's path may have 103 in all.
LONGEST_FOLDER = 38
N_NAME = len("/ray-12345678")


@contextmanager
def temporary_folder() -> Iterator[str]:
    """A folder within the block; those that processes which were killed have left are removed."""
    shown = tempfile.gettempdir()
    place = Path(shown if len(shown) < LONGEST_FOLDER - N_NAME else "/tmp")
    remove_left(place)
    folder = tempfile.mkdtemp(prefix=PREFIX, dir=place)
    descriptor = locked(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def locked(folder: str) -> int:
    """Lock a folder's file, which has its name only from then on: no one ever finds it there and not locked."""
    import fcntl  # not on Windows, where `import trainer_cli` shall work all the same

    path = os.path.join(folder, OWNER)
    descriptor = os.open(f"{path}.new", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.rename(f"{path}.new", path)
    return descriptor


def remove_left(place: Path) -> None:
    """Remove the folders of this user whose processes are gone. Other folders of such a name have no such file."""
    import fcntl

    for path in place.glob(f"{PREFIX}*/{OWNER}"):
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                if os.fstat(descriptor).st_uid == os.getuid():
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(path.parent, ignore_errors=True)
            finally:
                os.close(descriptor)
