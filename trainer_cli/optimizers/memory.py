"""What an optimizer remembers about each tensor: its moments, its average, and how often it was updated."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from trainer_cli.arrays import Array, Ints
from trainer_cli.errors import ArgumentError, ModelFileError, ShapeError
from trainer_cli.optimizers.averages import caught_up
from trainer_cli.optimizers.rule import Part
from trainer_cli.store import Segment, Store, view

Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class State:
    """What is remembered about tensors that lie end to end, by group: `arrays["m"]` is flat.

    `last` has for each sparse table the update (n_rows,) after which the averages of a row are as they stand: they
    are caught up when the row is updated, or when all are asked for. `weights` are those of the store, flat.
    """

    segments: tuple[Segment, ...]
    arrays: dict[str, Array]
    n_updates: list[int]
    last: dict[int, Ints] = field(default_factory=dict)
    weights: Array | None = None

    def array(self, group: str, index: int) -> Array:
        """What is remembered about one tensor; the averages of a table are a copy, caught up."""
        segment = self.segments[index]
        found = view(self.arrays[group], segment)
        if group != "averages" or index not in self.last:
            return found
        assert self.weights is not None
        return caught_up(found, view(self.weights, segment), self.last[index], self.n_updates[index])

    def parts(
        self, indexes: range, weights: Array, gradient: Array, alike: Callable[[Segment], Hashable]
    ) -> Iterator[Part]:
        """Count an update of the tensors `indexes`, whose flat arrays these are, and cut them into alike neighbours."""
        for index in indexes:
            self.n_updates[index] += 1
        base = self.segments[indexes.start].start if indexes else 0
        for _, group in itertools.groupby(indexes, lambda i: (self.n_updates[i], alike(self.segments[i]))):
            members = list(group)
            segments = self.segments[members[0] : members[-1] + 1]
            start, stop = segments[0].start, segments[-1].stop
            moments = {name: array[start:stop] for name, array in self.arrays.items()}
            here = slice(start - base, stop - base)
            yield Part(weights[here], gradient[here], moments, segments, self.n_updates[members[0]])


class ByKey(dict[Hashable, Value]):
    """Values by the tensor's key; where only one tensor has a name, by its name too. `default` is that of no tensor."""

    def __init__(self, values: Mapping[Hashable, Value], names: Mapping[str, list[Hashable]], default: Value | None):
        super().__init__(values)
        self._names = names
        self._default = default

    def __missing__(self, name: Hashable) -> Value:
        if not isinstance(name, str) and (text := key_text(name)) in self:
            return self[text]  # loaded, and not met again yet
        keys = self._names.get(name, []) if isinstance(name, str) else []
        if len(keys) == 1:
            return self[keys[0]]
        if self._default is None or keys:
            known = sorted({*self._names, *(key for key in self if isinstance(key, str))})
            several = f"is the name of {len(keys)} tensors" if keys else "was not updated yet"
            raise KeyError(f"{name!r} {several}; known by name are {known}")
        return self._default


