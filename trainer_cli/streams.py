"""Output that can never end a run: a closed pipe, a full disk or a terminal without Unicode make it silent."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO, cast


class QuietStream:
    """Writes to a text stream until that fails, then drops what comes; all else is asked of the stream.

    `error` is why it failed.
    """

    def __init__(self, stream: TextIO | None):
        self._stream = stream
        self.error: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__.get("_stream"), name)

    def write(self, text: str) -> int:
        if self._stream is not None:
            try:
                self._write(self._stream, text)
            except (OSError, ValueError) as err:  # a closed pipe or disk; a closed stream
                self._stream, self.error = None, err
        return len(text)

    def flush(self) -> None:
        if self._stream is not None:
            try:
                self._stream.flush()
            except (OSError, ValueError) as err:
                self._stream, self.error = None, err

    def isatty(self) -> bool:
        try:
            return self._stream is not None and self._stream.isatty()
        except ValueError:
            return False

    def fileno(self) -> int:
        if self._stream is None:
            raise OSError("the stream is closed")
        return self._stream.fileno()

    @property
    def encoding(self) -> str:
        return getattr(self._stream, "encoding", None) or "ascii"

    @staticmethod
    def _write(stream: TextIO, text: str) -> None:
        try:
            stream.write(text)
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "replace").decode(encoding))


def stdout() -> QuietStream:
    """The process's standard output as it is now; tests put another in its place."""
    return quiet(sys.stdout)


def stderr() -> QuietStream:
    return quiet(sys.stderr)


def quiet(stream: Any) -> QuietStream:
    return stream if isinstance(stream, QuietStream) else QuietStream(stream)


def read_stdin() -> bytes:
    """All of standard input; nothing where it is closed."""
    try:
        return sys.stdin.buffer.read() if sys.stdin is not None else b""
    except (OSError, ValueError):
        return b""


def open_missing() -> None:
    """Put nowhere in the place of standard streams that are closed, or the next file opened would take their place."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            # The lowest free number is given out, which is this one.
            os.open(os.devnull, os.O_RDWR)


def quieten() -> None:
    """Put quiet streams in the place of the process's own: a `print` in a user's code ends no run either, and the
    interpreter, which flushes them when it ends, finds nothing to complain of (it would exit with 120)."""
    sys.stdout, sys.stderr = cast(TextIO, stdout()), cast(TextIO, stderr())
