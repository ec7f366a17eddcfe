"""The files given with --code: the only door for code that is not ours."""

from __future__ import annotations

import importlib.util
import os
import sys
import traceback
from collections.abc import Collection, Sequence
from pathlib import Path

from trainer_cli.errors import ConfigError, Problem

PREFIX = "trainer_code_"


def import_files(paths: Sequence[Path]) -> None:
    """Run each file, so that its decorators register its parts. A mistake in one is a ConfigError at its line."""
    for path in paths:
        if not path.is_file():
            raise ConfigError(problems=[Problem("there is no such file; --code takes a Python file", str(path))])
        name = f"{PREFIX}{path.stem}"
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise ConfigError(problems=[Problem("is no Python file; --code takes one that ends in .py", str(path))])
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # dataclasses and pickling look their module up by name
        try:
            spec.loader.exec_module(module)
        except Exception as err:
            del sys.modules[name]
            line = err.lineno or 0 if isinstance(err, SyntaxError) else last_line(err, {os.path.abspath(path)})[1]
            message = f"{type(err).__name__}: {err.msg if isinstance(err, SyntaxError) else err}"
            raise ConfigError(problems=[Problem(message, str(path), line)]) from err


def place(err: Exception) -> str | None:
    """File and line of the last of the user's functions that an error came through; None if there was none."""
    path, line = last_line(err, imported())
    return f"{shown(path)}:{line}" if line else None


def imported() -> list[str]:
    """The files that were imported, by their absolute paths."""
    modules = [module for name, module in sys.modules.items() if name.startswith(PREFIX)]
    return [str(getattr(module, "__file__", "")) for module in modules]


def shown(path: str) -> str:
    """A path as a user would name it: from the current folder, if it is in there."""
    near = os.path.relpath(path)
    return path if near.startswith(os.pardir) else near


def last_line(err: Exception, paths: Collection[str]) -> tuple[str, int]:
    """The last place in these files that an error came through, the line 0 if there is none."""
    frames = [frame for frame in traceback.extract_tb(err.__traceback__) if frame.filename in paths]
    return (frames[-1].filename, frames[-1].lineno or 0) if frames else ("", 0)
