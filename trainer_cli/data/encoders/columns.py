"""Numeric columns, standardised."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.data.block import Block, listing
from trainer_cli.data.encoders.choice import chosen
from trainer_cli.data.encoders.floats import Floats, floats
from trainer_cli.data.encoders.moments import Moments
from trainer_cli.data.encoders.standard import standardised
from trainer_cli.data.encoders.state import damaged, stated_floats, stated_names, stated_sizes
from trainer_cli.data.faults import Faults, printable, refused, shown
from trainer_cli.errors import DataError, Problem
from trainer_cli.registry import registry


@registry.encoders("columns.v1")
class Columns:
    """Numeric columns side by side: `(x - mean) / deviation`, both of the training rows; (B, width) float32.

    `columns` are the ones to use, in that order; left out, all but `exclude` and the target's. A column is text that
    writes numbers, numbers (B,), or an array (B, n), which becomes n columns. One that is constant in training becomes
    `x - mean`. Values that are empty, no numbers or not finite are a DataError.
    """

    def __init__(self, columns: list[str] | None = None, exclude: list[str] | None = None):
        self.columns = columns
        self.exclude = exclude
        self.reads: tuple[str, ...] = ()
        self.sizes: tuple[int, ...] = ()
        self.mean: Floats = np.zeros(0)
        self.scale: Floats = np.ones(0)
        self._moments = Moments()

    @property
    def width(self) -> int:
        return sum(self.sizes)

    def choose(self, columns: tuple[str, ...]) -> None:
        if self.columns is not None and self.exclude is not None:
            raise refused("exclude", "columns and exclude say the same thing twice; give one of them")
        for name in self.exclude or []:
            chosen(name, columns, "exclude")
        wanted = [name for name in columns if name not in (self.exclude or [])]
        if self.columns is not None:
            wanted = [chosen(name, columns, "columns") for name in self.columns]
        if len(set(wanted)) != len(wanted):
            raise refused("columns", f"each column can be used once, got {listing(wanted)}")
        if not wanted:
            raise refused("columns", "no columns are left to use as features")
        self.reads = tuple(wanted)
        self._moments = Moments()

    def fit(self, block: Block) -> None:
        values = self._values(block)
        sizes = tuple(part.shape[1] for part in values)
        if self._moments.n and sizes != self.sizes:
            message = f"the columns {listing(self.reads)} had the widths {self.sizes} in the rows above, here {sizes}"
            raise DataError(problems=[Problem(message, block.places.path, block.place(0)[1])])
        self.sizes = sizes
        self._moments.add(np.concatenate(values, axis=1))

    def finish_fit(self) -> None:
        self.mean, self.scale = self._moments.mean, self._moments.scale
        for name, value in zip(self._wide_names(), self.mean + self.scale, strict=True):
            if not np.isfinite(value):
                raise refused("columns", f"the values of column {name} are too large to standardise")

    def encode(self, block: Block) -> Array:
        values = self._values(block)
        sizes = tuple(part.shape[1] for part in values)
        if sizes != self.sizes:
            message = f"the columns {listing(self.reads)} had the widths {self.sizes} in training, got {sizes}"
            raise DataError(problems=[Problem(message, block.places.path)])
        return standardised(block, self._wide_names(), np.concatenate(values, axis=1), self.mean, self.scale)

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        return {"columns": list(self.reads), "sizes": list(self.sizes)}, {"mean": self.mean, "scale": self.scale}

    @classmethod
    def from_state(cls, state: dict[str, Any], arrays: Mapping[str, Array]) -> Columns:
        names, sizes = stated_names(state, "columns"), stated_sizes(state, "sizes")
        if len(names) != len(sizes):
            raise damaged("sizes", f"{len(names)} numbers", sizes)
        encoder = cls(columns=list(names))
        encoder.reads, encoder.sizes = names, sizes
        encoder.mean = stated_floats(arrays, "mean", sum(sizes))
        encoder.scale = stated_floats(arrays, "scale", sum(sizes), positive=True)
        return encoder

    def _values(self, block: Block) -> list[Floats]:
        faults = Faults()
        values = []
        for name in self.reads:
            part = faults.attempt(partial(floats, block, remedy=left_out(name), used=self.reads), name)
            if part is not None and part.ndim > 2:
                message = f"expected numbers, got arrays {part.shape[1:]}; arrays.v1 takes them"
                raise DataError(problems=[Problem(message, block.places.path, 0, printable(name))])
            if part is not None:
                values.append(part if part.ndim == 2 else part[:, None])
        faults.check()
        return values

    def _wide_names(self) -> list[str]:
        """A name for each number of a row; which column it came from, for an array's numbers."""
        return [name for name, size in zip(self.reads, self.sizes, strict=True) for _ in range(size)]


def left_out(name: str) -> str:
    return f"leave it out, as [features] exclude = [{shown(name)}] does"
