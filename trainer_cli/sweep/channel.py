"""Messages between a sweep and the process of a trial: JSON through a pair of sockets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any


def send(connection: Connection[Any, Any], message: Mapping[str, Any]) -> bool:
    """Whether the message could be sent; the other side may be gone."""
    try:
        connection.send_bytes(json.dumps(message).encode())
    except OSError:
        return False
    return True


def receive(connection: Connection[Any, Any]) -> dict[str, Any] | None:
    """The next message; None where the other side is gone, or was killed within a message."""
    try:
        found = json.loads(connection.recv_bytes())
    except (EOFError, OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
