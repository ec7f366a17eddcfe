"""Gradient clipping, one tensor at a time, and the check that every gradient is finite."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import DivergedError
from trainer_cli.store import Segment


def clip(gradient: Array, segments: Iterable[Segment], limit: float) -> None:
    """Scale each tensor's gradient g to `g * limit / |g|` where its norm |g| reaches `limit` (0: check only).

    DivergedError names the first tensor whose norm is not finite; nothing has been changed then.
    """
    norms = []
    for segment in segments:
        part = gradient[segment.start : segment.stop]
        with np.errstate(over="ignore", invalid="ignore"):
            norms.append(math.sqrt(np.dot(part, part)))
        if not math.isfinite(norms[-1]):
            raise DivergedError(f"the gradient of {segment.name} is not finite")
    if limit == 0:
        return
    for segment, norm in zip(segments, norms, strict=True):
        if norm >= limit:
            gradient[segment.start : segment.stop] *= limit / norm
