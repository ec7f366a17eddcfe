"""Rows put end to end as they arrive, without ever holding them twice."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ragged, Rows, n_rows
from trainer_cli.errors import ShapeError


class Gather:
    """Collects arrays, `Ragged`, tuples or dicts of rows; `result` is all of them, C-contiguous.

    `expected` rows are made room for at once; more are welcome.
    """

    def __init__(self, expected: int = 0):
        self.expected = expected
        self.n = 0
        self.parts: Any = None

    def add(self, rows: Rows) -> None:
        """Put copies of `rows` at the end."""
        if self.parts is None:
            self.parts = self._start(rows)
        self.n += n_rows(rows)
        if isinstance(rows, dict):
            for name, part in rows.items():
                self.parts[name].add(part)
        elif isinstance(rows, tuple | Ragged):
            pieces = rows if isinstance(rows, tuple) else (rows.data, rows.lengths)
            for gather, part in zip(self.parts, pieces, strict=True):
                gather.add(part)
        else:
            self._add_array(rows)

    def result(self) -> Rows:
        """All the rows so far; the collector is empty afterwards."""
        assert self.parts is not None, "nothing was gathered"
        parts, self.parts = self.parts, None
        if isinstance(parts, np.ndarray):
            parts.resize((self.n, *parts.shape[1:]), refcheck=False)
            return parts
        if isinstance(parts, dict):
            return {name: part.result() for name, part in parts.items()}
        pieces = tuple(part.result() for part in parts)
        return Ragged(*pieces) if isinstance(parts, list) else pieces

    def _start(self, rows: Rows) -> Any:
        if isinstance(rows, dict):
            return {name: Gather(self.expected) for name in rows}
        if isinstance(rows, tuple):
            return tuple(Gather(self.expected) for _ in rows)
        if isinstance(rows, Ragged):
            return [Gather(), Gather(self.expected)]
        return np.empty((max(self.expected, len(rows)), *rows.shape[1:]), rows.dtype)

    def _add_array(self, rows: Array) -> None:
        kept = self.parts
        check_alike(rows, kept.dtype, kept.shape[1:])
        if self.n > len(kept):
            # In place (the memory is moved by the system where it can), so a grown array is never held twice.
            kept.resize((max(self.n, len(kept) * 3 // 2), *kept.shape[1:]), refcheck=False)
        kept[self.n - len(rows) : self.n] = rows


def check_alike(rows: Array, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    """ShapeError: an array of rows is of another kind or size than those before it."""
    if rows.shape[1:] != shape or rows.dtype != dtype:
        sizes = f"{rows.dtype} {rows.shape[1:]} after {dtype} {shape}"
        raise ShapeError(f"an encoder must give arrays of one kind and size, got {sizes}")
