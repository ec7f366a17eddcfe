"""How a command ends: its exit code, and one clear line on stderr for each mistake."""

from __future__ import annotations

import shutil
import tempfile
import textwrap
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import typer

from trainer_cli import streams, user_code
from trainer_cli.cli.own_traceback import own_traceback
from trainer_cli.errors import StorageError, TrainerError

COMMAND = "trainer "


@contextmanager
def outcome(*, verbose: bool = False) -> Iterator[None]:
    """Turn what a command raises into its exit code: the user's mistakes by kind, Ctrl-C into 130, ours into 1.

    `verbose`: what raised in a user's module is shown below its line, not kept in a file.
    """
    try:
        yield
    except typer.Exit:
        raise
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except TrainerError as err:
        complain(told(err, verbose))
        raise typer.Exit(err.exit_code) from None
    except (Exception, SystemExit) as err:
        if isinstance(err, SystemExit) and user_code.place(err) is None:
            raise
        message, traceback_file = f"{type(err).__name__}: {err}", keep_traceback()
        place = user_code.place(err)
        if place is not None:
            complain(f"{place}: {message}. The traceback is in {traceback_file}")
            raise typer.Exit(TrainerError.exit_code) from None
        own = "".join(f", or of {user_code.short_path(path)}" for path in user_code.imported())
        complain(f"trainer: an error of ours{own}: {message}. The traceback is in {traceback_file}")
        raise typer.Exit(1) from None


@contextmanager
def delivered() -> Iterator[None]:
    """What the command printed must have come out: StorageError if standard output could not be written.

    A pipe that somebody closed, as `head` does, has had what was wanted of it.
    """
    yield
    stream = streams.stdout()
    stream.flush()
    if stream.error is not None and not isinstance(stream.error, BrokenPipeError):
        reason = getattr(stream.error, "strerror", None) or stream.error
        raise StorageError(f"standard output could not be written: {reason}")


def told(err: TrainerError, verbose: bool = False) -> str:
    """An error in words. What it says without a file, or what raised it, may stand in a file of the user's."""
    if (raised := raised_in_module(err)) is not None:
        place = user_code.place(raised)
        line = f"{err} ({place})" if place else str(err)
        return f"{line}\n{own_traceback(raised)}" if verbose else f"{line}. The traceback is in {keep_traceback()}"
    cause = err.__cause__
    if isinstance(cause, Exception) and not isinstance(cause, TrainerError) and (place := user_code.place(cause)):
        where = ", ".join(str(replace(problem, message="")) for problem in err.problems)
        line = f"{place}: {type(cause).__name__}: {cause}" + (f" ({where})" if where else "")
        return f"{line}. The traceback is in {keep_traceback()}"
    if err.exit_code == TrainerError.exit_code and not any(problem.path for problem in err.problems):
        place = user_code.place(err)
        return f"{place}: {err}" if place else str(err)
    return str(err)


def raised_in_module(err: BaseException) -> BaseException | None:
    """What a module of another library raised, if that is behind an error."""
    from trainer_cli.wrappers.engine import module_error

    failure = module_error(err)
    return failure.__cause__ if failure is not None else None


def complain(message: str) -> None:
    """Print a message on stderr; on a terminal its lines go on between words."""
    stream = streams.stderr()
    if stream.isatty():
        message = folded(message, shutil.get_terminal_size().columns)
    stream.write(message + "\n")
    stream.flush()


def folded(message: str, width: int) -> str:
    """Lines that are longer than the terminal is wide, cut between words; a command stays in one piece, to be copied.

    >>> folded("a path/to/a/file and more", 16)
    'a path/to/a/file\\nand more'
    """
    wrap = textwrap.TextWrapper(
        width, break_long_words=False, break_on_hyphens=False, replace_whitespace=False, drop_whitespace=True
    )
    return "\n".join(
        "\n".join(wrap.wrap(line)) if len(line) > width and COMMAND not in line else line
        for line in message.split("\n")
    )


def keep_traceback() -> str:
    """Write the traceback of the exception at hand to a file; its name, or why there is none."""
    try:
        with tempfile.NamedTemporaryFile("w", prefix="trainer-", suffix=".txt", delete=False, encoding="utf-8") as file:
            file.write(traceback.format_exc())
        return file.name
    except OSError as err:
        return f"no file: {err}"
