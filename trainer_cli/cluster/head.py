"""The head of a cluster, without which no run goes on: Ray ends every process that it has left for a minute."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from trainer_cli.cluster.raylet import joined
from trainer_cli.errors import ClusterError

# After so many seconds out of reach a head is lost. Ray leaves a process 60 to connect anew, in which a run is saved.
MOST_SILENT = 20.0
# It is looked for so often, and one look takes so many seconds at most.
LOOK, PATIENCE = 1.0, 5.0


class Head(threading.Thread):
    """A thread that asks again and again whether the head `is_there`, until it is told to stop. It may be kept waiting:
    who does not answer is not there."""

    def __init__(self, is_there: Callable[[], bool], most_silent: float = MOST_SILENT):
        super().__init__(daemon=True)
        self.is_there, self.most_silent = is_there, most_silent
        self.heard = time.monotonic()
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(LOOK):
            if self.is_there():
                self.heard = time.monotonic()

    def check(self) -> None:
        """ClusterError: nobody was there for too long."""
        if time.monotonic() - self.heard > self.most_silent:
            raise ClusterError(f"the head of the cluster could not be reached for {self.most_silent:g} s")


def takes_connections(address: str) -> bool:
    """Whether there is a server at `address` (HOST:PORT)."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
    except OSError:
        return False
    return True


def tells_nodes(ray: Any) -> bool:
    """Whether the head tells which nodes there are. A client (ray://) asks it through the server that it talks with, as
    it may be out of its own reach."""
    try:
        return bool(ray.nodes())
    except Exception:  # whatever is raised by a connection that is gone, or by the server that has lost the head
        return False


@contextmanager
def watched(ray: Any, check: Callable[[], None], seconds: float = MOST_SILENT) -> Iterator[Callable[[], None]]:
    """`check`, which raises ClusterError as well from when the head of the cluster is out of reach for `seconds`, or
    Ray's server on this machine has ended."""
    is_client = ray.util.client.ray.is_connected()
    asked = (
        partial(tells_nodes, ray) if is_client else partial(takes_connections, ray.get_runtime_context().gcs_address)
    )
    head = Head(asked, min(seconds, MOST_SILENT))
    head.start()

    try:
        with joined(ray) as check_raylet:

            def all_of_them() -> None:
                check()
                head.check()
                check_raylet()

            yield all_of_them
    finally:
        head.stopped.set()
        head.join(PATIENCE)
