"""The process of a worker, as Ray starts it: it takes calls one after the other, and answers each."""

from __future__ import annotations

import os
import platform
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from trainer_cli.cluster.order import Failure, Order
from trainer_cli.cluster.worker import Worker
from trainer_cli.errors import TrainerError

T = TypeVar("T")


class Where(NamedTuple):
    """Where a worker runs: the machine's name, Ray's name of the node, and the process."""

    host: str
    node: str
    pid: int


class Actor:
    """A worker that tells what it raises instead of raising it, so that no error is changed on its way."""

    def prepare(self, order: Order) -> Where | Failure:
        """Make ready to compute; this takes as long as reading the data."""
        import ray

        def ready() -> Where:
            self.worker = Worker(order)
            return Where(platform.node(), ray.get_runtime_context().get_node_id(), os.getpid())

        return told(ready)

    def gradient(self, *given: Any) -> Any:
        return told(lambda: self.worker.gradient(*given))

    def count(self, *given: Any) -> Any:
        return told(lambda: self.worker.count(*given))


def told(work: Callable[[], T]) -> T | Failure:
    try:
        return work()
    except TrainerError as err:
        return Failure(err, traceback.format_exc())
