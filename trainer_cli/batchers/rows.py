"""Batches of so many rows."""

from __future__ import annotations

from trainer_cli.batchers.batcher import Batcher
from trainer_cli.registry import registry


@registry.batchers("rows.v1")
class RowBatcher(Batcher):
    """Batches of `batch_size` rows, in an order drawn by chance for each pass; what a run has without a batcher."""
