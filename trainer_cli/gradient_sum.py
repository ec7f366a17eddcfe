"""The gradient and the buffers of a batch from those of its micro-batches, along one fixed tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from trainer_cli.arrays import Array, Ints
from trainer_cli.store import Store
from trainer_cli.tree import TreeSum


class TableRows(NamedTuple):
    """Different rows of a table in order, (k,), and what each has, (k, width)."""

    rows: Ints
    values: Array

    def plus(self, other: TableRows) -> TableRows:
        """The sum; a row that one of them lacks is zero there."""
        rows = np.union1d(self.rows, other.rows)
        values = np.zeros((len(rows), *self.values.shape[1:]), self.values.dtype)
        values[np.searchsorted(rows, self.rows)] = self.values
        values[np.searchsorted(rows, other.rows)] += other.values
        return TableRows(rows, values)


class Sums(NamedTuple):
    """What `2**level` micro-batches make, the first of them the `start`-th of its batch: a whole subtree of the sum.

    The gradients of all parameters but the tables, flat; those of the tables; the buffers, by share; and the exact
    buffers of the batch's first micro-batch, if it is one of these.
    """

    start: int
    level: int
    dense: Array
    tables: Mapping[str, TableRows]
    buffers: Array
    exact: Mapping[str, Array]


class GradientSum:
    """Add up the gradients that a store has after each micro-batch; what tables have not is not added.

    The buffers that each leaves are added up as well, by its share of the batch's rows; of exact ones the first
    micro-batch's count.
    """

    def __init__(self) -> None:
        self._dense = TreeSum()
        self._tables: dict[str, RowSum] = {}
        self._buffers = TreeSum()
        self._exact: dict[str, Array] = {}

    def add(self, store: Store, share: float = 1.0) -> None:
        """Take in the store's gradients and set them to zero, and its fresh buffers, which begin anew."""
        tables = {table.name: TableRows(*store.take_rows(table.name)) for table in store.tables}
        self._add_rows(0, tables)
        self._dense.add(store.dense)
        self._buffers.add(store.buffers.fresh * store.dtype.type(share))
        store.dense.fill(0)
        if not self._exact:
            self._exact = {name: fresh.copy() for name, (_, fresh) in store.buffers.changing.items()}
        store.buffers.restart()

    def add_sums(self, sums: Sums) -> None:
        """Take in what others have summed, in the order of the micro-batches. Its arrays are overwritten, and nobody
        else touches them until `finish`."""
        self._add_rows(sums.level, sums.tables)
        self._dense.lend(sums.dense, sums.level)
        self._buffers.lend(sums.buffers, sums.level)
        self._exact = self._exact or dict(sums.exact)

    def _add_rows(self, level: int, tables: Mapping[str, TableRows]) -> None:
        for name, rows in tables.items():
            self._tables.setdefault(name, RowSum()).add(rows, level)

    def finish(self, store: Store) -> None:
        """Give the store the sum, and start anew."""
        self._dense.finish(store.dense)
        for table in store.tables:
            store.put_rows(table.name, *self._tables[table.name].finish())
        self._buffers.finish(store.buffers.fresh)
        for name, (_, fresh) in store.buffers.changing.items():
            fresh[...] = self._exact[name]
        self._exact = {}


class RowSum:
    """Add up rows of a table along the tree of `TreeSum`."""

    def __init__(self) -> None:
        self._partial: list[TableRows | None] = []

    def add(self, part: TableRows, level: int = 0) -> None:
        """Take in the next part, or the sum of the next `2**level`."""
        while level < len(self._partial) and (held := self._partial[level]) is not None:
            part, self._partial[level] = part.plus(held), None
            level += 1
        while level >= len(self._partial):
            self._partial.append(None)
        self._partial[level] = part

    def finish(self) -> TableRows:
        """The sum of all parts; start anew."""
        parts = [part for part in self._partial if part is not None]
        total = parts[0]
        for part in parts[1:]:
            total = total.plus(part)
        self._partial = []
        return total
