"""Numeric columns side by side: what numbers.v1 and columns.v1 share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ints
from trainer_cli.data.block import Block, listing
from trainer_cli.data.encoders.floats import Floats, floats
from trainer_cli.data.encoders.moments import Moments
from trainer_cli.data.encoders.notation import PLAIN, Notation
from trainer_cli.data.encoders.standard import standardised
from trainer_cli.data.encoders.state import damaged, stated_floats, stated_indexes, stated_sizes
from trainer_cli.data.faults import Faults, printable, refused
from trainer_cli.errors import DataError, Problem


class Numeric:
    """Columns as (B, width) float32: each number `(x - mean) / deviation`, both of the training rows' present values.

    Without `fill` a missing value is a DataError. With it, it is the mean, 0, and behind the numbers stands a flag for
    each that was missing in a training row, 1 where it is missing. A number that is constant in training is `x - mean`,
    or with `zero_constants` always 0, since nothing can be learnt of it. `clip` cuts to that many deviations either
    way; 0 does not.

    A column is text that writes numbers, in `notation`, or numbers (B,), or an array (B, n), which has n numbers.
    `argument` is the one that names the columns; `remedy(name)` says what to do with a column of text, `filler` what
    takes a missing value. `lenient`: what is no number is missing.
    """

    def __init__(
        self,
        reads: tuple[str, ...],
        *,
        fill: bool = False,
        clip: float = 0.0,
        zero_constants: bool = False,
        argument: str = "columns",
        remedy: Callable[[str], str] = str,
        filler: str = "",
        notation: Notation = PLAIN,
        lenient: bool = False,
    ):
        self.reads = reads
        self.fill = fill
        self.clip = clip
        self.zero_constants = zero_constants
        self.argument = argument
        self.remedy = remedy
        self.filler = filler
        self.notation = notation
        self.lenient = lenient
        self.sizes: tuple[int, ...] = ()
        self.mean: Floats = np.zeros(0)
        self.scale: Floats = np.ones(0)
        self.flagged: Ints = np.zeros(0, np.int64)
        self._moments = Moments()

    @property
    def width(self) -> int:
        return sum(self.sizes) + len(self.flagged)

    def fit(self, block: Block) -> None:
        values = self._values(block)
        sizes = tuple(part.shape[1] for part in values)
        if self._moments.n_rows and sizes != self.sizes:
            message = f"the columns {listing(self.reads)} had the widths {self.sizes} in the rows above, here {sizes}"
            raise DataError(problems=[Problem(message, block.places.path, block.place(0)[1])])
        self.sizes = sizes
        self._moments.add(np.concatenate(values, axis=1))

    def finish_fit(self) -> None:
        moments = self._moments
        self.mean, self.scale = moments.mean, moments.scale
        if self.zero_constants:
            self.scale = np.where(moments.squares == 0, 0.0, self.scale)
        for name, n, value in zip(self.wide_names(), moments.n, self.mean + self.scale, strict=True):
            if n == 0:
                raise refused(self.argument, f"column {name} has no value in any training row: leave it out")
            if not np.isfinite(value):
                raise refused(self.argument, f"the values of column {name} are too large to standardise")
        self.flagged = np.flatnonzero(moments.n < moments.n_rows)

    def encode(self, block: Block) -> Array:
        parts = self._values(block)
        sizes = tuple(part.shape[1] for part in parts)
        if sizes != self.sizes:
            message = f"the columns {listing(self.reads)} had the widths {self.sizes} in training, got {sizes}"
            raise DataError(problems=[Problem(message, block.places.path)])
        values = np.concatenate(parts, axis=1)
        gaps = np.isnan(values)
        values = np.where(gaps, self.mean, values)
        rows = standardised(block, self.wide_names(), values, self.mean, self.scale, self.clip)
        return np.concatenate([rows, gaps[:, self.flagged].astype(np.float32)], axis=1) if len(self.flagged) else rows

    def arrays(self) -> dict[str, Array]:
        return {"mean": self.mean, "scale": self.scale}

    def restore(self, state: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Take over what was fitted; a damaged state is a ModelFileError."""
        self.sizes = stated_sizes(state, "sizes")
        if len(self.reads) != len(self.sizes):
            raise damaged("sizes", f"{len(self.reads)} numbers", self.sizes)
        n = sum(self.sizes)
        self.mean = stated_floats(arrays, "mean", n)
        self.scale = stated_floats(arrays, "scale", n, positive=not self.zero_constants)
        if (self.scale < 0).any():
            raise damaged("scale", f"{n} numbers of at least 0", self.scale)
        self.flagged = stated_indexes(state, "flagged", n) if self.fill else self.flagged

    def wide_names(self) -> list[str]:
        """A name for each number of a row; which column it came from, for an array's numbers."""
        return [name for name, size in zip(self.reads, self.sizes, strict=True) for _ in range(size)]

    def _values(self, block: Block) -> list[Floats]:
        faults = Faults()
        values = []
        for name in self.reads:
            remedy = self.remedy(name)
            read = partial(floats, block, remedy=remedy, used=self.reads, gaps=self.fill, filler=self.filler)
            part = faults.attempt(partial(read, notation=self.notation, lenient=self.lenient), name)
            if part is not None and part.ndim > 2:
                message = f"expected numbers, got arrays {part.shape[1:]}; arrays.v1 takes them"
                raise DataError(problems=[Problem(message, block.places.path, 0, printable(name))])
            if part is not None:
                values.append(part if part.ndim == 2 else part[:, None])
        faults.check()
        return values
