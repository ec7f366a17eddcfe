"""Named stretches of tokens, told by tags, that are found exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ints, Ragged, starts_of
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.losses.loss import Truths
from trainer_cli.losses.truths import as_guesses, as_weights, class_numbers
from trainer_cli.metrics.confusion import as_float, ratio
from trainer_cli.metrics.exact_sum import ExactSum
from trainer_cli.registry import registry

NAME = "spans"
# What a tag begins with, before its type: a span goes on in I (and M), ends with E or L, is one token in S or U.
PREFIXES = "BIMELSU"
OPENING, CLOSING = "BSU", "ELSU"
OUTSIDE = "O"
UNKNOWN = "(unknown)"
ZERO = Fraction(0)


@dataclass(frozen=True)
class Tags:
    """What the tag of each number means, as arrays of one entry a tag; the last one is that of -1, an unknown tag.

    `kinds` has the number of the type in `types`, -1 for tags outside of spans.
    """

    types: tuple[str, ...]
    kinds: Ints
    opens: Array
    closes: Array

    @classmethod
    def of(cls, names: Sequence[str]) -> Tags:
        """ArgumentError: a name is no tag of a span."""
        parts = [parted(name) for name in names]
        types = tuple(dict.fromkeys(part[1] for part in parts if part[0] != OUTSIDE))
        kinds = [-1 if prefix == OUTSIDE else types.index(kind) for prefix, kind in parts]
        opens = [prefix in OPENING for prefix, _ in parts]
        closes = [prefix in CLOSING for prefix, _ in parts]
        unknown = len(types)
        return cls(types, np.array([*kinds, unknown]), np.array([*opens, False]), np.array([*closes, False]))


def parted(name: str) -> tuple[str, str]:
    """
    >>> parted("B-PER"), parted("O"), parted("I-a-b"), parted("I")
    (('B', 'PER'), ('O', ''), ('I', 'a-b'), ('I', ''))
    """
    prefix, dash, kind = name.partition("-")
    if name == OUTSIDE or (len(prefix) == 1 and prefix in PREFIXES and bool(dash) == bool(kind)):
        return prefix, kind
    rule = "tags are O, or one of B I L U (or E, S, M) with the type of the span, as in B-PER"
    raise ArgumentError(f"{NAME}: {rule}; got {name!r}")


@dataclass(frozen=True)
class Spans:
    """Spans by the token they begin with: first token, the one after the last, type, and row, (n,) each."""

    starts: Ints
    ends: Ints
    kinds: Ints
    rows: Ints

    @classmethod
    def of(cls, numbers: Ints, tags: Tags, lengths: Ints) -> Spans:
        """The spans of tags (sum,), each within its row, as conlleval sees them.

        A token that is not outside begins a span if its tag says so, if the one before does not go on (it is outside,
        ends a span, or is of another row), or if that has another type. So IOB1, BIO, BILUO and BIOES need no telling
        apart, and tags that contradict each other still are spans.
        """
        kinds, n = tags.kinds[numbers], len(numbers)
        is_first = np.zeros(n, bool)
        is_first[starts_of(lengths)[lengths > 0]] = True
        before, closed = np.roll(kinds, 1), np.roll(tags.closes[numbers], 1)
        begins = (kinds >= 0) & (is_first | tags.opens[numbers] | closed | (before != kinds))
        # A span ends where another begins, before a token outside, and with its row.
        stops = np.append(np.flatnonzero(begins | (kinds < 0) | is_first), n)
        starts = np.flatnonzero(begins)
        ends = stops[stops.searchsorted(starts, side="right")]
        rows = np.repeat(np.arange(len(lengths)), lengths)
        return cls(starts, ends, kinds[starts], rows[starts])


@registry.metrics("spans.v1")
class SpanScores:
    """Precision, recall and their balance F of spans, each right if its first and last token and its type are.

    Counted as by conlleval (Tjong Kim Sang and Buchholz, "Introduction to the CoNLL-2000 shared task: chunking"):
    `precision` is the share of found spans that are right, `recall` of true spans that are found, `f_score`
    `2 * right / (true + found)`. NaN where nothing is to be counted. All spans of a row count by its weight.

    Probabilities are `Ragged` rows of tokens (sum, n), truths tag numbers (sum,), and `names` the tags: IOB1, BIO,
    BILUO or BIOES. The likeliest tags are taken, or those that `taken_by` says: in a run the best sequence that the
    scheme allows, as in predictions. Tokens in a row whose tag training never had (-1) are one span that cannot be
    found.
    """

    higher_is_better = True
    truths: Truths = "classes"
    ragged = True

    def __init__(self) -> None:
        self.names: Sequence[str] | None = None
        self.taken_by: Callable[[Ragged], Ints] | None = None
        self._counts: dict[str, list[ExactSum]] = {}  # of each type: right, true, found
        self._tags: tuple[Sequence[str], Tags] | None = None

    def update(self, probabilities: Any, truths: Any, weights: Array | None = None) -> None:
        guesses, true, lengths = self._as_tokens(probabilities, truths)
        tags = self._known_tags(guesses.shape[1])
        weight = as_weights(NAME, weights, len(lengths))
        weight = np.ones(len(lengths)) if weight is None else weight
        taken = self.taken_by(Ragged(guesses, lengths)) if self.taken_by else guesses.argmax(axis=1)
        wanted, found = Spans.of(true, tags, lengths), Spans.of(taken, tags, lengths)
        _, i, j = np.intersect1d(wanted.starts, found.starts, assume_unique=True, return_indices=True)
        is_right = (wanted.ends[i] == found.ends[j]) & (wanted.kinds[i] == found.kinds[j])
        right = i[is_right]
        kinds = [*tags.types, UNKNOWN] if (wanted.kinds == len(tags.types)).any() else tags.types
        for k, kind in enumerate(kinds):
            sums = self._counts.setdefault(kind, [ExactSum(), ExactSum(), ExactSum()])
            sums[0].add(weight[wanted.rows[right][wanted.kinds[right] == k]])
            sums[1].add(weight[wanted.rows[wanted.kinds == k]])
            sums[2].add(weight[found.rows[found.kinds == k]])

    def merge(self, other: SpanScores) -> None:
        for kind, theirs in other._counts.items():
            own = self._counts.setdefault(kind, [ExactSum(), ExactSum(), ExactSum()])
            for total, more in zip(own, theirs, strict=True):
                total.merge(more)

    def result(self) -> dict[str, float]:
        parts = self.parts().values()
        return scores(*(sum(column, ZERO) for column in zip(*parts, strict=True))) if parts else scores()

    def parts(self) -> Mapping[str, tuple[Fraction, Fraction, Fraction]]:
        """How many spans of each type, `UNKNOWN` for those of unknown tags, were right, are true, and were found."""
        return {kind: (a.value, b.value, c.value) for kind, (a, b, c) in self._counts.items()}

    def _known_tags(self, n: int) -> Tags:
        if self.names is None or len(self.names) != n:
            got = "none" if self.names is None else f"{len(self.names)}"
            raise ArgumentError(f"{NAME}: names must be the {n} tags in the order of the guesses' columns, got {got}")
        if self._tags is None or self._tags[0] is not self.names:
            self._tags = self.names, Tags.of(self.names)
        return self._tags[1]

    def _as_tokens(self, probabilities: Any, truths: Any) -> tuple[Array, Ints, Ints]:
        """Guesses (sum, n), tag numbers (sum,) and the lengths of the rows."""
        if not isinstance(probabilities, Ragged) or not isinstance(truths, Ragged):
            got = " and ".join(type(value).__name__ for value in (probabilities, truths))
            raise ShapeError(f"{NAME}: guesses and truths must be ragged rows of tokens, with a tag each, got {got}")
        if not np.array_equal(probabilities.lengths, truths.lengths):
            raise ShapeError(f"{NAME}: guesses and truths must be rows of the same lengths")
        data: Array = probabilities.data
        if data.ndim != 2:
            raise ShapeError(f"{NAME}: guesses must be (tokens, tags), got shape {data.shape}")
        guesses = as_guesses(NAME, data, least_rows=0)
        return guesses, class_numbers(NAME, truths.data, guesses.shape), truths.lengths


def scores(right: Fraction = ZERO, true: Fraction = ZERO, found: Fraction = ZERO) -> dict[str, float]:
    return {
        "f_score": as_float(ratio(2 * right, true + found)),
        "precision": as_float(ratio(right, found)),
        "recall": as_float(ratio(right, true)),
    }
