"""Random numbers derived from names: the same seed and keys give the same stream, wherever and whenever asked.

Nothing here has a position that a resume could lose, and no draw shifts another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np


@dataclass(frozen=True)
class Moment:
    """When a draw happens: the update (`step`) and the micro-batch of it, counted from 0."""

    seed: int = 0
    step: int = 0
    micro: int = 0


def generator(seed: int, *keys: str | int) -> np.random.Generator:
    """A generator that is a function of (seed, keys) alone: PCG64 (O'Neill 2014) seeded by a hash of them.

    >>> generator(0, "shuffle", 3).integers(100) == generator(0, "shuffle", 3).integers(100)
    True
    """
    return np.random.Generator(np.random.PCG64(number(seed, *keys)))


def number(seed: int, *keys: str | int, n_bytes: int = 16) -> int:
    """A whole number below 256 to the `n_bytes` that is a function of (seed, keys), to seed a generator with."""
    # The key tuple's text is hashed, so ("a", 1) and ("a1",), or 1 and 2**32 + 1, cannot meet.
    return int.from_bytes(blake2b(repr((int(seed), *keys)).encode(), digest_size=n_bytes).digest(), "little")
