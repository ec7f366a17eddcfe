"""Rows in order, those with equal scores taken together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from trainer_cli.metrics.scratch import Floats


def ties(blocks: Iterable[Floats]) -> Iterator[Floats]:
    """Blocks of a row (score, sums of the other columns) for each different score, from blocks in order of scores."""
    held: Floats | None = None
    for block in blocks:
        score = block[:, 0]
        starts = np.flatnonzero(np.concatenate([[True], score[1:] != score[:-1]]))
        sums = np.concatenate([score[starts, None], np.add.reduceat(block[:, 1:], starts, axis=0)], axis=1)
        if held is not None and held[0] == sums[0, 0]:
            sums[0, 1:] += held[1:]
        elif held is not None:
            sums = np.concatenate([held[None], sums])
        held = sums[-1]
        if len(sums) > 1:
            yield sums[:-1]
    if held is not None:
        yield held[None]


def added_up(groups: Iterable[Floats]) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Each block of `ties` as (rows, before, upto): the sums of all rows before each score, and with those that have
    it."""
    last: Floats | None = None
    for rows in groups:
        first = np.zeros((1, rows.shape[1] - 1)) if last is None else last
        sums = np.cumsum(np.concatenate([first, rows[:, 1:]]), axis=0)
        last = sums[-1:]
        yield rows, sums[:-1], sums[1:]
