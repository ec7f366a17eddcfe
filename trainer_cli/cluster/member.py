"""One of the workers that a driver has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trainer_cli.cluster.actor import Site
from trainer_cli.cluster.line import Line
from trainer_cli.cluster.memory import SharedMemory
from trainer_cli.cluster.pipe import Pipe


@dataclass
class Member:
    """A worker: Ray's handle of its process, the line to it, the pipe that is this line if it runs on this machine;
    where it runs, the memory in which its sums come, and the version of the weights for which it was given that."""

    actor: Any
    line: Line
    pipe: Pipe | None
    where: Site | None = None
    memory: SharedMemory | None = None
    version: int = -1

    @property
    def called(self) -> str:
        """The worker, for the begin of a sentence."""
        return f"the worker {self.where.pid} on {self.where.host}" if self.where else "a worker that was to start"
