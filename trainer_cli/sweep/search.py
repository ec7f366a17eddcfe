"""Which values are tried, in which order: all of them, or some at random."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Protocol

from trainer_cli.errors import ArgumentError
from trainer_cli.randomness import generator
from trainer_cli.sweep.space import Params, Range, Space, at, grid, size

# So many draws in a row may meet trials that there were; then the next one is the first of the grid that was not.
MOST_REPEATS = 200


class Search(Protocol):
    """Chooses the trials, which are numbered from 1, and may learn from them.

    Values are turned so that higher is better.
    """

    def suggest(self, number: int) -> Params | None:
        """The next trial; None where all that there can be were tried."""
        ...

    def adopt(self, number: int, params: Params) -> None:
        """A trial of an earlier call, in the place of `suggest`."""
        ...

    def report(self, number: int, step: int, value: float | None) -> bool:
        """What a trial has reached after so many updates, None if it is no finite number, which counts as worse than
        any; whether it had better be ended."""
        ...

    def close(self, number: int, value: float | None, state: str) -> None:
        """A trial is over, in one of the states of `trial.STATES`, its best value known or not."""
        ...


class ListedSearch:
    """Trials in an order that does not depend on what comes of them."""

    def __init__(self, trials: Iterator[Params]):
        self._trials = trials
        self._found: list[Params] = []

    def suggest(self, number: int) -> Params | None:
        self._found += islice(self._trials, max(0, number - len(self._found)))
        return self._found[number - 1] if number <= len(self._found) else None

    def adopt(self, number: int, params: Params) -> None:
        pass

    def report(self, number: int, step: int, value: float | None) -> bool:
        return False

    def close(self, number: int, value: float | None, state: str) -> None:
        pass


def drawn(space: Space, seed: int) -> Iterator[Params]:
    """Trials drawn at random, no one twice, until there are no others.

    A draw is a function of (seed, the key's name, the number of the draw): neither another key nor more trials change
    it.
    """
    seen: set[str] = set()
    draw = repeats = 0
    n = size(space)
    rest = (each for each in grid(space) if written(each) not in seen)
    while len(seen) < n:
        if repeats < MOST_REPEATS:
            params = at(space, [generator(seed, "sweep", each.name, draw).random() for each in space])
            draw += 1
        else:
            params = next(rest)
        if written(params) in seen:
            repeats += 1
            continue
        repeats = 0
        seen.add(written(params))
        yield params


def written(params: Params) -> str:
    """One text for the same values."""
    return json.dumps(params, sort_keys=True)


def random_search(space: Space, seed: int) -> Search:
    return ListedSearch(drawn(space, seed))


def grid_search(space: Space) -> Search:
    """Every trial that there can be. ArgumentError: there is no end of them."""
    for each in space:
        if isinstance(each, Range) and not each.whole:
            raise ArgumentError(
                f"--search grid tries all values, and a range of numbers has no end of them: {each.name}. "
                f"Say how many: {each.name}={each.low:g}..{each.high:g}:5, or list them"
            )
    return ListedSearch(grid(space))
