"""The head of a cluster, without which no run goes on: Ray ends every process that it has left for a minute."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from trainer_cli.errors import ClusterError

# After so many seconds out of reach a head is lost. Ray leaves a process 60 to connect anew, in which a run is saved.
MOST_SILENT = 20.0
# It is looked for so often, and one look takes so many seconds at most.
LOOK, PATIENCE = 1.0, 5.0


class Head(threading.Thread):
    """A thread that tries whether the server at `address` (HOST:PORT) takes connections, until it is told to `stop`."""

    def __init__(self, address: str, most_silent: float = MOST_SILENT):
        super().__init__(daemon=True)
        host, _, port = address.rpartition(":")
        self.place, self.most_silent = (host.strip("[]"), int(port)), most_silent
        self.heard = time.monotonic()
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(LOOK):
            if self.is_there():
                self.heard = time.monotonic()

    def is_there(self) -> bool:
        try:
            socket.create_connection(self.place, PATIENCE).close()
        except OSError:
            return False
        return True

    def check(self) -> None:
        """ClusterError: nobody was there for too long."""
        if time.monotonic() - self.heard > self.most_silent:
            raise ClusterError(f"the head of the cluster could not be reached for {self.most_silent:g} s")


@contextmanager
def watched(ray: Any, check: Callable[[], None], seconds: float = MOST_SILENT) -> Iterator[Callable[[], None]]:
    """`check`, which raises ClusterError as well from when the head of the cluster is out of reach for so many seconds.

    That of a client's (ray://) is not looked for: it may be out of reach for all but the server that it talks with.
    """
    if ray.util.client.ray.is_connected():
        yield check
        return
    head = Head(ray.get_runtime_context().gcs_address, min(seconds, MOST_SILENT))
    head.start()

    def both() -> None:
        check()
        head.check()

    try:
        yield both
    finally:
        head.stopped.set()
        head.join()
