"""Ray, started for a run or joined: quiet, bound to this machine, and without a word to anybody."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from trainer_cli.cluster.address import check_address
from trainer_cli.cluster.environment import environment
from trainer_cli.cluster.folder import temporary_folder
from trainer_cli.cluster.head import MOST_SILENT
from trainer_cli.cluster.processes import Process, descendants, end
from trainer_cli.cluster.reaper import reaped
from trainer_cli.errors import ClusterError, Stopped
from trainer_cli.extras import required
from trainer_cli.signals import SIGNALS

# Of a cluster for one run, in bytes: weights and gradients do not go through Ray's object store there.
STORE_BYTES = 200 << 20
# So many seconds the processes of a cluster have to end by themselves.
GRACE = 5.0

# No statistics are sent, and no hint is given about graphics cards, which are none of Ray's business here.
# Workers are no background work: the run waits for them, so they do not stand back for others as Ray's do (nice 15).
# What its servers tell of workers that died is told to the user by us: Ray would print it to where the result goes.
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_worker_niceness": "0",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
}
# Ray gives a machine the address 127.0.0.1, and listens there alone, only where it takes that for none of a cluster.
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
# How long the processes of a cluster of our own, this one among them, wait for a head that is gone before they end
# themselves: the run is saved first (see `head`). In a cluster that is there it is as whoever started that has said.
PATIENT = {"RAY_gcs_rpc_server_reconnect_timeout_s": str(10**6)}
# Up to so many bytes go along with a call there; what is more lies in the store of the raylet, and Ray ends a driver
# that has something in it when that is gone, before anything is saved (see `raylet`).
INLINE_BYTES = 64 << 20
INLINE = {
    "RAY_max_direct_call_object_size": str(INLINE_BYTES),
    "RAY_task_rpc_inlined_bytes_limit": str(INLINE_BYTES),
}
# Ray ends a driver that disconnects from a raylet which is gone, if the process is one whose parent is (`nohup`) and no
# other is named as the one to look for: this one is there as long as it can ask.
ALIVE = "RAY_RAYLET_PID"
# A start of Ray that fails after so many seconds has run into one of its limits, of 30 seconds, and is tried again.
SLOW = 15.0
N_STARTS = 4


@contextmanager
def connected(
    address: str | None, n_cpus: int, check: Callable[[], None] = lambda: None, seconds: float = MOST_SILENT
) -> Iterator[Any]:
    """The module `ray`, connected to a cluster within the block: the one at `address`, or one of `n_cpus` of its own.

    A process that is connected already uses that, and leaves it. `check` raises `Stopped` if a signal has come;
    an address has so many `seconds` to answer. ClusterError: there is no connection.
    """
    there: Any = sys.modules.get("ray")
    if there is not None and there.is_initialized():
        # Its threads read the environment at any moment, and would read what is freed while that is changed.
        yield there
        return
    with environment(QUIET | {ALIVE: str(os.getpid())} | (LOOPBACK | PATIENT | INLINE if address is None else {})):
        ray = required("ray", "ray.v1")
        if address is None:
            with own(ray, n_cpus, check=check):
                yield ray
        else:
            check_address(ray, address, seconds, check)
            begin(ray, check, address=address)
            try:
                yield ray
            finally:
                ray.shutdown()


@contextmanager
def own(
    ray: Any, n_cpus: int, store_bytes: int = STORE_BYTES, check: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """A cluster of this process: it lies in a temporary folder, listens on the loopback address alone, and has ended,
    with all its processes, when the block has."""
    with temporary_folder() as folder:
        servers = start(
            ray,
            check,
            address="local",
            num_cpus=n_cpus,
            num_gpus=0,
            include_dashboard=False,
            object_store_memory=store_bytes,
            _temp_dir=folder,
            _node_ip_address="127.0.0.1",
        )
        try:
            with reaped(servers):
                yield
        finally:
            stop(ray, servers)


def start(ray: Any, check: Callable[[], None], n_left: int = N_STARTS - 1, **how: Any) -> set[Process]:
    """Start a cluster; the processes that are its servers. On a busy machine Ray may take longer than it allows itself:
    it is tried `n_left` times more, with what is in the machine's caches by then. ClusterError: it did not start."""
    before, start_time = set(descendants(os.getpid())), time.monotonic()
    try:
        begin(ray, check, **how)
    except BaseException as err:
        stop(ray, set(descendants(os.getpid())) - before)
        is_slow = isinstance(err, ClusterError) and time.monotonic() - start_time > SLOW
        if is_slow and n_left > 0:
            return start(ray, check, n_left - 1, **how)
        if is_slow:
            remedy = "The machine may be too busy: try again later, or run `ray start --head` and give --address auto"
            raise ClusterError(f"{err} It was tried {N_STARTS} times. {remedy}") from err
        raise
    return set(descendants(os.getpid())) - before


def stop(ray: Any, servers: Collection[Process]) -> None:
    """Disconnect, and see to the end of the servers and of what these have started."""
    started = set(servers).union(*(descendants(server.pid) for server in servers))
    ray.shutdown()
    end(started, GRACE)


def begin(ray: Any, check: Callable[[], None], **how: Any) -> None:
    """Connect; signals go where they went before. ClusterError: it did not work. Stopped: a signal came meanwhile."""
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **how)
    except Exception as err:  # Ray raises this class itself where it gives up
        check()  # a signal to all of a terminal's processes may have been the end of Ray's
        raise ClusterError(f"no connection to Ray at {how['address']}: {err}") from err
    except SystemExit as err:  # while it starts, Ray has a handler of its own
        raise Stopped(signal.SIGTERM.name, 128 + signal.SIGTERM) from err
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
