"""What a sweep tries: for each key of the config a list of values, or a range that they are drawn from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

# The values of one trial, by the name of the key as it was typed.
Params = dict[str, Any]


@dataclass(frozen=True)
class Choice:
    """A key that takes one of some values, each as likely as the others."""

    name: str
    values: tuple[Any, ...]

    def at(self, share: float) -> Any:
        """The value below which a `share` (from 0, less than 1) of the choice lies."""
        return self.values[int(share * len(self.values))]

    @property
    def n(self) -> float:
        """How many values there are."""
        return len(self.values)

    def listed(self) -> Sequence[Any]:
        """All values."""
        return self.values


@dataclass(frozen=True)
class Range:
    """A key that takes a number from `low` to `high`: each part of the range as likely as another of its length, with
    `log` of its ratio; with `whole` whole numbers alone, both ends among them.
    """

    name: str
    low: float
    high: float
    log: bool = False
    whole: bool = False

    def at(self, share: float) -> float | int:
        """The value below which a `share` (from 0, less than 1) of the range lies.

        >>> Range("x", 1, 100, log=True).at(0.5), Range("x", 1, 4, whole=True).at(0.99)
        (10.0, 4)
        """
        # Of a whole number as much lies below as above it, so that the ends are as likely as the others.
        low, high = (self.low - 0.5, self.high + 0.5) if self.whole else (self.low, self.high)
        value = low * (high / low) ** share if self.log else low + share * (high - low)
        value = min(max(math.floor(value + 0.5) if self.whole else value, self.low), self.high)
        return int(value) if self.whole else value

    @property
    def n(self) -> float:
        """How many values there are, to 53 bits; infinity where they are not whole numbers."""
        return float(self.high) - float(self.low) + 1 if self.whole else math.inf

    def listed(self) -> Sequence[Any]:
        """All values, of which none is made before it is asked for."""
        assert self.whole, "a range of numbers has no end of values"
        return range(int(self.low), int(self.high) + 1)


Dimension = Choice | Range
Space = Sequence[Dimension]


def at(space: Space, shares: Sequence[float]) -> Params:
    """The trial at these shares of the dimensions."""
    return {each.name: each.at(share) for each, share in zip(space, shares, strict=True)}


def size(space: Space) -> float:
    """How many trials there can be; infinity where a range is not of whole numbers.

    >>> size([Choice("a", (1, 2)), Range("b", 1, 3, whole=True)])
    6.0
    """
    return math.prod((each.n for each in space), start=1.0)


def grid(space: Space) -> Iterator[Params]:
    """Every trial of a space whose values can be listed; the last key's value changes first."""
    if not space:
        yield {}
        return
    for value in space[0].listed():
        for rest in grid(space[1:]):
            yield {space[0].name: value, **rest}
