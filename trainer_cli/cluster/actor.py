"""The process of a worker, as Ray starts it: it takes calls one after the other, and answers each."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from trainer_cli.cluster.failure import Failure
from trainer_cli.cluster.order import Order
from trainer_cli.cluster.worker import Worker

T = TypeVar("T")


class Where(NamedTuple):
    """Where a worker runs: the machine's name, Ray's name of the node, and the process."""

    host: str
    node: str
    pid: int


class Report(NamedTuple):
    """Where a worker is, and why it cannot compute there, if it cannot."""

    where: Where
    failure: Failure | None


class Actor:
    """A worker that tells what it raises instead of raising it, so that no error is changed on its way."""

    def prepare(self, order: Order) -> Report:
        """Make ready to compute; this takes as long as reading the data."""
        import ray

        found = told(lambda: Worker(order))
        where = Where(platform.node(), ray.get_runtime_context().get_node_id(), os.getpid())
        if isinstance(found, Failure):
            return Report(where, found)
        self.worker = found
        return Report(where, None)

    def gradient(self, *given: Any) -> Any:
        return told(lambda: self.worker.gradient(*given))

    def count(self, *given: Any) -> Any:
        return told(lambda: self.worker.count(*given))


def told(work: Callable[[], T]) -> T | Failure:
    try:
        return work()
    except (Exception, SystemExit) as err:
        return Failure.of(err)
