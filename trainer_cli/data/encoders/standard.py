"""Standardising with given statistics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.data.block import Block
from trainer_cli.data.encoders.floats import Floats
from trainer_cli.data.faults import MAX_SHOWN, Faults


def standardised(
    block: Block, names: Sequence[str], values: Floats, mean: Floats, scale: Floats, clip: float = 0.0
) -> Array:
    """`(values - mean) / scale` as float32, (B, n), 0 where the scale is 0; with `clip` no further from 0 than that.

    `names` has each column's, for values too far out for float32.
    """
    with np.errstate(over="ignore"):
        exact = np.divide(values - mean, scale, out=np.zeros(values.shape), where=scale > 0)
        rows = (np.clip(exact, -clip, clip) if clip else exact).astype(np.float32)
    if not np.isfinite(rows).all():
        bad = np.argwhere(~np.isfinite(rows))
        faults = Faults()
        for row, column in bad[:MAX_SHOWN]:
            message = f"{values[row, column]} is too far from the training data's mean {mean[column]}"
            faults.add(block.problem(int(row), names[column], message))
        faults.total = len(bad)
        faults.check()
    return rows
