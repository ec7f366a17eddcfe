"""Standard input as data: read once as it comes, or kept so that it can be read again."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from threading import Lock
from typing import IO, Any, TextIO, cast

from trainer_cli.data.faults import refused
from trainer_cli.errors import StorageError


class KeptInput:
    """Takes the place of standard input; all but `opened` is asked of it.

    What comes is kept from the first `opened` on in a file without a name, which lies where TMPDIR says.
    """

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._file: IO[bytes] | None = None
        self._lock = Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def opened(self) -> BufferedReader:
        """All of it from its start. StorageError: it cannot be kept."""
        with self._lock:
            if self._file is None:
                try:
                    self._file = tempfile.TemporaryFile(prefix="trainer-")  # noqa: SIM115 - `close` is for it
                    shutil.copyfileobj(self._stream.buffer, self._file)
                    self._file.flush()
                except OSError as err:
                    rule = f"standard input cannot be kept: {err.strerror or err}"
                    raise StorageError(f"{tempfile.gettempdir()}: {rule}; set TMPDIR to a folder with room") from err
        return BufferedReader(Again(self._file, self._lock))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class Again(RawIOBase):
    """A file from its start, whoever else reads it meanwhile."""

    def __init__(self, file: IO[bytes], lock: Lock):
        self._shared = file
        self._lock = lock
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with self._lock:
            self._shared.seek(self._at)
            data = self._shared.read(len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


@contextmanager
def kept() -> Iterator[None]:
    """Let standard input be read as often as a file is."""
    stream = sys.stdin
    if stream is None:
        yield
        return
    ours = KeptInput(stream)
    sys.stdin = cast(TextIO, ours)
    try:
        yield
    finally:
        sys.stdin = stream
        ours.close()


def is_kept() -> bool:
    return isinstance(sys.stdin, KeptInput)


@contextmanager
def opened_input(argument: str) -> Iterator[BufferedReader]:
    """The bytes of standard input: from the start if they are kept, else what has not been read yet."""
    if isinstance(sys.stdin, KeptInput):
        with sys.stdin.opened() as file:
            yield file
    elif sys.stdin is None:
        raise refused(argument, "standard input is closed; name a file")
    else:
        yield cast(BufferedReader, sys.stdin.buffer)
