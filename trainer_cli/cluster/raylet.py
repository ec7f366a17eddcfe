"""Ray's server on the driver's machine, its raylet: Ray may end a process at any moment that has lost this."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from trainer_cli.errors import ClusterError


class Raylet:
    """A line to the server behind the socket `path`, over which nothing is said: it is closed when that ends, whatever
    has ended it. OSError: nobody is there."""

    def __init__(self, path: str):
        self.line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.line.connect(path)
        except OSError:
            self.line.close()
            raise

    def is_there(self) -> bool:
        try:
            return self.line.recv(1, socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def check(self) -> None:
        """ClusterError: it has ended."""
        if not self.is_there():
            raise ClusterError("Ray's server on this machine (raylet) has ended, and nothing goes on without it")


@contextmanager
def joined(ray: Any) -> Iterator[Callable[[], None]]:
    """A call that raises ClusterError from when the raylet has ended that this process is connected to.

    A client (ray://) has none. That of a cluster of another user may be out of reach, and is not looked for.
    """
    raylet = None if ray.util.client.ray.is_connected() else found(ray)
    if raylet is None:
        yield lambda: None
        return
    with raylet.line:
        yield raylet.check


def found(ray: Any) -> Raylet | None:
    """The raylet of this process, if it can be reached."""
    here = ray.get_runtime_context().get_node_id()
    try:
        return next(Raylet(node["RayletSocketName"]) for node in ray.nodes() if node["NodeID"] == here)
    except (OSError, StopIteration):
        return None
