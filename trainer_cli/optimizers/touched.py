"""The rows of an embedding table that an update changes, copied out with all that is remembered about them."""

from __future__ import annotations

from dataclasses import dataclass

from trainer_cli.arrays import Array, Ints
from trainer_cli.ops import Ops
from trainer_cli.optimizers.averages import caught_up
from trainer_cli.optimizers.memory import State
from trainer_cli.store import Segment, Store, view


@dataclass(frozen=True)
class Touched:
    """The table `index` of a store's state: its `rows` that have a gradient, their weights and gradient, flat, and
    their state as if they were a tensor by themselves."""

    index: int
    rows: Ints
    weights: Array
    gradient: Array
    state: State


def gather(store: Store, state: State, index: int) -> Touched:
    """Copy out what the next update of a table needs. Averages of rows that were left alone are caught up."""
    segment, n_updates = state.segments[index], state.n_updates[index]
    rows = store.touched(segment.name)
    weights = view(store.values, segment).take(rows, axis=0)
    arrays = {group: view(array, segment).take(rows, axis=0) for group, array in state.arrays.items()}
    if "averages" in arrays:
        arrays["averages"] = caught_up(arrays["averages"], weights, state.last[index][rows], n_updates)
    part = Segment(segment.name, 0, weights.shape, segment.no_decay, segment.key, sparse=True)
    flat = {group: array.reshape(-1) for group, array in arrays.items()}
    gradient = view(store.gradients, segment).take(rows, axis=0).reshape(-1)
    return Touched(index, rows, weights.reshape(-1), gradient, State((part,), flat, [n_updates]))


def scatter(ops: Ops, store: Store, state: State, changed: Touched) -> None:
    """Put rows that were updated back where they belong, and count the update."""
    segment, shape = state.segments[changed.index], changed.state.segments[0].shape
    ops.put_rows(view(store.values, segment), changed.rows, changed.weights.reshape(shape))
    for group, array in changed.state.arrays.items():
        ops.put_rows(view(state.arrays[group], segment), changed.rows, array.reshape(shape))
    state.n_updates[changed.index] += 1
    if "averages" in state.arrays:
        state.last[changed.index][changed.rows] = state.n_updates[changed.index]
