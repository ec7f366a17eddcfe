"""An end of what joins two processes of one machine: two pipes, one each way, and memory for what is said."""

from __future__ import annotations

import os
import pickle
from typing import Any, NamedTuple, Self

N_LENGTH = 8


class Descriptor(NamedTuple):
    """A file that a process of this machine has open under a number, and which one it is."""

    pid: int
    descriptor: int
    device: int
    inode: int

    @classmethod
    def of(cls, descriptor: int) -> Self:
        found = os.fstat(descriptor)
        return cls(os.getpid(), descriptor, found.st_dev, found.st_ino)

    def open(self, flags: int) -> int:
        """A descriptor of this process for it. OSError: it is not there any more, or another one is."""
        descriptor = os.open(f"/proc/{self.pid}/fd/{self.descriptor}", flags)
        found = os.fstat(descriptor)
        if (found.st_dev, found.st_ino) != (self.device, self.inode):
            os.close(descriptor)
            raise OSError("this is another file")
        return descriptor


class End:
    """Messages lie in memory that both ends share, one at a time, and the length of each goes through a pipe.

    So whoever says something does not wait until the other one reads, be it long; and who waits for something learns
    of the end of the other's process, which is that of its end of the pipe.
    """

    def __init__(self, memory: int, reader: int, writer: int):
        self.memory, self.reader, self.writer = memory, reader, writer

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        for descriptor in (self.memory, self.reader, self.writer):
            if descriptor >= 0:
                os.close(descriptor)
        self.memory = self.reader = self.writer = -1

    def send(self, message: bytes) -> None:
        """BrokenPipeError: there is nobody to read it."""
        data, start = memoryview(message), 0
        while start < len(data):
            start += os.pwrite(self.memory, data[start:], start)
        os.write(self.writer, len(data).to_bytes(N_LENGTH))

    def receive(self) -> bytes:
        """The next message. EOFError: there is nobody to send one."""
        length = os.read(self.reader, N_LENGTH)
        if not length:
            raise EOFError("there is nobody to send a message")
        n, parts = int.from_bytes(length), list[bytes]()
        while n > (start := sum(map(len, parts))):
            parts.append(os.pread(self.memory, n - start, start))
        return b"".join(parts)


def packed(message: Any) -> bytes:
    """A message as bytes: as Ray would pack it, where there are classes in it that `pickle` cannot name."""
    try:
        return pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    except Exception:  # whatever an object raises that cannot be packed so
        from ray import cloudpickle

        data: bytes = cloudpickle.dumps(message)
        return data


def unpacked(data: bytes) -> Any:
    return pickle.loads(data)  # noqa: S301 - it comes from a process of ours
