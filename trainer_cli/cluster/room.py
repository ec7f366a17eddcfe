"""The CPUs that the workers of a run need, and those that a cluster has for them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from trainer_cli.cluster.waiting import PATIENCE, Waiting
from trainer_cli.errors import ClusterError, ConfigError


@dataclass(frozen=True)
class Room:
    """What `n` workers, of so many threads each, need of the cluster that `ray` is connected to."""

    ray: Any
    n: int
    n_threads: int

    @property
    def needs(self) -> str:
        total = counted(self.n * self.n_threads, "CPU")
        return f"{counted(self.n, 'worker')} of {counted(self.n_threads, 'thread')} need {total}"

    def check(self, seconds: float, check: Callable[[], None]) -> None:
        """ConfigError: the cluster is too small for them. ClusterError: it has not told in so many seconds."""
        found: list[int] = []
        try:
            has_ended = Waiting(lambda: found.extend(machines(self.ray))).has_ended(seconds, check)
        except (self.ray.exceptions.RayError, ConnectionError) as err:
            raise ClusterError(f"the cluster does not tell how many CPUs it has: {err}") from err
        if not has_ended:
            raise ClusterError(f"the head of the cluster has not answered for {seconds:g} s")
        n_places = sum(each // self.n_threads for each in found)
        if n_places >= self.n:
            return
        has = f"the cluster has {counted(sum(found), 'CPU')}" + (f" on {len(found)} machines" if len(found) > 1 else "")
        fewer = f"take --workers {n_places}" if n_places else f"set system.threads to {max(found, default=1)} or less"
        raise ConfigError(f"{self.needs}, and {has}: {fewer}, or begin when `ray start` has added machines")

    def free(self) -> str:
        """How many CPUs are free, as far as that can be told at once."""
        found: list[float] = []

        def look() -> None:
            with suppress(Exception):  # whatever is raised where the head is gone
                both = self.ray.available_resources(), self.ray.cluster_resources()
                found.extend(each.get("CPU", 0) for each in both)

        if not Waiting(look).has_ended(10 * PATIENCE) or not found:
            return "how many are free the cluster does not tell"
        return f"{found[0]:g} of the cluster's {found[1]:g} are free"


def machines(ray: Any) -> list[int]:
    """The CPUs of each machine of a cluster that has any."""
    found = (int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"])
    return [n for n in found if n]


def counted(n: int, what: str) -> str:
    """A number of things in words.

    >>> counted(1, "worker"), counted(2, "worker")
    ('1 worker', '2 workers')
    """
    return f"{n} {what}{'' if n == 1 else 's'}"
