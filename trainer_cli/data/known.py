"""Columns of categories whose every value is unknown to the model: they tell it nothing, and no mistake shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from trainer_cli.arrays import Batch, Rows
from trainer_cli.data.block import listing
from trainer_cli.data.faults import shown


class Knowing(Protocol):
    """An encoder that can tell of encoded rows which values it knew."""

    def known(self, rows: Rows) -> dict[str, int]:
        """How many rows have a value that is known, for each column."""

    def vocabulary(self) -> dict[str, tuple[str, ...]]:
        """The values that are known, for each column."""


class KnownValues:
    """Counts, while encoded rows go by, how many have a known value in each column of categories."""

    def __init__(self, encoder: Any):
        self.encoder: Knowing | None = encoder if hasattr(encoder, "known") else None
        self.counts: Counter[str] = Counter()

    def add(self, rows: Rows) -> None:
        if self.encoder is not None:
            for name, n in self.encoder.known(rows).items():
                self.counts[name] += n

    def watch(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The batches, each counted as it goes by."""
        for batch in batches:
            self.add(batch.X)
            yield batch

    def lines(self) -> Iterator[str]:
        """A sentence for each column of which no value was known."""
        for name in (name for name, n in self.counts.items() if n == 0):
            assert self.encoder is not None
            known = listing(self.encoder.vocabulary()[name], 5)
            yield f"the model knows no value that the column {shown(name)} has here; it was trained on {known}"
