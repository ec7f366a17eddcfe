"""Numbers of words to numbers of their neighbours and pieces, many rows at once."""

from __future__ import annotations

import numpy as np

from trainer_cli.arrays import Ints
from trainer_cli.ops.hashing import Hashes

# What fastText multiplies with (https://github.com/facebookresearch/fastText, dictionary.cc).
FACTOR = np.uint64(116_049_371)


def runs(words: Hashes, rows: Ints, n: int) -> list[tuple[Hashes, Ints]]:
    """The runs of 1, 2, ... `n` words that lie in one row: a hash each, and its row."""
    found = [(words, rows)]
    for size in range(2, n + 1):
        before = found[-1][0][: max(0, len(words) - size + 1)]
        # Hashes of runs that cross rows are made as well: the next size needs every place.
        found.append((before * FACTOR + words[size - 1 :], rows[size - 1 :]))
    kept = [found[0]]
    for size, (hashes, last) in enumerate(found[1:], 2):
        within = rows[: len(last)] == last
        kept.append((hashes[within] + np.uint64(size), last[within]))
    return kept


def by_row(rows: Ints, n_rows: int) -> tuple[Ints, Ints]:
    """The order that puts things row by row, those of one row as they come; and how many each row has."""
    return np.argsort(rows, kind="stable"), np.bincount(rows, minlength=n_rows)


def distinct(ids: Ints, rows: Ints, n_ids: int) -> tuple[Ints, Ints, Ints]:
    """Every id of a row once, by row and then by id: the ids, their rows, and how often each comes in its row."""
    keys, counts = np.unique(rows * n_ids + ids, return_counts=True)
    return keys % n_ids, keys // n_ids, counts
