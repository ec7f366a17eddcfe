"""Means over rows, each counting by its weight."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ragged


def rows_mass(truths: Any, weights: Array | None = None) -> float:
    """The mass of a mean over rows: how many there are, or the sum of their weights."""
    if weights is not None:
        return float(np.sum(weights, dtype=np.float64))
    return float(len(truths.lengths if isinstance(truths, Ragged) else truths))


def row_mean(grad: Array, values: Array, weights: Array | None, mass: float) -> tuple[Array, float]:
    """The mean of gradients (B, ...) and values (B,) over rows, by weight; the gradient is changed in place.

    Rows that all weigh nothing have no say: zeros.
    """
    if weights is None:
        grad /= mass
        return grad, float(values.sum(dtype=np.float64)) / mass
    shares = weights.astype(np.float64) / (mass or 1.0)
    grad *= as_column(shares.astype(grad.dtype), grad.ndim)
    return grad, float(values @ shares)


def as_column(values: Array, n_axes: int) -> Array:
    """(B,) as (B, 1, ...), to be multiplied with an array of that many axes."""
    return values.reshape(-1, *[1] * (n_axes - 1))


def element_mean(grad: Array, values: Array, weights: Array | None) -> tuple[Array, float]:
    """The mean of gradients and values, both (B, ...), over all numbers of a row, then over the rows."""
    grad /= grad[0].size
    values = values.reshape(len(values), -1).mean(axis=1, dtype=np.float64)
    return row_mean(grad, values, weights, rows_mass(values, weights))
