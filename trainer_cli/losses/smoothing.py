"""Label smoothing: some of the right class's probability, given to the others."""

from __future__ import annotations

from trainer_cli.errors import ArgumentError
from trainer_cli.schedules.arguments import is_number


def check_smoothing(loss: str, label_smoothing: float) -> float:
    """The smoothing as it was given, if it may be one."""
    if not is_number(label_smoothing) or not 0.0 <= label_smoothing < 1.0:
        raise ArgumentError(f"{loss}: label_smoothing must be at least 0 and below 1, got {label_smoothing!r}")
    return label_smoothing


def share_of_others(loss: str, label_smoothing: float, n_classes: int) -> float:
    """What each of the n - 1 other classes gets; the right one keeps `1 - label_smoothing`.

    An ArgumentError from (n - 1) / n on, where all classes would be alike or the right one the least likely.
    """
    if not label_smoothing:
        return 0.0
    if label_smoothing >= (n_classes - 1) / n_classes:
        limit = f"below {(n_classes - 1) / n_classes:.6g}" if n_classes > 1 else "0"
        raise ArgumentError(f"{loss}: label_smoothing must be {limit} for {n_classes} classes, got {label_smoothing}")
    return label_smoothing / (n_classes - 1)
