"""What an encoder is, and how fitted ones are saved as JSON and arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from trainer_cli.arrays import Array, Rows
from trainer_cli.data.block import Block
from trainer_cli.data.faults import within
from trainer_cli.errors import ModelFileError
from trainer_cli.registry import registry

State = dict[str, Any]


class Encoder(Protocol):
    """Turns columns into arrays. Fitted on training blocks alone: `choose`, `fit` for each block, `finish_fit`.

    One whose whole numbers are ids, rows of a table, has also `n_ids`: they are below it (a number, one for each
    column, or these by the name of a part).
    """

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns it uses, known after `choose`."""

    @property
    def width(self) -> int:
        """How many numbers a row becomes; of a target, how many outputs the model needs."""

    def choose(self, columns: tuple[str, ...]) -> None:
        """Settle which of the data's columns to use; one that is not there is a DataError naming the argument."""

    def fit(self, block: Block) -> None:
        """Take in one more block of training rows."""

    def finish_fit(self) -> None:
        """Settle what was learnt, after the last block."""

    def encode(self, block: Block) -> Rows:
        """The block's rows as the model takes them; values that do not fit are a DataError with their places."""

    def to_state(self) -> tuple[State, dict[str, Array]]:
        """All it needs to encode, as JSON and arrays."""

    @classmethod
    def from_state(cls, state: State, arrays: Mapping[str, Array]) -> Encoder:
        """The fitted encoder again; a damaged state is a ModelFileError."""


class Target(Encoder, Protocol):
    """An encoder of what is to be predicted.

    One of classes has also `names`, theirs in the order of their numbers, and `counts`, how many training rows have
    each: what a loss may need for class weights. One that is a target only with some arguments says so by `predicts`.
    """

    def decode(self, outputs: Any) -> list[Any]:
        """Labels or numbers as in the data, from the model's outputs (probabilities, where it has them)."""


class Part:
    """An encoder among others, with its name and the one it is registered under; mistakes name its section."""

    def __init__(self, name: str, registered: str, encoder: Encoder):
        self.name = name
        self.registered = registered
        self.encoder = encoder

    @property
    def reads(self) -> tuple[str, ...]:
        return self.encoder.reads

    @property
    def width(self) -> int:
        return self.encoder.width

    def choose(self, columns: tuple[str, ...]) -> None:
        with within(f"*.{self.name}"):
            self.encoder.choose(columns)

    def fit(self, block: Block) -> None:
        self.encoder.fit(block)

    def finish_fit(self) -> None:
        with within(f"*.{self.name}"):
            self.encoder.finish_fit()

    def encode(self, block: Block) -> Rows:
        return self.encoder.encode(block)

    def to_state(self) -> tuple[State, dict[str, Array]]:
        return self.encoder.to_state()

    @classmethod
    def from_state(cls, state: State, arrays: Mapping[str, Array]) -> Part:
        raise NotImplementedError("a part is saved by what holds it")


def pack(encoders: Mapping[str, tuple[str, Encoder]]) -> tuple[State, dict[str, Array]]:
    """The state of encoders by section, each given with its registered name: one JSON object, one set of arrays."""
    states, all_arrays = {}, {}
    for section, (name, encoder) in encoders.items():
        state, arrays = encoder.to_state()
        states[section] = {"name": name, "state": state, "arrays": sorted(arrays)}
        all_arrays.update({f"{section}.{key}": array for key, array in arrays.items()})
    return states, all_arrays


def unpack(states: object, all_arrays: Mapping[str, Array]) -> dict[str, Encoder]:
    """The encoders that `pack` wrote, by section; what does not fit together is a ModelFileError."""
    if not isinstance(states, dict):
        raise ModelFileError("the encoders' state must be a JSON object of sections")
    encoders, expected = {}, set()
    for section, entry in states.items():
        name, state, keys = _entry(section, entry)
        missing = [key for key in keys if f"{section}.{key}" not in all_arrays]
        if missing:
            raise ModelFileError(f"the encoder of [{section}] lacks its arrays {missing}")
        expected |= {f"{section}.{key}" for key in keys}
        arrays = {key: all_arrays[f"{section}.{key}"] for key in keys}
        encoders[section] = registry.encoders.get(name).from_state(state, arrays)
    if expected != set(all_arrays):
        raise ModelFileError(f"no encoder has the arrays {sorted(set(all_arrays) - expected)}")
    return encoders


def _entry(section: str, entry: object) -> tuple[str, State, list[str]]:
    if isinstance(entry, dict) and entry.keys() == {"name", "state", "arrays"}:
        name, state, keys = entry["name"], entry["state"], entry["arrays"]
        named = isinstance(name, str) and registry.has("encoders", name)
        if named and isinstance(state, dict) and isinstance(keys, list) and all(isinstance(key, str) for key in keys):
            return name, state, keys
    raise ModelFileError(f"the state of [{section}] must hold the name of an encoder, its state and its arrays' names")
