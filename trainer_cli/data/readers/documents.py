"""The documents of a DocBin: columns made of the numbers and strings that it holds."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.data.block import Column

# The attributes of tokens that are read, by column.
ATTRIBUTES = {"tag": "TAG", "pos": "POS"}
# The codes of ENT_IOB: 0 is no annotation.
INSIDE, BEGIN = 1, 3
# A category belongs to a document from this value on.
THRESHOLD = 0.5
SEPARATOR = ";"
Names = tuple[str, ...]


class UnfitError(Exception):
    """The bytes are not those of a DocBin."""


@dataclass(frozen=True)
class Docs:
    """The documents of a file. `tokens` is (sum, attributes) uint64; those of document i are `starts[i]` to
    `starts[i + 1]`. `places` are the columns of attributes by their number."""

    tokens: Array
    starts: Array
    spaces: Array
    unknown_spaces: Sequence[bool]
    categories: Sequence[Mapping[str, float]]
    places: Mapping[int, int]
    strings: Any

    def __len__(self) -> int:
        return len(self.categories)

    @property
    def names(self) -> Names:
        found = ["text", "token"] + (["label"] if any(self.categories) else [])
        found += [name for name, attribute in ATTRIBUTES.items() if self.has(attribute)]
        return (*found, "ner") if self.has("ENT_IOB") else tuple(found)

    @cached_property
    def has_separator(self) -> bool:
        """Whether the name of a category has what stands between several."""
        return any(SEPARATOR in name for each in self.categories for name in each)

    def has(self, attribute: str) -> bool:
        place = self.places.get(numbers()[attribute])
        return place is not None and bool(self.tokens[:, place].any())

    def column(self, name: str, start: int, stop: int) -> Column:
        """A column for documents `start` to `stop`."""
        if name == "label":
            labels = [taken(self.categories[row]) for row in range(start, stop)]
            return labels if self.has_separator else [f"{SEPARATOR} ".join(each) for each in labels]
        cuts = self.starts[start : stop + 1].tolist()
        if name == "ner":
            flat = biluo(self.values("ENT_IOB", cuts), self.texts("ENT_TYPE", cuts), np.array(cuts) - cuts[0])
        else:
            flat = self.texts(ATTRIBUTES.get(name, "ORTH"), cuts)
        rows = [flat[a - cuts[0] : b - cuts[0]] for a, b in pairwise(cuts)]
        return [self.text(start + row, tokens) for row, tokens in enumerate(rows)] if name == "text" else rows

    def text(self, row: int, tokens: Sequence[str]) -> str:
        if self.unknown_spaces[row]:
            return " ".join(tokens)
        spaces = self.spaces[self.starts[row] : self.starts[row + 1]].tolist()
        return "".join(f"{token} " if space else token for token, space in zip(tokens, spaces, strict=True))

    def values(self, attribute: str, cuts: Sequence[int]) -> Array:
        place = self.places.get(numbers()[attribute])
        n = cuts[-1] - cuts[0]
        return np.zeros(n, np.uint64) if place is None else self.tokens[cuts[0] : cuts[-1], place]

    def texts(self, attribute: str, cuts: Sequence[int]) -> list[str]:
        """What the numbers of an attribute stand for. UnfitError: one stands for nothing."""
        different, places = np.unique(self.values(attribute, cuts), return_inverse=True)
        try:
            known = [self.strings[int(number)] for number in different]
        except (KeyError, IndexError, OverflowError) as err:
            raise UnfitError(f"a token's {attribute} is none of its strings") from err
        return [known[place] for place in places.tolist()]


def taken(categories: Mapping[str, float]) -> list[str]:
    """The categories that a document has.

    >>> taken({"a": 1.0, "b": 0.0}), taken({"a": 0.9, "b": 0.7}), taken({})
    (['a'], ['a', 'b'], [])
    """
    return [name for name, value in categories.items() if value >= THRESHOLD]


def biluo(codes: Array, types: Sequence[str], starts: Array) -> list[str]:
    """Entities as BILUO tags, from the codes (n,) and types of tokens; `starts` are where documents begin, and n.

    A token whose code begins an entity of no type is one that none may have: it is outside.

    >>> biluo(np.array([3, 1, 2, 3, 1, 3]), ["A", "A", "", "B", "B", "A"], np.array([0, 4, 6]))
    ['B-A', 'L-A', 'O', 'U-B', 'U-B', 'U-A']
    """
    is_first = np.zeros(len(codes) + 1, np.bool_)
    is_first[starts] = True
    inside = ((codes == INSIDE) | (codes == BEGIN)) & np.fromiter(map(bool, types), np.bool_, len(types))
    before = np.append(False, inside[:-1])
    begins = inside & ((codes == BEGIN) | is_first[:-1] | ~before)
    goes_on = np.append((inside & (codes == INSIDE))[1:], False) & ~is_first[1:]
    marks = np.where(begins, np.where(goes_on, "B", "U"), np.where(goes_on, "I", "L"))
    return [
        f"{mark}-{kind}" if is_in else "O"
        for mark, kind, is_in in zip(marks.tolist(), types, inside.tolist(), strict=True)
    ]


def numbers() -> Mapping[str, int]:
    """The numbers of attributes by name."""
    found: Mapping[str, int] = importlib.import_module("spacy.attrs").IDS
    return found
