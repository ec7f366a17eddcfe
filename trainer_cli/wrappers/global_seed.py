"""What other libraries have one of in a process: the generators that their modules draw from, and PyTorch's threads."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import numpy as np

from trainer_cli.randomness import generator


def torch_if_loaded() -> ModuleType | None:
    """PyTorch, if something has imported it."""
    return sys.modules.get("torch")


@contextmanager
def seeded(seed: int, *keys: str | int) -> Iterator[None]:
    """Within the block, Python's, numpy's and PyTorch's global generators draw what (seed, keys) give; then as before.

    Our own layers never draw from these. PyTorch's is seeded if it is imported when the block begins.
    """
    drawn = generator(seed, "global", *keys)
    torch = torch_if_loaded()
    kept = random.getstate(), np.random.get_state(), torch.get_rng_state() if torch else None
    try:
        random.seed(int(drawn.integers(1 << 62)))
        np.random.seed(int(drawn.integers(1 << 32)))
        if torch is not None:
            torch.manual_seed(int(drawn.integers(1 << 62)))
        yield
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])
        if torch is not None:
            torch.set_rng_state(kept[2])


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Within the block, PyTorch computes with so many threads, if something has imported it when the block begins."""
    torch = torch_if_loaded()
    before = torch.get_num_threads() if torch else 0
    try:
        if torch is not None:
            torch.set_num_threads(threads)
        yield
    finally:
        if torch is not None:
            torch.set_num_threads(before)
