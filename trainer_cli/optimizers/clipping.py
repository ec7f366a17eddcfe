"""Gradient clipping, one tensor at a time, and the check that every gradient is finite."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import DivergedError
from trainer_cli.store import Segment


def clip(gradient: Array, segments: Sequence[Segment], limit: float) -> None:
    """Scale each tensor's gradient g to `g * limit / |g|` where its norm |g| reaches `limit` (0: check only).

    `gradient` holds the tensors `segments` end to end. DivergedError names the first one whose norm is not finite;
    nothing has been changed then.
    """
    if limit == 0 and math.isfinite(np.vdot(gradient, gradient)):
        return
    base = segments[0].start if segments else 0
    parts = [gradient[segment.start - base : segment.stop - base] for segment in segments]
    with np.errstate(over="ignore", invalid="ignore"):
        norms = [math.sqrt(np.dot(part, part)) for part in parts]
    for segment, norm in zip(segments, norms, strict=True):
        if not math.isfinite(norm):
            raise DivergedError(f"the gradient of {segment.name} is not finite")
    if limit == 0:
        return
    for part, norm in zip(parts, norms, strict=True):
        if norm >= limit:
            part *= limit / norm
