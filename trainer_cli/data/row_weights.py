"""How much each row counts, from a column of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.data.block import Block
from trainer_cli.data.encoders.choice import chosen
from trainer_cli.data.encoders.floats import floats
from trainer_cli.errors import DataError, Problem


@dataclass(frozen=True)
class RowWeights:
    """Numbers of at least 0 in `column`; without one, every row counts alike. The column is no feature."""

    column: str | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        return () if self.column is None else (self.column,)

    def choose(self, columns: tuple[str, ...], target: tuple[str, ...] = ()) -> None:
        """DataError: the training data have no such column, or it is what is to be predicted."""
        if self.column is None:
            return
        chosen(self.column, columns, "weight_column")
        if self.column in target:
            message = "is the column to predict: weights stand in one of their own"
            raise DataError(problems=[Problem(message, where="weight_column")])

    def of(self, block: Block) -> Array | None:
        """The weights of a block's rows, (B,) float64; None where the data have no such column.

        DataError: a value is no number, or below 0.
        """
        if self.column is None or self.column not in block.columns:
            return None
        weights = floats(block, self.column)
        if weights.ndim != 1:
            message = f"a weight is one number a row, got arrays {weights.shape[1:]}"
            raise DataError(problems=[Problem(message, block.places.path, block.header_line, self.column)])
        if len(wrong := np.flatnonzero(weights < 0)):
            raise block.faulty(self.column, wrong, lambda row: f"a weight is at least 0, got {weights[row]:g}")
        return weights
