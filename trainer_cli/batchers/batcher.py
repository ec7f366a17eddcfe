"""What a batcher is."""

from __future__ import annotations

import numpy as np

from trainer_cli.arrays import Ints, Ragged, Rows, Stored
from trainer_cli.batches import whole_size
from trainer_cli.schedules.schedule import Schedule


class Batcher:
    """Arranges the rows of a pass and cuts them into batches. One of a user's own inherits from this class.

    What it gives is a function of its arguments alone, so that a run can go on from any batch. `size` is the schedule
    of the batches' sizes where it has one of its own, and none is read elsewhere; `by_lengths` tells that it needs the
    lengths of the rows. As it stands it is `rows.v1`.
    """

    size: Schedule | None = None
    by_lengths = False

    def arrange(self, rows: Ints, lengths: Ints, generator: np.random.Generator) -> Ints:
        """The rows of a pass in the order they are used. They come in an order drawn by chance, as often as they are
        used; `lengths` are theirs, as they come."""
        return rows

    def cut(self, lengths: Ints, size: Schedule, step: int, carry: float) -> tuple[int, float]:
        """How many of the rows that are left, whose lengths are given, go into the batch of a step, at least 1; and
        the fraction that is carried on to the next."""
        return whole_size(size, step, carry)


def row_lengths(X: Rows | Stored) -> Ints | None:
    """How long each row is: the number of its words or ids, the most of all parts; None where no part has lengths."""
    if isinstance(X, Ragged):
        return X.lengths
    if isinstance(X, Stored):
        lengths: Ints | None = getattr(X, "lengths", None)
        return lengths
    if not isinstance(X, tuple | dict):
        return None
    parts = [row_lengths(part) for part in (X.values() if isinstance(X, dict) else X)]
    known = [part for part in parts if part is not None]
    return np.maximum.reduce(known) if known else None
