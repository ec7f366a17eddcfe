"""Running averages of weights: how much of them an update keeps, and what became of those that were left alone."""

from __future__ import annotations

import numpy as np

from trainer_cli.arrays import Array, Ints

LIMIT = 0.9999
# (1 + t) / (10 + t) is 0.9999 at this t, and above it afterwards.
LIMITED = 89_990
# Of one update, 1 - (1 + t) / (10 + t) = 9 / (10 + t): a product of such factors has nine in each end.
SPAN = 9


def average_decay(t: int) -> float:
    """What update t keeps of the averages: `min((1 + t) / (10 + t), 0.9999)`."""
    return min((1 + t) / (10 + t), LIMIT)


def decay_between(last: Ints, t: int) -> Array:
    """What the updates after `last` up to `t` keep in all, the product of their decays; for each of several `last`.

    Up to the limit the product of `(1 + u) / (10 + u)` for u in last + 1 ... t is that of
    `(last + 1 + j) / (t + 1 + j)` for j in 1 ... 9.

    >>> float(decay_between(np.array([3]), 5)[0]) == (5 / 14) * (6 / 15)
    True
    """
    start, stop = np.minimum(last, LIMITED).astype(np.float64), float(min(t, LIMITED))
    kept = np.ones(len(last))
    for j in range(1, SPAN + 1):
        kept *= (start + 1 + j) / (stop + 1 + j)
    kept *= LIMIT ** (np.maximum(t, LIMITED) - np.maximum(last, LIMITED)).astype(np.float64)
    return kept


def caught_up(averages: Array, weights: Array, last: Ints, t: int) -> Array:
    """Averages (k, width) after update t of rows whose weights stayed as they are since update `last` (k,)."""
    kept = decay_between(last, t).astype(weights.dtype).reshape(-1, *[1] * (weights.ndim - 1))
    found = averages - weights
    found *= kept
    found += weights
    fresh = last >= t
    found[fresh] = averages[fresh]  # to the bit
    return found
