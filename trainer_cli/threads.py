"""How the products of a run are computed: on how many threads, by a rule, since that number changes their bits."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from typing import Literal

import numpy as np
from threadpoolctl import threadpool_limits

from trainer_cli.model import Model
from trainer_cli.ops.workers import Workers
from trainer_cli.wrappers.engine import engines_of
from trainer_cli.wrappers.global_seed import torch_threads

# Multiplications of one product for each thread. A second thread waits for the first by spinning: on two cores it made
# a product of 25 million a tenth faster alone, and five to ten times slower beside one other busy process.
PRODUCT_PER_THREAD = 100_000_000


def resolve_threads(threads: int | Literal["auto"], largest_product: int, n_cores: int) -> int:
    """The number given, or for "auto" one thread for each 100 million multiplications of the largest product of a step.

    At least 1, at most the cores; `largest_product` is rows x inputs x outputs of the widest layer, a convolution's
    times its windows.
    """
    if threads != "auto":
        return threads
    return max(1, min(n_cores, largest_product // PRODUCT_PER_THREAD))


def fix_threads(
    threads: int | Literal["auto"], modules: Collection[str], n_cores: int | None = None
) -> int | Literal["auto"]:
    """The number of threads where one of the libraries in use has to know it before it starts; else as it was.

    XLA, behind JAX, starts as many threads as NPROC says, or as there are cores, with its first array; the number
    changes the bits of sums that it divides among them. "auto" is all cores then, or `n_cores`. Where JAX is imported,
    programs run in the thread that calls them, which waits for each anyway, and only what XLA divides in its own:
    handing a program to another thread takes 15 microseconds, with two cores up to a tenth of a small network's update.
    """
    if "jax" not in modules:
        return threads
    threads = (n_cores or cores()) if threads == "auto" else threads
    os.environ["NPROC"] = str(threads)
    if "jax" in sys.modules:
        sys.modules["jax"].config.update("jax_cpu_enable_async_dispatch", False)
    return threads


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def computing(threads: int, model: Model) -> Iterator[None]:
    """So many threads for a model, and no word of numpy about numbers that are not finite: each command has its own.

    Convolutions deal out the images of a batch to the threads, and then each product has one; else they are BLAS's.
    Modules of other libraries get them as well.
    """
    convolves = any("positions" in node.attrs for node in model.walk())
    with threadpool_limits(1 if convolves else threads), np.errstate(all="ignore"), ExitStack() as stack:
        stack.enter_context(torch_threads(threads))  # an optimizer or a loss may be its, too
        for engine in engines_of(model):
            stack.enter_context(engine.computing(threads))
        model.ops.workers = Workers(threads if convolves else 1)
        yield
