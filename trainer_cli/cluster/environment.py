"""What Ray reads from the environment, and what it leaves there: neither is to reach the next cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

# How the names of the variables begin that are Ray's, and the one that says whether whoever calls shows a token.
RAYS = "RAY_"
MODE = "RAY_AUTH_MODE"


@contextmanager
def environment(more: Mapping[str, str]) -> Iterator[None]:
    """Ray's part of the environment, with `more` within the block, and after it as it was before.

    Ray 2.60 sets for a cluster of its own that this process, and all that it starts, asks its callers for a token. The
    next cluster may have none: this process would refuse the calls of its head, and its actors die at their start.
    """
    before = rays()
    set_those(more)
    try:
        yield
    finally:
        asked = os.environ.get(MODE)
        now = rays()
        for name in now.keys() - before:
            del os.environ[name]
        set_those(before)
        if asked != before.get(MODE):
            forget()


def set_those(wanted: Mapping[str, str]) -> None:
    """Set what is not so already: threads that read the environment while it is changed may end the process."""
    for name, value in wanted.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def rays() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(RAYS)}


def forget() -> None:
    """Have Ray read the environment again, of which this process keeps what it has read, and a token."""
    with suppress(ImportError, AttributeError):  # versions without tokens
        from ray._raylet import AuthenticationTokenLoader, Config

        Config.initialize("")
        AuthenticationTokenLoader.instance().reset_cache()
