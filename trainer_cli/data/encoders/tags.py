"""A tag for each word of a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import chain, pairwise
from typing import Any, Literal

import numpy as np

from trainer_cli.arrays import Array, Ints, Ragged
from trainer_cli.data.block import Block, listing
from trainer_cli.data.encoders.choice import chosen
from trainer_cli.data.encoders.classes import stranger
from trainer_cli.data.encoders.labels import in_order
from trainer_cli.data.encoders.schemes import SCHEMES, Guess, Scheme, constraints, first_break, to_bio
from trainer_cli.data.encoders.state import damaged, stated_counts, stated_names, stated_text
from trainer_cli.data.faults import refused, shown
from trainer_cli.data.viterbi import best_tags
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.registry import registry

NAME = "tags.v1"
USUAL = ("tags", "tag", "label", "Y")


@registry.encoders(NAME)
class Tags:
    """Tags as numbers, one a token: a Ragged of int64 (sum,), the place of each among the tags of the training rows.

    `scheme` says how tags mark spans (`schemes` has the rules): "plain" tags do not, "bio", "biluo" and "iob1" do, and
    "auto" is the one that the training rows are in. Tags that break it are a DataError; IOB1 becomes BIO. `decode`
    finds the most probable sequence that keeps the scheme. A tag that training never had is a DataError, or with
    `unknown = "miss"` number -1, wrong whatever is predicted. `column` may be left out for one called `tags`, `tag`,
    `label` or `Y`. `counts` tells how many training tokens have each tag.
    """

    ragged = True

    def __init__(
        self,
        column: str | None = None,
        scheme: Literal["auto", "plain", "bio", "biluo", "iob1"] = "auto",
        unknown: Literal["error", "miss"] = "error",
    ):
        if scheme not in ("auto", *SCHEMES):
            raise ArgumentError(f"{NAME}: scheme must be auto or one of {', '.join(SCHEMES)}, got {scheme!r}")
        if unknown not in ("error", "miss"):
            raise ArgumentError(f'{NAME}: unknown must be "error" or "miss", got {unknown!r}')
        self.column = column
        self.scheme = scheme
        self.unknown = unknown
        self.found: Scheme = "plain" if scheme == "auto" else scheme
        self.reads: tuple[str, ...] = ()
        self.names: tuple[str, ...] = ()
        self.counts: tuple[int, ...] = ()
        self._numbers: dict[str, int] = {}
        self._start()

    @property
    def width(self) -> int:
        return len(self.names)

    def choose(self, columns: tuple[str, ...]) -> None:
        self.reads = (tag_column(self.column, columns),)
        self._start()

    def fit(self, block: Block) -> None:
        sentences = self._sentences(block)
        self._guess.look(sentences)
        self._seen.update(chain.from_iterable(sentences))
        if not self._guess.is_plain:
            self._seen_as_bio.update(chain.from_iterable(map(to_bio, sentences)))

    def finish_fit(self) -> None:
        if self.scheme == "auto":
            self.found = self._guess.scheme
        seen = self._seen_as_bio if self.found == "iob1" else self._seen
        if not seen:
            raise refused("column", "no training row has a tag")
        names = in_order(seen)
        self._name(names, tuple(seen[name] for name in names))

    def encode(self, block: Block) -> Ragged:
        sentences = self._sentences(block)
        if self.found == "iob1":
            sentences = [to_bio(tags) for tags in sentences]
        if self.found != "plain":
            self._check(block, sentences)
        flat = list(chain.from_iterable(sentences))
        lengths = np.fromiter(map(len, sentences), np.int64, len(sentences))
        if self.unknown == "miss":
            return Ragged(np.fromiter((self._numbers.get(tag, -1) for tag in flat), np.int64, len(flat)), lengths)
        try:
            return Ragged(np.fromiter(map(self._numbers.__getitem__, flat), np.int64, len(flat)), lengths)
        except KeyError:
            raise self._unknown(block, sentences) from None

    def taken(self, outputs: Ragged) -> Ints:
        """The tag number of each token, (sum,): see `decode`."""
        if not isinstance(outputs, Ragged) or outputs.data.shape != (len(outputs.data), self.width):
            got = f"ragged {outputs.data.shape}" if isinstance(outputs, Ragged) else f"{np.shape(outputs)}"
            raise ShapeError(f"{self.width} tags take ragged outputs (sum, {self.width}), got {got}")
        if self.found == "plain":
            best: Ints = outputs.data.argmax(axis=1)
            return best
        return best_tags(outputs, *constraints(self.names, "bio" if self.found == "iob1" else self.found))

    def decode(self, outputs: Ragged) -> list[list[str]]:
        """The tags of each row of probabilities (sum, n): the most probable sequence that the scheme allows."""
        flat = [self.names[tag] for tag in self.taken(outputs).tolist()]
        starts = outputs.starts().tolist()
        return [flat[start:stop] for start, stop in pairwise(starts)]

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        state = {"column": self.reads[0], "names": list(self.names), "counts": list(self.counts)}
        return state | {"scheme": self.found, "unknown": self.unknown}, {}

    @classmethod
    def from_state(cls, state: dict[str, Any], arrays: Mapping[str, Array]) -> Tags:
        column, scheme, unknown = stated_text(state, "column"), state.get("scheme"), state.get("unknown")
        if scheme not in SCHEMES:
            raise damaged("scheme", f"one of {SCHEMES}", scheme)
        if unknown not in ("error", "miss"):
            raise damaged("unknown", "error or miss", unknown)
        encoder = cls(column, scheme, unknown)
        encoder.reads = (column,)
        names = stated_names(state, "names")
        encoder._name(names, stated_counts(state, "counts", len(names)))
        return encoder

    def _start(self) -> None:
        self._guess = Guess()
        self._seen: Counter[str] = Counter()
        self._seen_as_bio: Counter[str] = Counter()

    def _name(self, names: tuple[str, ...], counts: tuple[int, ...]) -> None:
        self.names, self.counts = names, counts
        self._numbers = {name: i for i, name in enumerate(names)}

    def _sentences(self, block: Block) -> list[list[str]]:
        sentences = block.tokens(self.reads[0])
        empty = [row for row, tags in enumerate(sentences) if "" in tags]
        if empty:
            raise block.faulty(
                self.reads[0], empty, lambda row: f"the tag of token {sentences[row].index('') + 1} is empty"
            )
        return sentences

    def _check(self, block: Block, sentences: list[list[str]]) -> None:
        scheme: Scheme = "bio" if self.found == "iob1" else self.found
        breaks = {row: place for row, tags in enumerate(sentences) if (place := first_break(tags, scheme)) is not None}
        if breaks:
            raise block.faulty(self.reads[0], list(breaks), lambda row: self._breach(sentences[row], breaks[row]))

    def _breach(self, tags: list[str], place: int) -> str:
        before = shown(tags[place - 1]) if place else "the beginning"
        what = "the sentence ends" if place == len(tags) else f"{shown(tags[place])} (token {place + 1}) stands"
        remedy = 'mend the data, or set scheme = "plain" to take tags as they are'
        return f"{what} after {before}, which {self.found.upper()} does not allow: {remedy}"

    def _unknown(self, block: Block, sentences: list[list[str]]) -> Exception:
        strange = {row: [tag for tag in tags if tag not in self._numbers] for row, tags in enumerate(sentences)}
        rows = [row for row, tags in strange.items() if tags]
        return block.faulty(self.reads[0], rows, lambda row: stranger(strange[row][0], self.names, what="tag"))


def tag_column(name: str | None, columns: tuple[str, ...]) -> str:
    """The column of tags: the one named, else the one of a usual name."""
    if name is not None:
        return chosen(name, columns, "column")
    usual = [column for column in USUAL if column in columns]
    if len(usual) != 1:
        raise refused("column", f'name the column of tags, as column = "..."; the columns are {listing(columns)}')
    return usual[0]
