"""The words of a column's name."""

from __future__ import annotations

import re


def words_of(name: str) -> str:
    """A name in small letters, CamelCase as words.

    >>> words_of("PassengerId"), words_of("user_ID")
    ('passenger id', 'user_id')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()


def parts_of(name: str) -> set[str]:
    """The words of a name: its runs of letters.

    >>> sorted(parts_of("SalePrice_2"))
    ['price', 'sale']
    """
    return set(re.findall(r"[^\W\d_]+", words_of(name)))


def has_word(name: str, words: frozenset[str]) -> bool:
    """Whether one of the words is in a name.

    >>> has_word("SalePrice", frozenset({"price"})), has_word("priceless", frozenset({"price"}))
    (True, False)
    """
    return not words.isdisjoint(parts_of(name))
