"""A line to a worker wherever it runs: each question is a call of Ray's."""

from __future__ import annotations

import os
from typing import Any

from trainer_cli.cluster.line import LostError


class Calls:
    """Questions as calls of an actor; an answer has to be here `timeout` seconds after it is there."""

    def __init__(self, ray: Any, actor: Any, timeout: float):
        self.ray, self.actor, self.timeout = ray, actor, timeout
        self.bell = Bell()
        self.reference: Any = None

    def fileno(self) -> int:
        return self.bell.fileno()

    def ask(self, work: str, *given: Any) -> None:
        bell = self.bell
        self.reference = getattr(self.actor, work).remote(*given)
        self.reference.future().add_done_callback(lambda _: bell.ring())

    def answer(self) -> Any:
        """What the worker says. LostError: it is gone. RayTaskError: it cannot be told what to do."""
        self.bell.hush()
        try:
            return self.ray.get(self.reference, timeout=self.timeout)
        except self.ray.exceptions.RayTaskError:
            raise
        except self.ray.exceptions.RayError as err:
            raise LostError(type(err).__name__) from err


class Bell:
    """Rung in one thread, heard in another, which may wait for other things at the same time."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()

    def __del__(self) -> None:
        os.close(self.reader)
        os.close(self.writer)

    def fileno(self) -> int:
        return self.reader

    def ring(self) -> None:
        os.write(self.writer, b".")

    def hush(self) -> None:
        os.read(self.reader, 1)
