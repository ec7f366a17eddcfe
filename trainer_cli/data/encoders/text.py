"""Texts as bags or sequences of words and their pieces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from itertools import chain
from typing import Any, Literal

import numpy as np

from trainer_cli.arrays import Array, Ints, Ragged
from trainer_cli.data.block import Block, is_texts, listing
from trainer_cli.data.encoders.choice import chosen
from trainer_cli.data.encoders.floats import Floats
from trainer_cli.data.encoders.ngrams import by_row, distinct, runs
from trainer_cli.data.encoders.state import damaged, stated_floats, stated_text
from trainer_cli.data.encoders.words import Remembered, pieces, word_hash, words
from trainer_cli.data.faults import printable, refused
from trainer_cli.errors import ArgumentError, DataError, ModelFileError, Problem
from trainer_cli.ops.hashing import Hashes, bucket
from trainer_cli.registry import registry

Weights = Literal["none", "tfidf"]
NAME = "text.v1"
USUAL = "text"
# The table from buckets to ids takes 4 bytes for each.
MOST_BUCKETS = 1 << 26
LONGEST = 100


@registry.encoders(NAME)
class Text:
    """Texts as numbers of their words and n-grams: a Ragged of int64 ids (sum,), from 0 to `n_ids` - 1.

    Words are runs of letters and digits, and every sign by itself, in small letters if `lower`. `word_ngrams = 2` adds
    the pairs of neighbours, 3 triples too; `char_ngrams = [3, 5]` the runs of 3 to 5 characters in `<word>`.
    `max_length` cuts each text after so many words (0: none is cut).

    Words and n-grams are hashed into `buckets`; a bucket that `min_count` training texts fall into gets an id of its
    own from 1 on. Other words are id 0, other n-grams are left out. Rows hold the words in order, then the n-grams.

    With `weights = "tfidf"` the row is a tuple of two Ragged, each id once and a float32 weight for it:
    `(1 + log(n)) * (1 + log((1 + N) / (1 + df)))` for an id that comes n times in the text and in df of N training
    texts, divided by the root of the sum of squares of the row's words and their n-grams, or of its pieces of words; id
    0 is left out. (Manning, Raghavan and Schütze, "Introduction to Information Retrieval", 2008, ch. 6; smoothed as in
    scikit-learn.)

    `column` may be left out for one called `text`, or if there is one column. An empty text is an empty row. Hashing:
    Weinberger et al., "Feature Hashing for Large Scale Multitask Learning" (ICML 2009); n-grams as in fastText:
    Joulin et al., "Bag of Tricks for Efficient Text Classification" (2016), arXiv:1607.01759.
    """

    def __init__(
        self,
        column: str | None = None,
        lower: bool = True,
        max_length: int = 0,
        word_ngrams: int = 1,
        char_ngrams: list[int] | None = None,
        min_count: int = 2,
        buckets: int = 1 << 21,
        weights: Weights = "none",
    ):
        check(max_length, word_ngrams, char_ngrams, min_count, buckets, weights)
        self.column = column
        self.lower = lower
        self.max_length = max_length
        self.word_ngrams = word_ngrams
        self.char_ngrams = char_ngrams
        self.min_count = min_count
        self.buckets = buckets
        self.weights = weights
        self.reads: tuple[str, ...] = ()
        self.kept: Ints = np.zeros(0, np.int64)
        self.idf: Floats = np.ones(1)
        self._ids = np.zeros(0, np.int32)
        self._words: Remembered[int] = Remembered(word_hash)
        low, high = char_ngrams or (1, 0)
        self._pieces: Remembered[tuple[int, ...]] = Remembered(partial(pieces, low=low, high=high))
        self._n_texts = 0
        self._seen: Ints = np.zeros(0, np.int64)

    @property
    def n_ids(self) -> int:
        """Every id is below this."""
        return len(self.kept) + 1

    @property
    def width(self) -> int:
        return self.n_ids

    @property
    def n_words(self) -> int:
        """How many words of the training texts have ids of their own."""
        return int((self.word_ids(self._words) > 0).sum())

    def word_ids(self, words: Iterable[str]) -> Ints:
        """The ids of words, 0 of those that were not met yet: of others a bucket would say too much."""
        known = [word if word in self._words else "" for word in map(str.lower if self.lower else str, words)]
        hashes = np.fromiter((self._words[word] if word else 0 for word in known), np.uint64, len(known))
        return np.where([bool(word) for word in known], self._ids[bucket(hashes, self.buckets)], 0).astype(np.int64)

    def choose(self, columns: tuple[str, ...]) -> None:
        self.reads = (text_column(self.column, columns),)
        self._n_texts, self._seen = 0, np.zeros(self.buckets, np.int64)

    def fit(self, block: Block) -> None:
        texts = self._texts(block)
        found = [(bucket(hashes, self.buckets), rows) for hashes, rows in self._hashed(texts)]
        ids, _, _ = distinct(*joined(found), self.buckets)
        self._n_texts += len(texts)
        self._seen += np.bincount(ids, minlength=self.buckets)

    def finish_fit(self) -> None:
        self._keep(np.flatnonzero(self._seen >= self.min_count))
        if not len(self.kept):
            raise refused("min_count", f"no word is in {self.min_count} training texts or more: lower it")
        if self.weights == "tfidf":
            n, df = self._n_texts, self._seen[self.kept]
            self.idf = np.concatenate([[0.0], 1 + np.log((1 + n) / (1 + df))])
        self._seen = np.zeros(0, np.int64)

    def encode(self, block: Block) -> Ragged | tuple[Ragged, Ragged]:
        texts = self._texts(block)
        found = [(self._ids[bucket(hashes, self.buckets)], rows) for hashes, rows in self._hashed(texts)]
        if self.weights == "none":
            others = [(ids[ids > 0], rows[ids > 0]) for ids, rows in found[1:]]
            ids, rows = joined([found[0], *others])
            order, lengths = by_row(rows, len(texts))
            return Ragged(ids[order].astype(np.int64), lengths)
        # Words and their runs have one length, pieces of words another: there are many more of these.
        kinds = [joined(kind) for kind in (found[: self.word_ngrams], found[self.word_ngrams :]) if kind]
        parts = [self._weighted(ids[ids > 0].astype(np.int64), rows[ids > 0], len(texts)) for ids, rows in kinds]
        ids, rows, weights = (np.concatenate(each) for each in zip(*parts, strict=True))
        order, lengths = by_row(rows, len(texts))
        return Ragged(ids[order], lengths), Ragged(weights[order], lengths)

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        state = {name: getattr(self, name) for name in SETTINGS} | {"column": self.reads[0]}
        return state, {"kept": self.kept} | ({"idf": self.idf} if self.weights == "tfidf" else {})

    @classmethod
    def from_state(cls, state: dict[str, Any], arrays: Mapping[str, Array]) -> Text:
        column, kept = stated_text(state, "column"), arrays.get("kept")
        if state.keys() != {*SETTINGS, "column"}:
            raise damaged("settings", f"{[*SETTINGS, 'column']}", sorted(state))
        try:
            encoder = cls(column, **{name: state[name] for name in SETTINGS})
        except (ArgumentError, TypeError, ValueError) as err:
            raise ModelFileError(f"the encoder's settings: {err}") from err
        if kept is None or kept.dtype != np.int64 or kept.ndim != 1 or not increasing(kept, encoder.buckets):
            raise damaged("kept", "different buckets in their order", kept)
        encoder.reads = (column,)
        encoder._keep(kept.copy())
        if encoder.weights == "tfidf":
            encoder.idf = stated_floats(arrays, "idf", len(kept) + 1)
        return encoder

    def _keep(self, kept: Ints) -> None:
        self.kept = kept
        self._ids = np.zeros(self.buckets, np.int32)
        self._ids[kept] = np.arange(1, len(kept) + 1)

    def _texts(self, block: Block) -> list[str]:
        values = block.values(self.reads[0])
        if not is_texts(values):
            message = f"expected text, got {getattr(values, 'dtype', 'lists')}; columns.v1 takes numbers"
            raise DataError(problems=[Problem(message, block.places.path, 0, printable(self.reads[0]))])
        return values

    def _hashed(self, texts: list[str]) -> list[tuple[Hashes, Ints]]:
        """Hashes and their rows: of the words, then of each kind of n-grams."""
        split = [words(text.lower() if self.lower else text) for text in texts]
        if self.max_length:
            split = [row[: self.max_length] for row in split]
        lengths = np.fromiter(map(len, split), np.int64, len(split))
        flat = list(chain.from_iterable(split))
        rows = np.repeat(np.arange(len(split)), lengths)
        found = runs(np.fromiter(map(self._words.__getitem__, flat), np.uint64, len(flat)), rows, self.word_ngrams)
        if self.char_ngrams is not None:
            parts = [self._pieces[word] for word in flat]
            sizes = np.fromiter(map(len, parts), np.int64, len(parts))
            hashes = np.fromiter(chain.from_iterable(parts), np.uint64, int(sizes.sum()))
            found.append((hashes, np.repeat(rows, sizes)))
        return found

    def _weighted(self, ids: Ints, rows: Ints, n_rows: int) -> tuple[Ints, Ints, Array]:
        """Each id of a row once: ids, rows and weights, whose squares add up to 1 in a row."""
        ids, rows, counts = distinct(ids, rows, self.n_ids)
        weights = (1 + np.log(counts)) * self.idf[ids]
        norms = np.sqrt(np.bincount(rows, weights * weights, minlength=n_rows))
        return ids, rows, (weights / norms[rows]).astype(np.float32)


SETTINGS = ("lower", "max_length", "word_ngrams", "char_ngrams", "min_count", "buckets", "weights")


def check(
    max_length: int, word_ngrams: int, char_ngrams: list[int] | None, min_count: int, buckets: int, weights: str
) -> None:
    """ArgumentError: a setting is out of range."""
    limits = {
        "max_length": (max_length, 0, 2**31),
        "word_ngrams": (word_ngrams, 1, LONGEST),
        "min_count": (min_count, 1, 2**31),
        "buckets": (buckets, 1, MOST_BUCKETS),
    }
    for name, (value, least, most) in limits.items():
        if type(value) is not int or not least <= value <= most:
            raise ArgumentError(f"{NAME}: {name} must be a whole number from {least} to {most:,}, got {value!r}")
    if char_ngrams is not None and not is_range(char_ngrams):
        rule = f"char_ngrams must be [shortest, longest], two numbers from 1 to {LONGEST}"
        raise ArgumentError(f"{NAME}: {rule}, got {char_ngrams!r}")
    if weights not in ("none", "tfidf"):
        raise ArgumentError(f'{NAME}: weights must be "none" or "tfidf", got {weights!r}')


def is_range(pair: object) -> bool:
    if not isinstance(pair, list) or len(pair) != 2 or not all(type(n) is int for n in pair):
        return False
    return bool(1 <= pair[0] <= pair[1] <= LONGEST)


def increasing(values: Ints, below: int) -> bool:
    return bool(len(values) and values[0] >= 0 and values[-1] < below and (np.diff(values) > 0).all())


def text_column(name: str | None, columns: tuple[str, ...]) -> str:
    """The column of texts: the one named, else the only one, or the one called `text`."""
    if name is not None:
        return chosen(name, columns, "column")
    if len(columns) != 1 and USUAL not in columns:
        raise refused("column", f'name the column of texts, as column = "..."; the columns are {listing(columns)}')
    return columns[0] if len(columns) == 1 else USUAL


def joined(parts: list[tuple[Array, Ints]]) -> tuple[Array, Ints]:
    """Ids and rows of several kinds end to end."""
    return np.concatenate([ids for ids, _ in parts]), np.concatenate([rows for _, rows in parts])
