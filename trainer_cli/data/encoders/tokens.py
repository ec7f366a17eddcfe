"""Sentences as the features of their words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any, Never

import numpy as np

from trainer_cli.arrays import Array, Ints, Ragged
from trainer_cli.data.block import Block, is_texts, is_tokens, listing
from trainer_cli.data.encoders.choice import chosen
from trainer_cli.data.encoders.state import stated_names, stated_text
from trainer_cli.data.encoders.words import MOST_KEPT, shape, word_hash, words
from trainer_cli.data.faults import printable, refused, shown
from trainer_cli.errors import DataError, Problem
from trainer_cli.registry import nearest, registry

USUAL = ("tokens", "token", "words", "form", "text")
# Those of spaCy's MultiHashEmbed for English.
ATTRIBUTES = ("NORM", "PREFIX", "SUFFIX", "SHAPE")
WHOLE: dict[str, Callable[[str], str]] = {
    "NORM": str.lower,
    "LOWER": str.lower,
    "ORTH": lambda word: f"\0o{word}",
    "SHAPE": lambda word: f"\0x{shape(word)}",
}
AFFIX = re.compile(r"(PREFIX|SUFFIX)([1-9]?)")
RULE = "expected names among NORM, LOWER, ORTH, SHAPE, PREFIX, SUFFIX, or PREFIX1 to PREFIX9 and SUFFIX1 to SUFFIX9"

NEEDED = "The words of each row are a list, as .spacy, .conll and JSON have them; a text called {} is split into words"


@registry.encoders("tokens.v1")
class Tokens:
    """Each word of a sentence as the hashes of its attributes: a Ragged of int64 (sum, k), from 0 to 2^63 - 1.

    `attributes` names them: NORM or LOWER, the word in small letters; ORTH, as it is written; SHAPE, such as `Xxxx-dd`;
    PREFIX, its first character, and SUFFIX, its last three; PREFIX2 or SUFFIX4, so many. Left out they are NORM,
    PREFIX, SUFFIX and SHAPE, those of spaCy's MultiHashEmbed for English. The column has tokens, or text, which is
    split into words as `text.v1` does. `column` may be left out for one called `tokens`, `token`, `words`, `form` or
    `text`, or if there is one column. Nothing is learnt from training rows.
    """

    def __init__(self, column: str | None = None, attributes: list[str] | None = None):
        self.column = column
        self.attributes = checked(ATTRIBUTES if attributes is None else attributes)
        self.reads: tuple[str, ...] = ()
        self._numbers: dict[str, int] = {}
        self._table: Ints = np.zeros((0, len(self.attributes)), np.int64)

    @property
    def width(self) -> int:
        return len(self.attributes)

    def choose(self, columns: tuple[str, ...]) -> None:
        self.reads = (token_column(self.column, columns),)

    def fit(self, block: Block) -> None:
        self._sentences(block)

    def finish_fit(self) -> None:
        """Nothing is left to settle."""

    def encode(self, block: Block) -> Ragged:
        sentences = self._sentences(block)
        lengths = np.fromiter(map(len, sentences), np.int64, len(sentences))
        flat = list(chain.from_iterable(sentences))
        new = list(dict.fromkeys(word for word in flat if word not in self._numbers))
        if len(self._numbers) + len(new) > MOST_KEPT:
            self._numbers, self._table, new = {}, self._table[:0], list(dict.fromkeys(flat))
        self._learn(new)
        return Ragged(self._table[np.fromiter(map(self._numbers.__getitem__, flat), np.int64, len(flat))], lengths)

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        return {"column": self.reads[0], "attributes": list(self.attributes)}, {}

    @classmethod
    def from_state(cls, state: dict[str, Any], arrays: Mapping[str, Array]) -> Tokens:
        encoder = cls(stated_text(state, "column"), list(stated_names(state, "attributes")))
        encoder.reads = (stated_text(state, "column"),)
        return encoder

    def _learn(self, new: list[str]) -> None:
        if new:
            self._numbers.update(zip(new, range(len(self._numbers), len(self._numbers) + len(new)), strict=True))
            self._table = np.concatenate([self._table, np.array(list(map(self._hashes, new)), np.int64)])

    def _hashes(self, word: str) -> list[int]:
        return [word_hash(attribute(name, word)) for name in self.attributes]

    def _sentences(self, block: Block) -> list[list[str]]:
        name = self.reads[0]
        values = block.column(name) if name in block.columns else self._missing(block)
        if is_tokens(values):
            return values
        if is_texts(values):
            return [words(text) for text in values]
        message = "expected tokens or text; columns.v1 takes numbers"
        raise DataError(problems=[Problem(message, block.places.path, 0, printable(name))])

    def _missing(self, block: Block) -> Never:
        """DataError: the data have no such column. Where they have texts, how these become tokens."""
        try:
            block.column(self.reads[0])
        except DataError as err:
            if not any(map(is_texts, block.columns.values())):
                raise
            message = f"{err.problems[0].message}. {NEEDED.format(shown(self.reads[0]))}"
            raise DataError(problems=[replace(err.problems[0], message=message)]) from err
        raise AssertionError("the column is there")


def checked(names: object) -> tuple[str, ...]:
    """The names of attributes. DataError: one is none, is there twice, or there is none."""
    if not isinstance(names, list | tuple) or not names:
        raise refused("attributes", f"{RULE}, got {names!r}")
    for name in names:
        if not is_attribute(name):
            raise refused("attributes", f"{RULE}, got {name!r}.{nearest(str(name), [*WHOLE, 'PREFIX', 'SUFFIX'])}")
    if len(set(names)) < len(names):
        raise refused("attributes", f"each name must be there once, got {', '.join(names)}")
    return tuple(names)


def is_attribute(name: object) -> bool:
    return isinstance(name, str) and (name in WHOLE or AFFIX.fullmatch(name) is not None)


def attribute(name: str, word: str) -> str:
    """An attribute of a word. One-character and whole words would meet: all but the word in small letters has a mark.

    >>> attribute("NORM", "Walked"), attribute("SUFFIX", "Walked"), attribute("PREFIX2", "Walked")
    ('walked', '\\x00sked', '\\x00pWa')
    """
    affix = AFFIX.fullmatch(name)
    if affix is None:
        return WHOLE[name](word)
    if affix[1] == "PREFIX":
        return f"\0p{word[: int(affix[2] or 1)]}"
    return f"\0s{word[-int(affix[2] or 3) :]}"


def token_column(name: str | None, columns: tuple[str, ...]) -> str:
    """The column of tokens: the one named, else the only one, or the one of a usual name."""
    if name is not None:
        return chosen(name, columns, "column")
    usual = [column for column in USUAL if column in columns]
    if len(columns) != 1 and len(usual) != 1:
        raise refused("column", f'name the column of tokens, as column = "..."; the columns are {listing(columns)}')
    return columns[0] if len(columns) == 1 else usual[0]
