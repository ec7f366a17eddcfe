"""A number to predict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.data.block import Block
from trainer_cli.data.encoders.choice import target_column
from trainer_cli.data.encoders.floats import Floats, floats
from trainer_cli.data.encoders.moments import Moments
from trainer_cli.data.encoders.standard import standardised
from trainer_cli.data.encoders.state import stated_floats, stated_text
from trainer_cli.data.faults import printable, refused
from trainer_cli.errors import DataError, Problem, ShapeError
from trainer_cli.registry import registry


@registry.encoders("numbers.v1")
class Numbers:
    """A numeric target, standardised with the training rows' mean and deviation: (B, 1) float32.

    Predictions are given back in the column's own unit: `mean + deviation * output`. `column` may be left out for one
    called `label` or `Y`.
    """

    def __init__(self, column: str | None = None):
        self.column = column
        self.reads: tuple[str, ...] = ()
        self.mean: Floats = np.zeros(1)
        self.scale: Floats = np.ones(1)
        self._moments = Moments()

    @property
    def width(self) -> int:
        return 1

    def choose(self, columns: tuple[str, ...]) -> None:
        self.reads = (target_column(self.column, columns),)
        self._moments = Moments()

    def fit(self, block: Block) -> None:
        self._moments.add(self._values(block))

    def finish_fit(self) -> None:
        self.mean, self.scale = self._moments.mean, self._moments.scale
        if not np.isfinite(self.mean + self.scale).all():
            raise refused("column", f"the values of column {self.reads[0]} are too large to standardise")

    def encode(self, block: Block) -> Array:
        return standardised(block, self.reads, self._values(block), self.mean, self.scale)

    def decode(self, outputs: Array) -> list[float]:
        """Outputs (B, 1) in the column's unit."""
        if outputs.ndim != 2 or outputs.shape[1] != 1:
            raise ShapeError(f"a number takes outputs (B, 1), got {outputs.shape}")
        values: list[float] = (self.mean + self.scale * outputs[:, 0].astype(np.float64)).tolist()
        return values

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        return {"column": self.reads[0]}, {"mean": self.mean, "scale": self.scale}

    @classmethod
    def from_state(cls, state: dict[str, Any], arrays: Mapping[str, Array]) -> Numbers:
        column = stated_text(state, "column")
        encoder = cls(column)
        encoder.reads = (column,)
        encoder.mean = stated_floats(arrays, "mean", 1)
        encoder.scale = stated_floats(arrays, "scale", 1, positive=True)
        return encoder

    def _values(self, block: Block) -> Floats:
        values = floats(block, self.reads[0], "labels.v1 predicts classes")
        if values.size != len(values):
            message = f"expected one number a row, got arrays {values.shape[1:]}"
            raise DataError(problems=[Problem(message, block.places.path, 0, printable(self.reads[0]))])
        return values.reshape(-1, 1)
