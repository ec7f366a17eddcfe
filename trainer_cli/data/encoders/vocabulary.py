"""Counting the values of a column in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


class Tally:
    """How often each text came, exact for up to `room` different ones; memory is bounded by twice that.

    When there are more than `2 * room`, the count of the (room + 1)-th most frequent is taken off all, and what is left
    with nothing is forgotten: every text that came more than n / (room + 1) times in n stays, with a count that is at
    most that much too low. Misra and Gries, "Finding repeated elements" (1982), pruned as in Agarwal et al., "Mergeable
    Summaries" (2012).
    """

    def __init__(self, room: int):
        self.room = room
        self.counts: Counter[str] = Counter()

    def add(self, texts: Iterable[str]) -> None:
        self.counts.update(texts)
        if len(self.counts) > 2 * self.room:
            over = sorted(self.counts.values(), reverse=True)[self.room]
            self.counts = Counter({text: n - over for text, n in self.counts.items() if n > over})

    def most_frequent(self, most: int, least_count: int) -> tuple[str, ...]:
        """The texts that came `least_count` times or more, at most so many; of equal ones the first by code points."""
        kept = [(-n, text) for text, n in self.counts.items() if n >= least_count]
        return tuple(text for _, text in sorted(kept)[:most])
