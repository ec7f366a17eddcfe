"""Mistakes in data: the first ten with their places, and how many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from trainer_cli.errors import DataError, Problem

T = TypeVar("T")
A = TypeVar("A")

MAX_SHOWN = 10
# So many alike mistakes have a line each; of more one line names the first places.
FEW_ALIKE = 3
PLACES_NAMED = 5


def batch_at(places: Sequence[tuple[int, str, int]], n: int, what: str = "Its batch") -> str:
    """Where the `n` rows of a batch stand, for the end of a sentence; a file without lines has row numbers from 0.

    `places` has number, file and line of the first ones.

    >>> batch_at([(0, "a.csv", 2), (5, "a.npz", 0)], 3)
    '. Its batch: a.csv:2, a.npz[5] and 1 more'
    """
    names = [f"{path}:{line}" if line else f"{path}[{number}]" for number, path, line in places]
    more = f" and {n - len(names)} more" if n > len(names) else ""
    return f". {what}: {', '.join(names)}{more}"


class FaultsError(DataError):
    """Mistakes in the rows of data: `problems` are the first ten, `total` counts all.

    `are_alike`: those that are not among the `problems` are of the same kind as these.
    """

    def __init__(self, problems: Sequence[Problem], total: int, *, are_alike: bool = False):
        kinds = {_kind(problem) for problem in problems}
        self.are_alike = len(kinds) == 1 and (are_alike or total == len(problems))
        if self.are_alike and len(problems) > FEW_ALIKE and all(problem.line for problem in problems):
            lines = [_told_once(problems, total)]
        else:
            lines = [str(problem) for problem in problems]
            if total > len(problems):
                lines.append(f"... and {total - len(problems)} more, {total} mistakes in all")
        super().__init__("\n".join(lines), problems=problems)
        self.total = total


class Faults:
    """Gathers mistakes while data goes by, so that one run reports them all; False while there are none.

    Each source reports its own in the order of rows; what is kept are the first ten of all by file and line.
    """

    def __init__(self) -> None:
        self.first: list[Problem] = []
        self.total = 0
        self.are_alike = True

    def __bool__(self) -> bool:
        return self.total > 0

    def add(self, *problems: Problem, total: int | None = None, are_alike: bool = True) -> None:
        """Count mistakes; `total` where there are more than the `problems` at hand. A repeated one counts once.

        `are_alike`: whether all of them are of one kind, as far as the `problems` do not tell.
        """
        self.total += len(problems) if total is None else total
        self.are_alike &= are_alike and len({_kind(problem) for problem in (*problems, *self.first[:1])}) <= 1
        for problem in problems:
            if len(self.first) == MAX_SHOWN and _place(problem) > _place(self.first[-1]):
                continue  # the usual case in a file of mistakes
            if problem in self.first:
                self.total -= 1
            else:
                # Sorting is stable, so mistakes of one line keep the order in which they were found.
                self.first = sorted([*self.first, problem], key=_place)[:MAX_SHOWN]

    def add_error(self, error: DataError) -> None:
        """Count the mistakes that an error reports."""
        problems = error.problems or (Problem(str(error)),)
        are_alike = getattr(error, "are_alike", True)
        self.add(*problems, total=getattr(error, "total", len(problems)), are_alike=are_alike)

    def attempt(self, function: Callable[[A], T], argument: A) -> T | None:
        """`function(argument)`, or None when it found mistakes, which are counted."""
        try:
            return function(argument)
        except DataError as err:
            self.add_error(err)
            return None

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Count the mistakes that are found inside."""
        try:
            yield
        except DataError as err:
            self.add_error(err)

    def watch(self, stream: Iterable[T]) -> Iterator[T]:
        """The items of `stream`; it ends where the stream reports mistakes, which are counted."""
        try:
            yield from stream
        except DataError as err:
            self.add_error(err)

    def check(self) -> None:
        """Raise a DataError when there are mistakes."""
        if self:
            raise self.error()

    def error(self) -> FaultsError:
        """The error that reports them."""
        return FaultsError(self.first, self.total, are_alike=self.are_alike)


def _kind(problem: Problem) -> tuple[str, str, str]:
    """What mistakes have in common that differ in nothing but their line."""
    return problem.path, problem.where, problem.cause or problem.message


def _told_once(problems: Sequence[Problem], total: int) -> str:
    """One line for mistakes of one kind: the first of them, and where the next ones stand."""
    lines = ", ".join(str(problem.line) for problem in problems[1 : 1 + PLACES_NAMED])
    n_more = total - 1 - len(problems[1 : 1 + PLACES_NAMED])
    more = f" and {n_more} more" if n_more else ""
    return f"{problems[0]}; the same in lines {lines}{more}, {total} mistakes in all"


def _place(problem: Problem) -> tuple[str, int]:
    return problem.path, problem.line


@contextmanager
def within(section: str) -> Iterator[None]:
    """Name the config section of mistakes that arise inside: a bare argument `path` becomes `data.train.path`.

    Mistakes that stand in a file, or have a dotted name already, are left as they are; one that begins with `*.` is of
    a section [features.*.NAME] and gets the part before it.
    """
    try:
        yield
    except DataError as err:
        named = [
            replace(problem, where=f"{section}.{problem.where}")
            if problem.where and not problem.path and ("." not in problem.where or problem.where.startswith("*."))
            else problem
            for problem in err.problems
        ]
        if not named:
            raise
        are_alike = getattr(err, "are_alike", False)
        raise FaultsError(named, getattr(err, "total", len(named)), are_alike=are_alike) from err


def refused(argument: str, message: str) -> DataError:
    """A mistake in an argument of a reader or encoder; who knows the config adds the section and line."""
    return DataError(problems=[Problem(message, where=argument)])


def printable(text: str, limit: int = 60) -> str:
    """`text` fit for a terminal: control characters escaped, long ones cut.

    >>> printable("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    cut = text if len(text) <= limit else text[: limit - 3] + "..."
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in cut)


def shown(text: str) -> str:
    """`text` in double quotes for a message."""
    return f'"{printable(text)}"'
