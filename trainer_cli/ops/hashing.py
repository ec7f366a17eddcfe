"""Whole numbers scattered evenly: the same for every machine and process."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer_cli.arrays import Ints

Hashes = NDArray[np.uint64]

# The finaliser's factors: Stafford, "Better Bit Mixing - Improving on MurmurHash3's 64-bit Finalizer", variant 13
# (2011); the step between seeds is that of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
MIX_1, MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
STEP = np.uint64(0x9E3779B97F4A7C15)


def mix(hashes: Hashes) -> Hashes:
    """Each number scattered over all 64 bits; different ones stay different."""
    mixed = hashes ^ (hashes >> np.uint64(30))
    mixed *= MIX_1
    mixed ^= mixed >> np.uint64(27)
    mixed *= MIX_2
    mixed ^= mixed >> np.uint64(31)
    return mixed


def bucket(hashes: Hashes, n: int) -> Ints:
    """A number from 0 to n - 1 for each hash."""
    mixed = mix(hashes)
    mixed %= np.uint64(n)
    return mixed.astype(np.int64)


def buckets(keys: Ints, n: int, seed: int, k: int) -> Ints:
    """`k` numbers from 0 to n - 1 for each key, (len(keys), k), drawn apart from one another."""
    seeds = mix((np.arange(1, k + 1, dtype=np.uint64) + np.uint64(k * seed)) * STEP)
    return bucket(mix(keys.astype(np.uint64))[:, None] ^ seeds, n)


def fingerprints(rows: Ints) -> Hashes:
    """One number for each row (B, k); rows that differ have the same one in as good as no case."""
    found = np.zeros(len(rows), np.uint64)
    for column in rows.T.astype(np.uint64):
        found = mix(found * STEP + column)
    return found
