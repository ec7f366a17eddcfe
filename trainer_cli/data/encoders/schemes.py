"""How tags mark spans: which tag may follow which.

A tag of a span is a letter, a hyphen and the span's kind, such as `B-PER`; `O` is outside. In BIO a span is
`B I I ...` (IOB2: Tjong Kim Sang and Veenstra, "Representing Text Chunks", EACL 1999). In BILUO it is `U`, or `B`, any
number of `I`, and `L` (Ratinov and Roth, "Design Challenges and Misconceptions in Named Entity Recognition", CoNLL
2009); E for L and S for U are the same. In IOB1 a span begins with I, and with B only right after one of its kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal

import numpy as np

from trainer_cli.arrays import Array

Scheme = Literal["plain", "bio", "biluo", "iob1"]
SCHEMES: tuple[Scheme, ...] = ("plain", "bio", "biluo", "iob1")
OUTSIDE = "O"
# The letters of the schemes; those of BIOES under BILUO's names.
LETTERS = {"B": "B", "I": "I", "L": "L", "U": "U", "E": "L", "S": "U"}
TAG = re.compile(r"([BILUES])-(.+)", re.DOTALL)


def parts(tag: str) -> tuple[str, str] | None:
    """The letter and the kind of a tag, ("O", "") outside; None for what is no tag of a span.

    >>> parts("E-LOC"), parts("O"), parts("NN")
    (('L', 'LOC'), ('O', ''), None)
    """
    if tag == OUTSIDE:
        return OUTSIDE, ""
    found = TAG.fullmatch(tag)
    return (LETTERS[found[1]], found[2]) if found else None


@lru_cache(1 << 16)
def may_follow(before: str | None, after: str | None, scheme: Scheme) -> bool:
    """Whether tag `after` may stand behind `before`; None is the sentence's begin or end."""
    if scheme == "plain":
        return True
    left, right = parts(before or OUTSIDE), parts(after or OUTSIDE)
    if left is None or right is None:
        return False
    (letter, kind), (next_letter, next_kind) = left, right
    if scheme == "biluo":
        is_open = letter in ("B", "I")
        return next_letter in ("I", "L") and kind == next_kind if is_open else next_letter in ("B", "U", OUTSIDE)
    if next_letter not in ("B", "I", OUTSIDE) or letter not in ("B", "I", OUTSIDE):
        return False
    return next_letter != "I" or (letter in ("B", "I") and kind == next_kind)


def constraints(names: Sequence[str], scheme: Scheme) -> tuple[Array, Array, Array]:
    """What a sentence may begin with (n,), which tag (row) which other may follow (n, n), what it may end in (n,)."""
    begins = np.array([may_follow(None, name, scheme) for name in names], bool)
    ends = np.array([may_follow(name, None, scheme) for name in names], bool)
    follows = np.array([[may_follow(before, after, scheme) for after in names] for before in names], bool)
    return begins, follows, ends


def first_break(tags: Sequence[str], scheme: Scheme) -> int | None:
    """Where a sentence breaks its scheme: the place of the tag that may not stand there, its length for its end."""
    before: str | None = None
    for place, tag in enumerate(tags):
        if not may_follow(before, tag, scheme):
            return place
        before = tag
    return len(tags) if tags and not may_follow(before, None, scheme) else None


def to_bio(tags: Sequence[str]) -> list[str]:
    """Tags in IOB1 as BIO; BIO as it is.

    >>> to_bio(["I-PER", "I-PER", "B-PER", "O", "I-LOC"])
    ['B-PER', 'I-PER', 'B-PER', 'O', 'B-LOC']
    """
    changed, before = [], OUTSIDE
    for tag in tags:
        begins = tag.startswith("I-") and before[2:] != tag[2:]
        changed.append(f"B{tag[1:]}" if begins else tag)
        before = tag
    return changed


class Guess:
    """The scheme that tags seem to be in, from all sentences of the training rows."""

    def __init__(self) -> None:
        self.letters: set[str] = set()
        self.is_plain = False
        self.has_iob1 = False  # an I where BIO would have a B
        self.has_bio = False  # a B where IOB1 would have an I

    def look(self, sentences: Iterable[Sequence[str]]) -> None:
        for tags in sentences:
            before = OUTSIDE
            for tag in tags:
                if tag == OUTSIDE and before == OUTSIDE:
                    continue
                found = parts(tag)
                self.is_plain = self.is_plain or found is None
                if self.is_plain or found is None:
                    return
                self.letters.add(found[0])
                alike = before[2:] == tag[2:]
                self.has_iob1 = self.has_iob1 or (found[0] == "I" and not alike)
                self.has_bio = self.has_bio or (found[0] == "B" and not alike)
                before = tag

    @property
    def scheme(self) -> Scheme:
        if self.is_plain or not self.letters - {OUTSIDE}:
            return "plain"
        if self.letters & {"L", "U"}:
            return "biluo"
        return "iob1" if self.has_iob1 and not self.has_bio else "bio"
