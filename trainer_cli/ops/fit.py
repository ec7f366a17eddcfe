"""Whether a kernel can take arrays: it reads float32 that lies in order, and checks no index."""

from __future__ import annotations

import numpy as np

from trainer_cli.arrays import Array, Ints

F = np.float32


def contiguous_like(kept: Array, dY: Array) -> Array:
    assert dY.shape == kept.shape, "a kernel does not check its indexes"
    return np.ascontiguousarray(dY)


def fits(rows: Array, *columns: Array) -> bool:
    """Whether a kernel can take these rows (B, n) and whatever has one number a column, (n,)."""
    assert all(column.shape == rows.shape[1:] for column in columns), "a kernel does not check its indexes"
    return rows.dtype == F and rows.flags.c_contiguous and all(column.dtype == F for column in columns)


def fits_table(table: Array, rows: Ints, values: Array) -> bool:
    """Whether a kernel can take these rows of a table; IndexError: it has not all of them."""
    if len(rows) and (rows.min() < 0 or rows.max() >= len(table)):
        raise IndexError(f"rows {rows.min()} to {rows.max()} of a table of {len(table)}")
    assert values.shape == (*rows.shape, *table.shape[1:]), "a kernel does not check its indexes"
    return table.ndim == 2 and fits(table) and values.dtype == F and rows.dtype == np.int64


def fits_ragged(X: Array, lengths: Ints) -> bool:
    """Whether a kernel can take these ragged rows."""
    assert lengths.sum() == len(X), "a kernel does not check its indexes"
    return X.ndim == 2 and fits(X) and lengths.dtype == np.int64


def fits_ids(table: Array, ids: Ints, lengths: Ints, weights: Array | None) -> bool:
    """Whether a kernel can take these ids of a table's rows. IndexError: it has not all of them."""
    if len(ids) and (ids.min() < 0 or ids.max() >= len(table)):
        raise IndexError(f"rows {ids.min()} to {ids.max()} of a table of {len(table)}")
    assert lengths.sum() == len(ids), "a kernel does not check its indexes"
    known = weights is None or (weights.dtype == F and weights.shape == ids.shape)
    return table.ndim == 2 and fits(table) and known and ids.dtype == lengths.dtype == np.int64


def flat(*arrays: Array) -> bool:
    """Whether a kernel can take these arrays element by element."""
    assert all(array.shape == arrays[0].shape for array in arrays), "a kernel does not check its indexes"
    return all(array.ndim == 1 and array.dtype == F and array.flags.c_contiguous for array in arrays)
