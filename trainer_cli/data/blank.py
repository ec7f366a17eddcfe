"""Records without the text that a model reads: it predicts on them as on any other, and no mistake shows it."""

from __future__ import annotations

from typing import Any

from trainer_cli.data.block import Block, is_tokens
from trainer_cli.data.faults import shown

# Encoders whose one column is all that they read; gaps in tables are common, and encoders of these tell what one is.
OF_TEXT = ("text.v1", "tokens.v1")


class BlankTexts:
    """Counts, while blocks go by, the rows in which the one column of a model of texts is missing or empty."""

    def __init__(self, name: str, encoder: Any):
        self.column: str | None = encoder.reads[0] if name in OF_TEXT else None
        self.n = 0

    def add(self, block: Block) -> None:
        values: Any = () if self.column is None else block.columns[self.column]
        self.n += sum(not row for row in values) if is_tokens(values) else sum(not text.strip() for text in values)

    def line(self) -> str:
        """How many rows had no text; an empty text where all had one."""
        rows = f"{self.n:,} row{'s' if self.n > 1 else ''}"
        return f"{rows} had no text: {shown(self.column or '')} was missing or empty" if self.n else ""
