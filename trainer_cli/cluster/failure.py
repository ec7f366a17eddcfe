"""What went wrong in a worker, told in the driver as if it had happened there."""

from __future__ import annotations

import pickle
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple, Self


class Place(NamedTuple):
    """Where a function that an error came through stood."""

    path: str
    line: int
    function: str


@dataclass(frozen=True)
class Failure:
    """An error that can travel: its class, arguments and attributes pickled, None where they cannot be; the name of its
    class and its words; the functions that it came through, and what it was raised from."""

    pickled: bytes | None
    name: str
    words: str
    places: tuple[Place, ...]
    cause: Failure | None

    @classmethod
    def of(cls, err: BaseException) -> Self:
        frames = traceback.extract_tb(err.__traceback__)
        places = tuple(Place(frame.filename, frame.lineno or 0, frame.name) for frame in frames)
        cause = None if err.__cause__ is None else cls.of(err.__cause__)
        return cls(pickled(err), type(err).__name__, words(err), places, cause)

    def error(self) -> BaseException:
        """The error, with the traceback and the cause that it had. One whose class cannot be had here has its name."""
        err = None if self.pickled is None else made(self.pickled)
        if err is None or words(err) != self.words:
            err = type(self.name, (Exception,), {})(self.words)
        err.__cause__ = None if self.cause is None else self.cause.error()
        return err.with_traceback(retraced(self.places))


def words(err: BaseException) -> str:
    try:
        return str(err)
    except Exception:  # a user's own class may fail at anything
        return ""


def pickled(err: BaseException) -> bytes | None:
    """An error without its traceback, if there is a way back; its constructor is not called on it."""
    try:
        found = pickle.dumps((type(err), err.args, vars(err)))
    except Exception:  # whatever somebody's attributes raise
        return None
    return found


def made(found: bytes) -> BaseException | None:
    try:
        kind, args, attributes = pickle.loads(found)  # noqa: S301 - Ray unpickles all that workers say
        err: BaseException = kind.__new__(kind, *args)
        vars(err).update(attributes)
    except Exception:  # whatever somebody's class raises
        return None
    return err


def retraced(places: Sequence[Place]) -> TracebackType | None:
    """A traceback through these places, for those who look for files and lines in one."""
    found = None
    for place in reversed(places):
        found = TracebackType(found, frame(place), -1, max(1, place.line))
    return found


def frame(place: Place) -> Any:
    """A frame of a function of that name in that file, in which nothing has happened."""
    code = compile("found = here()", place.path, "exec").replace(co_name=place.function, co_qualname=place.function)
    scope: dict[str, Any] = {"here": lambda: sys._getframe(1)}
    exec(code, scope)
    return scope["found"]
