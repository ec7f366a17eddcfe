"""Probabilities of classes and their logs, from what a model gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.losses.truths import check_probabilities

HINT = "For a model that ends in logits, set from_logits = true"


def of_probabilities(name: str, guesses: Array) -> tuple[Array, Callable[[Array], Array]]:
    """A copy of the guesses, and what gives the log of some of them (B, k): `log(max(p, tiny))`."""
    check_probabilities(name, guesses, HINT)
    tiny = float(np.finfo(guesses.dtype).tiny)
    return guesses.copy(), lambda picked: np.log(np.maximum(picked, tiny))


def of_logits(guesses: Array) -> tuple[Array, Callable[[Array], Array]]:
    """The softmax of the guesses, and what gives the log of it at some of them (B, k), in float64.

    Sums and logs are float64: `top - picked` is then finite and exact for logits of any size, and a loss far below
    float32's rounding at 1 is still right.
    """
    top = guesses.max(axis=1, keepdims=True)
    p = guesses - top
    np.exp(p, out=p)
    total = p.sum(axis=1, keepdims=True, dtype=np.float64)
    p /= total.astype(p.dtype)
    return p, lambda picked: (picked - top.astype(np.float64)) - np.log(total)
