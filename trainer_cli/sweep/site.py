"""Where the trials of a sweep run: on this machine, or on those of a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from trainer_cli.errors import ArgumentError, ClusterError
from trainer_cli.extras import remedy
from trainer_cli.sweep.pool import Pool
from trainer_cli.sweep.start import Ready

if TYPE_CHECKING:
    from trainer_cli.sweep.ray_pool import RayPool


@dataclass(frozen=True)
class Site:
    """`pool(folder)` runs the trials of the sweep in that folder, each on at most `n_cores`; `name` is where."""

    pool: Callable[[Path], Pool | RayPool]
    n_cores: int
    name: str = ""


def here(ready: Ready) -> Site:
    """Processes of this machine."""
    return Site(lambda folder: Pool(ready.request.n_workers, folder), ready.n_cores)


@contextmanager
def on_ray(ready: Ready, check: Callable[[], None], note: Callable[[str], None]) -> Iterator[Site]:
    """A cluster: the one at the address that was asked for, or one of this machine alone within the block.

    `check` raises `Stopped` if a signal has come, `note` tells the user a line. ClusterError: there is no connection,
    or no machine with as many cores as `system.threads` says.
    """
    from trainer_cli.cluster.connection import connected
    from trainer_cli.cluster.head import watched
    from trainer_cli.cluster.room import machines
    from trainer_cli.sweep.ray_pool import RayPool

    n, address, threads = ready.request.n_workers, ready.request.address, ready.config.system.threads
    n_cores = threads if isinstance(threads, int) else ready.n_cores
    with connected(address, n * n_cores, check) as ray, watched(ray, lambda: None) as check_head:
        check()
        if address is not None:
            found = machines(ray)
            n_cores = threads if isinstance(threads, int) else cores_each(found, n)
            if (n_at_once := sum(each // n_cores for each in found)) < n:
                cores = f"{n_cores} core{'s' if n_cores > 1 else ''}"
                if not n_at_once:
                    raise ClusterError(f"no machine of the cluster at {address} has {cores} for a trial")
                note(f"the cluster has room for {n_at_once} trials of {cores} at once, not {n}")
        name = "a Ray cluster" if address is None else f"the Ray cluster at {address}"
        yield Site(lambda folder: RayPool(ray, n, folder, n_cores, note, check_head), n_cores, name)


def check_ray() -> None:
    """ArgumentError: Ray is not installed."""
    if find_spec("ray") is None:
        raise ArgumentError(f"--ray and --address need ray: {remedy('ray')}")


def cores_each(machines: Sequence[int], n: int) -> int:
    """The most cores that each of `n` trials can have at once, on machines with so many; 1 if there are too few.

    >>> cores_each([8, 8, 4], 3), cores_each([8, 8, 4], 6), cores_each([2], 3)
    (4, 2, 1)
    """
    fits = (c for c in range(1, max(machines, default=0) + 1) if sum(each // c for each in machines) >= n)
    return max(fits, default=1)
