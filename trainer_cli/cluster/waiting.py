"""Calls that may wait for a cluster that is gone: made in a thread of their own, so that whoever waits can stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

# Signals are looked for so often, in seconds, while nobody answers.
PATIENCE = 0.2


class Waiting(threading.Thread):
    """A call that is being made; the end of the process does not wait for it."""

    def __init__(self, act: Callable[[], object]):
        super().__init__(daemon=True)
        self.act = act
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self.act()
        except BaseException as err:  # whoever waits is told
            self.error = err

    def has_ended(self, seconds: float, check: Callable[[], None] = lambda: None) -> bool:
        """Wait for its end for so many seconds; what it has raised is raised. `check` is called meanwhile."""
        deadline = time.monotonic() + seconds
        while self.is_alive() and (left := deadline - time.monotonic()) > 0:
            self.join(min(left, PATIENCE))
            check()
        if self.error is not None:
            raise self.error
        return not self.is_alive()
