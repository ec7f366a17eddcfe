"""The address of a cluster that is there, as a user types it: whether anybody is there is seen before Ray tries."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from typing import Any

from trainer_cli.cluster.head import MOST_SILENT
from trainer_cli.cluster.waiting import Waiting
from trainer_cli.errors import ClusterError

NAMED = re.compile(r"(?P<client>ray://)?\[?(?P<host>[^/\[\]]+)\]?:(?P<port>\d+)")
LOCAL = ("127.0.0.1", "::1", "localhost")


def check_address(ray: Any, address: str, seconds: float, check: Callable[[], None]) -> None:
    """ClusterError: nobody takes connections at HOST:PORT or ray://HOST:PORT. `auto` and the like Ray looks up itself.

    Where nobody is Ray tries for minutes, writes lines of its own meanwhile, and hears no signal. `check`, which raises
    what is to end the wait, is called all the time; without an answer it ends after `seconds`, MOST_SILENT at most.
    """
    named, seconds = NAMED.fullmatch(address), min(seconds, MOST_SILENT)
    if named is None:
        return
    host, port = named["host"], int(named["port"])
    # A head listens at the machine's address, which Ray takes for that of the machine itself, but a client's does not.
    used = ray.util.get_node_ip_address() if host in LOCAL and not named["client"] else host
    try:
        trial = Waiting(lambda: socket.create_connection((used, port), seconds).close())
        if trial.has_ended(seconds + 1, check):
            return
        why = f"no answer in {seconds:g} s"
    except OSError as err:
        why = err.strerror or str(err)
    shown = "" if used == host else f" (for Ray {used}:{port})"
    option = "ray-client-server-port" if named["client"] else "port"
    remedy = f"Start one there with `ray start --head --{option} {port}`, or give the address of one that is there"
    raise ClusterError(f"there is no Ray cluster at {address}{shown}: {why}. {remedy}")
