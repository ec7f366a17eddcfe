"""How a driver talks with a worker: it asks one thing at a time, and waits for all of its workers at once."""

from __future__ import annotations

import select
from collections.abc import Iterable
from typing import Any, Protocol


class LostError(Exception):
    """The worker is gone, and nothing is known of what it was asked."""


class Line(Protocol):
    """The driver's end of what joins it with one worker."""

    def fileno(self) -> int:
        """A descriptor that can be read from when there is an answer, or nobody to give one (poll(2))."""
        ...

    def ask(self, work: str, *given: Any) -> None:
        """Have the worker do this work, a method of `Actor`, with what is given. It does not wait for the worker."""
        ...

    def answer(self) -> Any:
        """What the worker says to the last question. LostError: it is gone."""
        ...


def ready(lines: Iterable[Line], seconds: float) -> list[Line]:
    """Those of the lines on which there is an answer, or nobody to give one; the first is waited for `seconds`."""
    poll, found = select.poll(), {line.fileno(): line for line in lines}
    for descriptor in found:
        poll.register(descriptor, select.POLLIN)
    return [found[descriptor] for descriptor, _ in poll.poll(1000 * seconds)]
