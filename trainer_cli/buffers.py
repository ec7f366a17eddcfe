"""What a model learns without a gradient, such as the running mean of a normalisation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ModelFileError

if TYPE_CHECKING:
    from trainer_cli.model import Model


class Buffers:
    """One model's buffers end to end, twice: `values` are those that predict, `fresh` those that training changes.

    An update makes the fresh ones the values. The micro-batches of a step all begin with the values; what each leaves
    is added up by its share of the batch's rows. `exact` ones, of any dtype, lie apart, as (value, fresh) by name: a
    count or a flag has no shares. Where both are one array, nothing in training changes it. `n_loads` counts how often
    others were loaded.
    """

    def __init__(self, root: Model, dtype: np.dtype[np.generic]):
        found = [(node, name) for node in root.walk(order="dfs_pre") for name in node.buffer_names]
        found = [(node, name) for node, name in found if node.has_buffer(name)]
        n = sum(node.get_buffer(name).size for node, name in found if name not in node.exact)
        self.values: Array = np.zeros(n, dtype)
        self.fresh: Array = np.zeros(n, dtype)
        self.exact: dict[str, tuple[Array, Array]] = {}
        self._places: dict[str, Array] = {}
        self.n_loads = 0
        start = 0
        for node, name in found:
            if name in node.exact:
                value, fresh = self.exact[node.full_name(name)] = node.get_buffer(name), node.fresh_buffer(name)
            else:
                shape = node.get_buffer(name).shape
                place = slice(start, start + math.prod(shape))
                value, fresh = self.values[place].reshape(shape), self.fresh[place].reshape(shape)
                node.bind_buffer(name, value, fresh)
                start = place.stop
            self._places[node.full_name(name)] = value

    def __len__(self) -> int:
        return len(self._places)

    def named(self) -> dict[str, Array]:
        """Views of the values by name."""
        return dict(self._places)

    def load(self, arrays: dict[str, Array]) -> None:
        """Copy named arrays into the values, and begin anew with them. ModelFileError: they are another model's."""
        for name in self._places.keys() ^ arrays.keys():
            state = "is missing" if name in self._places else "belongs to no layer of this model"
            raise ModelFileError(f"{name}: {state}")
        for name, place in self._places.items():
            if place.shape != arrays[name].shape:
                raise ModelFileError(f"{name}: has shape {arrays[name].shape}, the model needs {place.shape}")
            if name in self.exact and place.dtype != arrays[name].dtype:
                raise ModelFileError(f"{name}: is {arrays[name].dtype}, the model needs {place.dtype}")
            place[...] = arrays[name]
        self.n_loads += 1
        self.restart()

    def restart(self) -> None:
        """Take back what training has changed since the last update."""
        self.fresh[...] = self.values
        for value, fresh in self.changing.values():
            fresh[...] = value

    def keep(self) -> None:
        """Predict with what training has made of them."""
        self.values[...] = self.fresh
        for value, fresh in self.changing.values():
            value[...] = fresh

    @property
    def changing(self) -> dict[str, tuple[Array, Array]]:
        """The exact ones that training may change."""
        return {name: pair for name, pair in self.exact.items() if pair[1] is not pair[0]}

    @property
    def constants(self) -> dict[str, Array]:
        """The exact ones that nothing in training changes."""
        return {name: value for name, (value, fresh) in self.exact.items() if fresh is value}

    def fix(self, constants: Mapping[str, Array]) -> None:
        """Copy others into those that nothing in training changes."""
        for name, value in self.constants.items():
            value[...] = constants[name]
        self.n_loads += 1

    def first_not_finite(self) -> str:
        """The name of the first one with a NaN or infinity, or an empty text."""
        if np.isfinite(self.values).all() and all(np.isfinite(value).all() for value, _ in self.changing.values()):
            return ""
        return next(name for name, array in self._places.items() if not np.isfinite(array).all())
