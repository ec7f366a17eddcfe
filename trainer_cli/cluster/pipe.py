"""A line to a worker on the driver's machine, which Ray does not come between."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any, NamedTuple

from trainer_cli.cluster.end import Descriptor, End, packed, unpacked
from trainer_cli.cluster.line import LostError


class Address(NamedTuple):
    """Where a worker on the driver's node, by Ray's name, finds the memory and the pipes of its end."""

    node: str
    memory: Descriptor
    reader: Descriptor
    writer: Descriptor

    def end(self) -> End:
        """The worker's end. OSError: the driver has closed it, or is gone."""
        end = End(-1, -1, -1)
        end.memory = self.memory.open(os.O_RDWR)
        end.reader, end.writer = self.reader.open(os.O_RDONLY), self.writer.open(os.O_WRONLY)
        # A process that is forked here may live on when this one is killed, of which the driver has to hear.
        os.register_at_fork(after_in_child=end.close)
        return end


class Pipe:
    """The driver's end, and until a worker has opened that of its own that one's pipes as well."""

    def __init__(self, node: str):
        memory = os.memfd_create("trainer")
        reader, self._writer = os.pipe()
        self._reader, writer = os.pipe()
        self.end = End(memory, reader, writer)
        self.address = Address(node, Descriptor.of(memory), Descriptor.of(self._reader), Descriptor.of(self._writer))

    def __del__(self) -> None:
        self.hand_over()

    def hand_over(self) -> None:
        """Close the worker's pipes here: from now on they are closed when its process has ended."""
        for descriptor in {self._reader, self._writer} - {-1}:
            os.close(descriptor)
        self._reader = self._writer = -1

    def fileno(self) -> int:
        return self.end.reader

    def ask(self, work: str, *given: Any) -> None:
        with suppress(BrokenPipeError):  # who waits for the answer learns that there is nobody
            self.end.send(packed((work, given)))

    def answer(self) -> Any:
        """What the worker says. LostError: its process has ended."""
        try:
            return unpacked(self.end.receive())
        except EOFError as err:
            raise LostError("its process has ended") from err
