"""What went wrong in a worker, told in the driver as if it had happened there."""

from __future__ import annotations

import ast
import pickle
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any, NamedTuple, Self


class Frame(NamedTuple):
    """Where a function that an error came through stood: lines and columns of what it was at, columns -1 if unknown."""

    path: str
    function: str
    line: int
    end_line: int
    column: int
    end_column: int


@dataclass(frozen=True)
class Failure:
    """An error that can travel: its class, arguments and attributes pickled, None where they cannot be; the name of its
    class and its words; the functions that it came through, and what it was raised from."""

    pickled: bytes | None
    name: str
    words: str
    frames: tuple[Frame, ...]
    cause: Failure | None

    @classmethod
    def of(cls, err: BaseException) -> Self:
        frames = tuple(frame_of(found) for found in traceback.extract_tb(err.__traceback__))
        cause = None if err.__cause__ is None else cls.of(err.__cause__)
        return cls(pickled(err), type(err).__name__, words(err), frames, cause)

    def error(self) -> BaseException:
        """The error, with the traceback and the cause that it had. One whose class cannot be had here has its name."""
        err = None if self.pickled is None else made(self.pickled)
        if err is None or words(err) != self.words:
            err = type(self.name, (Exception,), {})(self.words)
        err.__cause__ = None if self.cause is None else self.cause.error()
        return err.with_traceback(retraced(self.frames))


def frame_of(found: traceback.FrameSummary) -> Frame:
    line = found.lineno or 1
    end = found.end_lineno or line
    if found.colno is None or found.end_colno is None:
        return Frame(found.filename, found.name, line, end, -1, -1)
    return Frame(found.filename, found.name, line, end, found.colno, found.end_colno)


def words(err: BaseException) -> str:
    try:
        return str(err)
    except Exception:  # a user's own class may fail at anything
        return ""


def pickled(err: BaseException) -> bytes | None:
    """An error without its traceback, if there is a way to. Its constructor may want more than what it has kept."""
    try:
        made_of: Any = err.__reduce__()
        found = pickle.dumps((*made_of[:2], vars(err)))
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


def retraced(frames: Sequence[Frame]) -> TracebackType | None:
    """A traceback through these frames, for those who look for files and lines in one."""
    found = None
    for frame in reversed(frames):
        stood, at = stopped(frame)
        found = TracebackType(found, stood, -1 if frame.column < 0 else at, frame.line)
    return found


def stopped(at: Frame) -> tuple[FrameType, int]:
    """A frame of a function of that name in that file, and the instruction in it that stands at that place."""
    tree = ast.parse("here()")
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt | ast.expr):
            node.lineno, node.end_lineno = at.line, at.end_line
            node.col_offset, node.end_col_offset = max(0, at.column), max(0, at.end_column)
    code = compile(tree, at.path, "exec").replace(co_name=at.function, co_qualname=at.function)
    found: list[tuple[FrameType, int]] = []

    def here() -> None:
        frame = sys._getframe(1)
        found.append((frame, frame.f_lasti))

    exec(code, {"here": here})
    return found[0]


def reason(err: Exception) -> str:
    """What Ray says of an error, on one line."""
    lines = str(err).strip().splitlines() or [""]
    line = lines[-1] if len(lines) > 1 and lines[0].startswith(("\x1b", "ray::")) else lines[0]
    return f"{type(err).__name__}: {line[:200]}"
