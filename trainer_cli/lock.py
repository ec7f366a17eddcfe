"""One run a directory: an flock that the kernel gives back when its owner dies, however it dies."""

from __future__ import annotations

import json
import os
import socket
import weakref
from datetime import UTC, datetime
from pathlib import Path

from trainer_cli import json_text, storage
from trainer_cli.errors import OutputError

NAME = ".lock"


class Lock:
    """Holds `folder`, which exists, until `release` or the end of the process; OutputError when another holds it.

    What stands in the file (process, host, start) is for the message alone. On NFS an flock is best effort.
    """

    def __init__(self, folder: Path):
        import fcntl  # not on Windows, where `import trainer_cli` shall work all the same

        self.folder = folder
        path = folder / NAME
        with storage.reported(path):
            self._fd = storage.open_file(path)
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._sign()
            except BlockingIOError as err:
                owner = _owner(self._fd)
                self.release()
                raise OutputError(f"{folder}: another run is using this directory{owner}") from err
            except OSError:
                self.release()
                raise
        # A forked child shares the lock and could outlive its parent with it; its copy is closed at once.
        forget = weakref.WeakMethod(self.release)
        os.register_at_fork(after_in_child=lambda: (release := forget()) and release())

    def release(self) -> None:
        """Let the directory go; the file stays, since removing it would let two runs hold different files."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @property
    def held(self) -> bool:
        return self._fd >= 0

    def _sign(self) -> None:
        start = datetime.now(UTC).isoformat(timespec="seconds")
        note = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "start": start})
        storage.overwrite(self._fd, note.encode() + b"\n")

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _owner(fd: int) -> str:
    try:
        note = json_text.loads(os.pread(fd, 1000, 0))
        return f": process {note['pid']} on {note['host']} since {note['start']}"
    except (ValueError, KeyError, TypeError):
        return ""
