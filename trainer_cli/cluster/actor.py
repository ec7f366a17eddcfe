"""The process of a worker, as Ray starts it: it takes questions one after the other, and answers each."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from typing import Any, NamedTuple, TypeVar

from trainer_cli.cluster.end import End, packed, unpacked
from trainer_cli.cluster.failure import Failure
from trainer_cli.cluster.order import Order
from trainer_cli.cluster.pipe import Address
from trainer_cli.cluster.worker import Worker
from trainer_cli.signals import leave_interrupts

T = TypeVar("T")

# What `top` calls this process, up to 15 letters (proc_pid_comm(5)).
COMM = "/proc/self/comm"


class Site(NamedTuple):
    """Where a worker runs: the machine's name, Ray's name of the node, and the process."""

    host: str
    node: str
    pid: int


class Report(NamedTuple):
    """Whether a worker has opened its end of the driver's pipes, and why it cannot compute, if so."""

    is_near: bool
    failure: Failure | None


class Actor:
    """A worker that tells what it raises instead of raising it, so that no error is changed on its way."""

    def arrive(self) -> Site:
        """Tell where this is: a place has been found."""
        import ray

        leave_interrupts()
        self.site = Site(platform.node(), ray.get_runtime_context().get_node_id(), os.getpid())
        return self.site

    def prepare(self, order: Order, address: Address | None) -> Report:
        """Make ready to compute; this takes as long as reading the data."""
        found = told(lambda: Worker(order))
        if isinstance(found, Failure):
            return Report(False, found)
        self.worker = found
        self.end: End | None = None
        if address is not None and address.node == self.site.node:
            with suppress(OSError):  # one machine in name alone
                self.end = address.end()
        return Report(self.end is not None, None)

    def serve(self) -> None:
        """Answer what comes through the pipes, until the driver has closed its end."""
        assert self.end is not None
        with closing(self.end) as end, open(COMM, "wb", buffering=0) as name, suppress(EOFError, BrokenPipeError):

            def answer(question: bytes) -> bytes:
                work, given = unpacked(question)
                name.write(f"Actor.{work}".encode())
                return packed(getattr(self, work)(*given))

            while True:
                name.write(b"Actor")
                found = told(partial(answer, end.receive()))
                end.send(packed(found) if isinstance(found, Failure) else found)

    def gradient(self, *given: Any) -> Any:
        return told(lambda: self.worker.gradient(*given))

    def count(self, *given: Any) -> Any:
        return told(lambda: self.worker.count(*given))


def told(work: Callable[[], T]) -> T | Failure:
    try:
        return work()
    except (Exception, SystemExit) as err:
        return Failure.of(err)
