"""Stopping on a signal: the handler sets a flag, and the work asks for it where it can stop."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from trainer_cli.errors import Stopped

T = TypeVar("T")

SIGHUP = getattr(signal, "SIGHUP", signal.SIGTERM)  # which Windows has not
SIGNALS = (signal.SIGINT, signal.SIGTERM, SIGHUP)


class StopFlag:
    """Whether a signal has asked the run to stop, and which one. A second signal ends the process at once, after
    `at_once`."""

    def __init__(self, at_once: Callable[[], None] = lambda: None) -> None:
        self.received: signal.Signals | None = None
        self.at_once = at_once

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:
            self.at_once()
            os._exit(128 + number)
        self.received = signal.Signals(number)

    def check(self) -> None:
        """Raise `Stopped` if a signal has come."""
        if self.received is not None:
            raise Stopped(self.received.name, 128 + self.received)

    def watch(self, items: Iterable[T]) -> Iterator[T]:
        """The items, with a check before each."""
        for item in items:
            self.check()
            yield item


def leave_interrupts() -> None:
    """Let a Ctrl-C, which a terminal sends to all of a command's processes, be the business of the one that directs
    this one, and not the end of what this one is at. Called in the main thread."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def stop_flag(flag: StopFlag | None = None) -> Iterator[StopFlag]:
    """Catch SIGINT, SIGTERM and SIGHUP within the block; the handlers from before come back after it.

    A SIGHUP that is ignored already stays so: that is what `nohup` is for.
    """
    flag = flag or StopFlag()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    if before.get(SIGHUP) == signal.SIG_IGN:
        del before[SIGHUP]
    for number in before:
        signal.signal(number, flag)
    try:
        yield flag
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
