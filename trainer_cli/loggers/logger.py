"""What a logger is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Logger(Protocol):
    """Takes the rows of metrics.jsonl as they are made. What one raises is told, and never ends a run."""

    def log(self, row: Mapping[str, Any]) -> None:
        """One evaluation: step, epoch, samples, losses, scores, learning rate, batch size, seconds."""

    def close(self) -> None:
        """The run has ended, whatever the reason."""
