"""Compiled loops over the rows of tables, float32 and C-contiguous. Who calls them has checked the rows' range."""

from __future__ import annotations

from trainer_cli.arrays import Array, Ints
from trainer_cli.ops.compiled import compiled


@compiled
def add_rows(table: Array, rows: Ints, values: Array) -> None:
    for i in range(rows.size):
        to, value = table[rows[i]], values[i]
        for j in range(value.size):
            to[j] += value[j]


@compiled
def put_rows(table: Array, rows: Ints, values: Array) -> None:
    for i in range(rows.size):
        to, value = table[rows[i]], values[i]
        for j in range(value.size):
            to[j] = value[j]
