"""A file of lines that only grows, such as metrics.jsonl."""

from __future__ import annotations

from pathlib import Path

from trainer_cli import storage
from trainer_cli.errors import StorageError


class Journal:
    """Lines at the end of `path`, which is cut at the start to the `length` in bytes that a checkpoint remembers.

    Where somebody has changed the file so that it is shorter, or a line is cut there, whole lines are kept, and
    `is_changed`. `length` is what is durable: a failed append leaves it as it was, and the next one writes a new file,
    since a file whose fsync failed cannot be trusted with another.
    """

    def __init__(self, path: Path, length: int = 0):
        self.path = path
        self.length = storage.truncate_file(path, length)
        whole = self._head().rfind(b"\n") + 1
        self.is_changed = whole != length
        if whole != self.length:
            self.length = storage.truncate_file(path, whole)
        self._sound = True

    def append(self, line: bytes) -> int:
        """Add a line, make it durable, return the new length in bytes."""
        assert line.find(b"\n") == len(line) - 1 >= 0, "one whole line at a time"
        if self._sound:
            self._sound = False
            storage.append_file(self.path, line)
        else:
            storage.replace_file(self.path, self._head() + line)
        self._sound = True
        self.length += len(line)
        return self.length

    def _head(self) -> bytes:
        with storage.reported(self.path), open(self.path, "rb") as file:
            head = file.read(self.length)
        if len(head) < self.length:
            raise StorageError(f"{self.path}: lines that were written earlier are gone")
        return head
