"""Rows whose class training never had."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array

UNKNOWN = -1


def without_unknown(truths: Any, weights: Array | None) -> tuple[Any, Array | None]:
    """Truths and weights with rows of class number -1 as ones of class 0 that weigh nothing; others as they are.

    >>> without_unknown(np.array([1, -1]), None)
    (array([1, 0]), array([1., 0.]))
    """
    if not isinstance(truths, np.ndarray) or truths.ndim != 1 or truths.dtype.kind != "i":
        return truths, weights
    known = truths != UNKNOWN
    if known.all() or (weights is not None and weights.shape != truths.shape):  # which others refuse
        return truths, weights
    return np.where(known, truths, 0), known * (np.ones(len(truths)) if weights is None else weights)
