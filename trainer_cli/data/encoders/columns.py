"""Encoders put together by column, or numeric columns alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Rows
from trainer_cli.data.block import Block
from trainer_cli.data.encoder import Encoder, Part, pack, unpack
from trainer_cli.data.encoders.choice import chosen, chosen_columns
from trainer_cli.data.encoders.numeric import Numeric
from trainer_cli.data.encoders.state import damaged, stated_names
from trainer_cli.data.faults import Faults, refused, shown
from trainer_cli.registry import registry


@registry.encoders("columns.v1")
class Columns:
    """Columns by their encoders, sections [features.*.NAME]; without such sections, numeric columns.

    With parts each reads the columns that it names; one that none names is not used, and one may be read by parts of
    different encoders. If every part gives rows of numbers (B, n), these stand side by side, (B, width) float32, in the
    order of the sections; else a row is a dict by the parts' names.

    Without parts all columns are standardised, `(x - mean) / deviation`, both of the training rows, (B, width)
    float32. `columns` are the ones to use, in that order; left out, all but `exclude` and the target's. A column is
    text that writes numbers, numbers (B,), or an array (B, n), which becomes n columns. One that is constant in
    training becomes `x - mean`. Values that are empty, no numbers or not finite are a DataError.
    """

    def __init__(self, *parts: Encoder, columns: list[str] | None = None, exclude: list[str] | None = None):
        for name, value in (("columns", columns), ("exclude", exclude)):
            if parts and value is not None:
                raise refused(name, f"{name} would do nothing beside [features.*.NAME]: each section names its own")
        if not all(isinstance(part, Part) and hasattr(part.encoder, "encode") for part in parts):
            raise refused("*", 'columns.v1 takes sections [features.*.NAME] with a line @encoders = "..."')
        self.columns = columns
        self.exclude = exclude
        self.parts = tuple(part for part in parts if isinstance(part, Part))
        self._numeric = Numeric(())

    @property
    def reads(self) -> tuple[str, ...]:
        read = [name for part in self.parts for name in part.reads]
        return tuple(dict.fromkeys(read)) if self.parts else self._numeric.reads

    @property
    def width(self) -> int:
        return sum(part.width for part in self.parts) if self.parts else self._numeric.width

    @property
    def n_ids(self) -> dict[str, Any] | None:
        """How many ids there are in each part that has any; None if none has."""
        found = {part.name: getattr(part.encoder, "n_ids", None) for part in self.parts}
        return {name: n_ids for name, n_ids in found.items() if n_ids} or None

    def choose(self, columns: tuple[str, ...]) -> None:
        if not self.parts:
            self._numeric = made(self._wanted(columns))
            return
        faults = Faults()
        for part in self.parts:
            faults.attempt(part.choose, columns)
        faults.check()
        self._check_double()

    def fit(self, block: Block) -> None:
        if not self.parts:
            self._numeric.fit(block)
            return
        faults = Faults()
        for part in self.parts:
            faults.attempt(part.fit, block)
        faults.check()

    def finish_fit(self) -> None:
        if not self.parts:
            self._numeric.finish_fit()
            return
        faults = Faults()
        for part in self.parts:
            with faults.gathered():
                part.finish_fit()
        faults.check()

    def encode(self, block: Block) -> Rows:
        if not self.parts:
            return self._numeric.encode(block)
        faults = Faults()
        found: dict[str, Any] = {part.name: faults.attempt(part.encode, block) for part in self.parts}
        faults.check()
        return np.concatenate(list(found.values()), axis=1) if all(map(is_numbers, found.values())) else found

    def known(self, rows: Rows) -> dict[str, int]:
        """How many of some encoded rows have a known value, for each column of categories."""
        found: dict[str, int] = {}
        for part, own in zip(self.parts, self._own(rows), strict=True):
            if hasattr(part.encoder, "known"):
                found |= part.encoder.known(own)
        return found

    def vocabulary(self) -> dict[str, tuple[str, ...]]:
        """The values that are known, for each column of categories."""
        found: dict[str, tuple[str, ...]] = {}
        for part in self.parts:
            if hasattr(part.encoder, "vocabulary"):
                found |= part.encoder.vocabulary()
        return found

    def _own(self, rows: Rows) -> list[Any]:
        """What each part has given of some encoded rows."""
        if isinstance(rows, dict):
            return [rows[part.name] for part in self.parts]
        assert isinstance(rows, np.ndarray)
        return np.split(rows, np.cumsum([part.width for part in self.parts])[:-1], axis=1) if self.parts else []

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        if not self.parts:
            return {"columns": list(self.reads), "sizes": list(self._numeric.sizes)}, self._numeric.arrays()
        states, arrays = pack({part.name: (part.registered, part.encoder) for part in self.parts})
        return {"parts": states, "order": [part.name for part in self.parts]}, arrays

    @classmethod
    def from_state(cls, state: dict[str, Any], arrays: Mapping[str, Array]) -> Columns:
        if "parts" not in state:
            encoder = cls(columns=list(stated_names(state, "columns")))
            encoder._numeric = made(stated_names(state, "columns"))
            encoder._numeric.restore(state, arrays)
            return encoder
        encoders, order = unpack(state["parts"], arrays), stated_names(state, "order")
        if set(order) != set(encoders):
            raise damaged("order", f"the names {sorted(encoders)}", list(order))
        return cls(*(Part(name, state["parts"][name]["name"], encoders[name]) for name in order))

    def _wanted(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        if self.columns is not None and self.exclude is not None:
            raise refused("exclude", "columns and exclude say the same thing twice; give one of them")
        for name in self.exclude or []:
            chosen(name, columns, "exclude")
        left = [name for name in columns if name not in (self.exclude or [])]
        return chosen_columns(left if self.columns is None else self.columns, columns)

    def _check_double(self) -> None:
        """Two parts of one encoder that read the same column would say the same thing twice."""
        for part in self.parts:
            alike = [name for other in self.parts if other.registered == part.registered for name in other.reads]
            twice = [name for name, n in Counter(alike).items() if n > 1]
            if twice:
                others = [f"[features.*.{other.name}]" for other in self.parts if twice[0] in other.reads]
                message = f"the column {shown(twice[0])} is read by {' and '.join(others)}: take it out of one"
                raise refused(f"*.{part.name}.columns", message)


def made(reads: tuple[str, ...]) -> Numeric:
    """Strict numbers: what columns.v1 is without parts."""
    return Numeric(reads, remedy=left_out, filler="or let numbers.v1 fill it in, in a section [features.*.NAME]")


def left_out(name: str) -> str:
    """What to do with a column that holds no numbers."""
    others = "categories.v1 or dates.v1 may take it, in a section [features.*.NAME]"
    return f"{others}; or leave it out, as [features] exclude = [{shown(name)}] does"


def is_numbers(rows: Rows) -> bool:
    return isinstance(rows, np.ndarray) and rows.ndim == 2 and rows.dtype.kind == "f"
