"""Ray, started for a run or joined: quiet, bound to this machine, and without a word to anybody."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trainer_cli.errors import ClusterError
from trainer_cli.extras import required
from trainer_cli.signals import SIGNALS

# Of a cluster for one run, in bytes: weights and gradients do not go through Ray's object store there.
STORE_BYTES = 200 << 20

# No statistics are sent, and no hint is given about graphics cards, which are none of Ray's business here.
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


@contextmanager
def connected(address: str | None, n_cpus: int) -> Iterator[Any]:
    """The module `ray`, connected to a cluster within the block: the one at `address`, or one of `n_cpus` of its own.

    Its own lies in a temporary folder, listens on the loopback address alone, and ends with the block. Signals go
    where they went before.
    """
    os.environ |= QUIET
    ray = required("ray", "ray.v1")
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    folder = None
    try:
        if address is None:
            folder = tempfile.mkdtemp(prefix="trainer-ray-")
            ray.init(
                address="local",
                num_cpus=n_cpus,
                num_gpus=0,
                include_dashboard=False,
                object_store_memory=STORE_BYTES,
                log_to_driver=False,
                logging_level=logging.ERROR,
                _temp_dir=folder,
                _node_ip_address="127.0.0.1",
            )
        else:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, OSError, ValueError) as err:
        raise ClusterError(f"no connection to Ray{f' at {address}' if address else ''}: {err}") from err
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    try:
        yield ray
    finally:
        ray.shutdown()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