class Memory:
    """The states of all tensors an optimizer has met. `groups` names the arrays that are kept for each.

    A tensor is known by its key. When its model moves to another store (it was nested in another model, say), its
    state moves along. A state that was loaded waits under the tensor's name until the tensor is met.
    """

    def __init__(self, groups: tuple[str, ...]):
        self.groups = groups
        self._stores: WeakKeyDictionary[Store, State] = WeakKeyDictionary()
        self._places: dict[Hashable, tuple[State, int]] = {}
        self._loaded: dict[str, tuple[dict[str, Array], int]] = {}

    def of_store(self, store: Store) -> State:
        """What is remembered about this store; zeros at first."""
        if store not in self._stores:
            self._stores[store] = self._new(store.segments, store.dtype, store.values)
        return self._stores[store]

    def of_tensor(self, key: Hashable, weights: Array) -> tuple[State, int]:
        """The state that has a tensor updated by itself, and which of its segments that is."""
        if key not in self._places:
            self._new((Segment(key_text(key), 0, weights.shape, key=key),), weights.dtype)
        state, index = self._places[key]
        known, dtype = state.segments[index].shape, next((a.dtype for a in state.arrays.values()), weights.dtype)
        if known != weights.shape:
            raise ShapeError(f"the weights of {key!r} had shape {known} before, now they have {weights.shape}")
        if dtype != weights.dtype:
            raise ArgumentError(f"the weights of {key!r} were {dtype} before, now they are {weights.dtype}")
        return state, index

    def by_key(self, group: str) -> ByKey[Array]:
        """The arrays of a group: views by key, or by name where loaded ones wait."""
        arrays: dict[Hashable, Array] = {}
        if group in self.groups:
            arrays |= {name: held[group] for name, (held, _) in self._loaded.items()}
            arrays |= {key: state.array(group, index) for key, (state, index) in self._places.items()}
        return ByKey(arrays, self._names(), None)

    def counts(self) -> ByKey[int]:
        """How many updates each tensor had; 0 of one that was never met."""
        counts: dict[Hashable, int] = {name: count for name, (_, count) in self._loaded.items()}
        counts |= {key: state.n_updates[index] for key, (state, index) in self._places.items()}
        return ByKey(counts, self._names(), 0)

    def _names(self) -> dict[str, list[Hashable]]:
        names: dict[str, list[Hashable]] = {}
        for key, (state, index) in self._places.items():
            names.setdefault(state.segments[index].name, []).append(key)
        return names

    def to_arrays(self) -> dict[str, Array]:
        """Everything by group and name: `m.hidden.W`, `n_updates.hidden.W`, ...

        ArgumentError: two tensors have one name, or a key cannot be written as text.
        """
        saved = {name: (dict(held), n) for name, (held, n) in self._loaded.items()}
        for key, (state, index) in self._places.items():
            segment = state.segments[index]
            if segment.name in saved:
                raise ArgumentError(
                    f"two tensors are called {segment.name!r}, so a file cannot tell them apart: use one optimizer "
                    "for each model, or keys of your own"
                )
            if not is_text(key):
                raise ArgumentError(f"to be saved, a key is text or a tuple of text and whole numbers, not {key!r}")
            arrays = {group: view(array, segment) for group, array in state.arrays.items()}
            if index in state.last:
                arrays["last"] = state.last[index]
            saved[segment.name] = arrays, state.n_updates[index]
        found = {f"n_updates.{name}": np.asarray(n, np.int64) for name, (_, n) in saved.items()}
        return found | {f"{g}.{name}": array for name, (arrays, _) in saved.items() for g, array in arrays.items()}

    def from_arrays(self, arrays: Mapping[str, Array]) -> None:
        """Forget all and take over what `to_arrays` gave. ModelFileError: another kind of optimizer wrote it."""
        found: dict[str, dict[str, Array]] = {}
        for full, array in arrays.items():
            group, _, name = full.partition(".")
            found.setdefault(name, {})[group] = array
        for name, held in found.items():
            if held.keys() - {"last"} != {"n_updates", *self.groups}:
                kept = ", ".join(self.groups) or "nothing"
                raise ModelFileError(f"{name}: this optimizer keeps {kept}, not {', '.join(sorted(held))}")
            count = held["n_updates"]
            if count.shape != () or count.dtype.kind != "i" or count < 0:
                rule = "expected a whole number of at least 0"
                raise ModelFileError(f"n_updates.{name}: {rule}, got {count.tolist()!r:.60}")
        self._stores.clear()
        self._places.clear()
        self._loaded = {name: (held, int(held.pop("n_updates"))) for name, held in found.items()}

    def _new(self, segments: tuple[Segment, ...], dtype: np.dtype[np.generic], weights: Array | None = None) -> State:
        size = max((segment.stop for segment in segments), default=0)
        arrays = {group: np.zeros(size, dtype) for group in self.groups}
        tables = (i for i, segment in enumerate(segments) if segment.sparse and "averages" in self.groups)
        last = {i: np.zeros(segments[i].shape[0], np.int64) for i in tables}
        state = State(segments, arrays, [0] * len(segments), last, weights)
        for index, segment in enumerate(segments):
            self._take_over(state, index, segment)
            self._places[segment.key] = state, index
        return state

    def _take_over(self, state: State, index: int, segment: Segment) -> None:
        """Give a segment what is known about its key, or what was loaded under its name."""
        if segment.key in self._places:
            old, place = self._places[segment.key]
            if old.segments[place].shape != segment.shape:
                return  # initialised anew in another size: nothing remembered fits
            known = {group: view(array, old.segments[place]) for group, array in old.arrays.items()}
            known |= {"last": old.last[place]} if place in old.last else {}
            count = old.n_updates[place]
        elif segment.name in self._loaded:
            known, count = self._loaded[segment.name]
            if ("last" in known) != (index in state.last):
                raise ModelFileError(f"{segment.name}: one of the two optimizers knows it as a sparse table, not both")
            for group, array in known.items():
                if array.shape != (segment.shape if group != "last" else segment.shape[:1]):
                    raise ModelFileError(f"{group}.{segment.name}: has shape {array.shape}, not {segment.shape}")
            del self._loaded[segment.name]
        else:
            return
        for group, array in known.items():
            place_of = state.last[index] if group == "last" else view(state.arrays[group], segment)
            place_of[...] = array
        state.n_updates[index] = count


def key_text(key: Hashable) -> str:
    return key if isinstance(key, str) else json.dumps(key) if is_text(key) else repr(key)


def is_text(key: Hashable) -> bool:
    return isinstance(key, str | int) or (isinstance(key, tuple) and all(isinstance(part, str | int) for part in key))
