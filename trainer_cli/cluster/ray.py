"""A run on the workers of a Ray cluster, its own or one that is there (Moritz et al. 2018)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Annotated

from trainer_cli.backend import Backend, Work
from trainer_cli.cluster.order import From
from trainer_cli.config.sections import Count, at_least, is_positive
from trainer_cli.errors import ArgumentError
from trainer_cli.extras import remedy
from trainer_cli.registry import registry

NAME = "ray.v1"


@registry.clusters(NAME)
@dataclass(frozen=True)
class RayCluster:
    """Share out the micro-batches of each step, and the batches of each evaluation, among processes.

    The bits are those of one process, whatever the number of workers and whoever of them dies.

    workers: processes that compute, each with `[system] threads`.
    address: of a cluster that is there, `auto`, `HOST:PORT` or `ray://HOST:PORT`; without one a cluster of this machine
        alone is started and stopped with the run.
    data: `local`, each worker reads the files itself; `driver`, it is sent its rows.
    max_restarts: so many workers may be lost before the run ends, saved. One for which there is no place is not.
    worker_timeout: seconds in which a worker has to answer.
    """

    workers: Count = 2
    address: str | None = None
    data: From = "local"
    max_restarts: Annotated[int, at_least(0)] = 100
    worker_timeout: Annotated[float, is_positive] = 300

    def __post_init__(self) -> None:
        if find_spec("ray") is None:
            raise ArgumentError(f"{NAME} needs ray: {remedy('ray')}")

    @contextmanager
    def open(self, work: Work) -> Iterator[Backend]:
        """The backend of a run, with all workers ready."""
        from trainer_cli.cluster.connection import connected
        from trainer_cli.cluster.driver import Driver
        from trainer_cli.cluster.head import watched
        from trainer_cli.cluster.room import Room

        n_threads = work.facts["threads"]
        with (
            connected(self.address, self.workers * n_threads, work.check, self.worker_timeout) as ray,
            watched(ray, work.check, self.worker_timeout) as check,
        ):
            room = Room(ray, self.workers, n_threads)
            room.check(self.worker_timeout, check)
            driver = Driver(ray, self, replace(work, check=check), room)
            try:
                driver.crew.start()
                yield driver
            finally:
                driver.crew.dismiss()
