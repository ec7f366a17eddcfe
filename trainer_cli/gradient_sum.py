"""The gradient and the buffers of a batch from those of its micro-batches, along one fixed tree."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trainer_cli.arrays import Array, Ints
from trainer_cli.store import Store
from trainer_cli.tree import TreeSum


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
        self._dense.add(store.dense)
        store.dense.fill(0)
        for table in store.tables:
            self._tables.setdefault(table.name, RowSum()).add(TableRows(*store.take_rows(table.name)))
        self._buffers.add(store.buffers.fresh * store.dtype.type(share))
        for name, (_, fresh) in store.buffers.exact.items():
            if name not in self._exact:
                self._exact[name] = fresh.copy()
        store.buffers.restart()

    def finish(self, store: Store) -> None:
        """Give the store the sum, and start anew."""
        self._dense.finish(store.dense)
        for table in store.tables:
            store.put_rows(table.name, *self._tables[table.name].finish())
        self._buffers.finish(store.buffers.fresh)
        for name, (_, fresh) in store.buffers.exact.items():
            fresh[...] = self._exact.pop(name)


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


class RowSum:
    """Add up rows of a table along the tree of `TreeSum`."""

    def __init__(self) -> None:
        self._partial: list[TableRows | None] = []

    def add(self, part: TableRows) -> None:
        """Take in the next part."""
        level = 0
        while level < len(self._partial) and (held := self._partial[level]) is not None:
            part, self._partial[level] = part.plus(held), None
            level += 1
        if level == len(self._partial):
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
