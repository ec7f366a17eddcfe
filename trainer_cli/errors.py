"""The errors a user can mend, one exit code each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One mistake and where it stands: `train.cfg:31: optimizer.learn_rate: expected a number`.

    `path` is the file as the user named it, `line` counts from 1 (0: no line is known), `where` is the dotted name
    of what is wrong (a config key, a column, a tensor; may be empty). `cause` is one for all mistakes that have one
    remedy, though their messages differ; it is not shown.
    """

    message: str
    path: str = ""
    line: int = 0
    where: str = ""
    cause: str = ""

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.path and self.line else self.path
        return ": ".join(part for part in (place, self.where, self.message) if part)


class TrainerError(Exception):
    """Something the user can mend; the command prints it without a traceback and exits with `exit_code`."""

    exit_code = 2

    def __init__(self, message: str = "", *, problems: Sequence[Problem] = ()):
        self.problems = tuple(problems)
        super().__init__(message or "\n".join(str(problem) for problem in self.problems))


class ArgumentError(TrainerError, ValueError):
    """An argument of a call is wrong: a negative rate, an empty batch, a label out of range."""


def bad_argument(argument: str, message: str) -> ArgumentError:
    """A wrong argument of a part; who knows the config adds the section and line."""
    return ArgumentError(problems=[Problem(message, where=argument)])


class ShapeError(ArgumentError):
    """Two sizes contradict each other; the message names both."""


class MissingError(ArgumentError, KeyError):
    """A layer has no parameter or size of the name."""

    __str__ = TrainerError.__str__  # KeyError's would show the sentence in quotes


class ConfigError(TrainerError, ValueError):
    """One or more mistakes in a config, each with its line."""


class MissingModuleError(ConfigError):
    """A file of the user's imports a library that is not installed; `module` is its name."""

    def __init__(self, module: str, *, problems: Sequence[Problem]):
        self.module = module
        super().__init__(problems=problems)


class DataError(TrainerError, ValueError):
    """One or more mistakes in a data file, each with its line."""


class ModelFileError(TrainerError):
    """A saved model or checkpoint is damaged, incomplete or not ours."""


class DamagedError(ModelFileError):
    """A file is not what was written: an older checkpoint may stand in for it, which no other error allows."""


class DivergedError(TrainerError):
    """The loss, a gradient, a parameter or an output is not finite; `rows` are the rows of the batch, or those of them
    that have such an output, if known."""

    exit_code = 3
    rows_are = "The rows"

    def __init__(self, message: str, *, rows: Sequence[int] = ()):
        self.rows = tuple(rows)
        super().__init__(message)

    def within(self, before: str = "", after: str = "", rows: Sequence[int] = ()) -> DivergedError:
        """The same with words before and after it, and the rows; to be raised from the same cause."""
        return DivergedError(f"{before}{self}{after}", rows=rows)


class StorageError(TrainerError):
    """A file could not be written or made durable."""

    exit_code = 4


class ClusterError(TrainerError):
    """The workers of a run are lost, or cannot be had."""

    exit_code = 4


class OutputError(TrainerError):
    """The output directory is in use by another run, or not empty."""

    exit_code = 5


class Stopped(Exception):  # noqa: N818 - not an error, like StopIteration
    """A signal asked the run to stop: whoever can save does so, then the command ends with `exit_code`."""

    def __init__(self, signal_name: str, exit_code: int):
        self.signal_name = signal_name
        self.exit_code = exit_code
        super().__init__(f"stopped by {signal_name}")
