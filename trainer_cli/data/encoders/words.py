"""Texts as words, and words as numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import blake2b
from typing import TypeVar
from zlib import crc32

T = TypeVar("T")

# Characters that are words of their own: ASCII signs, those of Latin-1, general and CJK punctuation, currencies,
# arrows, symbols, the wide forms of ASCII signs, and emoji. All else that is no space stands in words, accents and
# vowel signs included.
APOSTROPHES = "'\u2019"
SIGNS = (
    r"!-/:-@\[-^`{-~"
    "\u00a1-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u2010-\u2027\u2030-\u205e\u20a0-\u20cf\u2190-\u2bff"
    "\u2e00-\u2e7f\u3001-\u3004\u3008-\u3020\ufe10-\ufe1f\ufe30-\ufe6f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
    "\U0001f000-\U0001faff"
)
WORD = rf"[^\s{SIGNS}]+"
WORDS = re.compile(rf"{WORD}(?:[{APOSTROPHES}]{WORD})*|[{SIGNS}]")

# So many different words are remembered; more are computed again each time.
MOST_KEPT = 1 << 20


def words(text: str) -> list[str]:
    """The words of a text in order: runs of letters, digits and underscores, and each sign by itself.

    >>> words("Don't panic, it's 4:30!")
    ["Don't", 'panic', ',', "it's", '4', ':', '30', '!']
    """
    return WORDS.findall(text)


class Remembered(dict[str, T]):
    """What a function says of words, each asked once."""

    def __init__(self, function: Callable[[str], T]):
        super().__init__()
        self._function = function

    def __missing__(self, word: str) -> T:
        value = self._function(word)
        if len(self) < MOST_KEPT:
            self[word] = value
        return value


def word_hash(word: str) -> int:
    """63 bits of a word's BLAKE2b, the same in every process."""
    return int.from_bytes(blake2b(as_bytes(word), digest_size=8).digest(), "little") >> 1


def pieces(word: str, low: int, high: int) -> tuple[int, ...]:
    """The CRC-32 of every run of `low` to `high` characters of `<word>`, but for the whole of it.

    Bojanowski, Grave, Joulin and Mikolov, "Enriching Word Vectors with Subword Information" (TACL 2017).

    >>> len(pieces("where", 3, 3)), pieces("where", 3, 3)[1] == crc32(b"whe")
    (5, True)
    """
    marked = f"<{word}>"
    n = len(marked)
    return tuple(
        crc32(as_bytes(marked[start : start + size]))
        for size in range(low, min(high, n - 1) + 1)
        for start in range(n - size + 1)
    )


def shape(word: str) -> str:
    """What kinds of characters a word has: X, x and d for capitals, other letters and digits, four of a kind at most.

    >>> shape("Apollo13"), shape("e-mail"), shape("1,000,000")
    ('Xxxxxdd', 'x-xxxx', 'd,ddd,ddd')
    """
    kinds = [kind_of(character) for character in word[:100]]
    return "".join(kind for i, kind in enumerate(kinds) if i < 4 or kinds[i - 4 : i] != [kind] * 4)


def kind_of(character: str) -> str:
    if character.isalpha():
        return "X" if character.isupper() else "x"
    return "d" if character.isdigit() else character


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
