"""Tables of a new model filled from files of word vectors."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from trainer_cli.arrays import Ints
from trainer_cli.data import vectors
from trainer_cli.errors import ArgumentError
from trainer_cli.model import Model

# The attribute of a layer that names a file, and the parameter that it fills.
ATTRIBUTE, TABLE = "vectors", "E"
# The attribute that says how it went: words that got a vector, and all words of the training texts.
MATCHED = "matched"


@runtime_checkable
class KnowsWords(Protocol):
    """An encoder that gives words ids."""

    def word_ids(self, words: Iterable[str]) -> Ints:
        """The ids of words, 0 of those that it has not seen in training."""

    @property
    def n_words(self) -> int:
        """How many words have ids of their own."""


def asking(model: Model) -> list[Model]:
    """The layers that name a file of vectors."""
    return [node for node in model.walk() if node.attrs.get(ATTRIBUTE) is not None]


def check_widths(model: Model) -> None:
    """ArgumentError: a table is not as wide as the vectors that are to fill it."""
    for node in asking(model):
        path, width = node.attrs[ATTRIBUTE], node.get_dim("nO")
        if (found := vectors.width_of(Path(path))) != width:
            raise ArgumentError(f"{node.where}: the vectors in {path} are {found} wide, the table {width}: set {found}")


def fill(model: Model, features: Any) -> None:
    """Write the vectors of words that the encoder knows into the tables; of words that come twice the first counts.

    ArgumentError: no encoder of words is there, or several. DataError: a file has mistakes.
    """
    for node in asking(model):
        encoder, table = encoder_of(features, node), node.get_param(TABLE)
        filled = np.zeros(len(table), np.bool_)
        for words, rows in vectors.read(Path(node.attrs[ATTRIBUTE])):
            ids = encoder.word_ids(words)
            _, first = np.unique(ids, return_index=True)
            new = first[(ids[first] > 0) & ~filled[ids[first]]]
            table[ids[new]], filled[ids[new]] = rows[new], True
        node.attrs[MATCHED] = int(filled.sum()), encoder.n_words


def encoder_of(features: Any, node: Model) -> KnowsWords:
    """The one encoder of words among the features."""
    parts = [getattr(part, "encoder", part) for part in getattr(features, "parts", ())]
    found = [part for part in (features, *parts) if isinstance(part, KnowsWords)]
    if len(found) != 1:
        rule = "vectors = ... needs one encoder that gives words ids, as text.v1"
        raise ArgumentError(f"{node.where}: {rule}; [features] has {len(found) or 'none'}")
    return found[0]


def told(model: Model) -> list[str]:
    """How many words got a vector, a line a layer."""
    found = []
    for node in asking(model):
        n_matched, n_words = node.attrs[MATCHED]
        name = Path(node.attrs[ATTRIBUTE]).name
        found.append(f"{node.where}: {n_matched:,} of {n_words:,} words have a vector in {name}")
    return found
