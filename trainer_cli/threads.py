"""How many threads the products of a run use: a fixed rule, since the number changes the bits of a product."""

from __future__ import annotations

import os
from typing import Literal

# Multiplications of one product for each thread. A second thread waits for the first by spinning: on two cores it made
# a product of 25 million a tenth faster alone, and five to ten times slower beside one other busy process.
PRODUCT_PER_THREAD = 100_000_000


def resolve_threads(threads: int | Literal["auto"], largest_product: int, n_cores: int) -> int:
    """The number given, or for "auto" one thread for each 100 million multiplications of the largest product of a step.

    At least 1, at most the cores; `largest_product` is rows x inputs x outputs of the widest layer.
    """
    if threads != "auto":
        return threads
    return max(1, min(n_cores, largest_product // PRODUCT_PER_THREAD))


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
