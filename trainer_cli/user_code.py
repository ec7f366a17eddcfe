"""The files given with --code: the only door for code that is not ours."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Sequence
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
            line = err.lineno or 0 if isinstance(err, SyntaxError) else last_line(err, path)
            message = f"{type(err).__name__}: {err.msg if isinstance(err, SyntaxError) else err}"
            raise ConfigError(problems=[Problem(message, str(path), line)]) from err


def place(err: Exception) -> str | None:
    """File and line of the last of the user's functions that an error came through; None if there was none."""
    files = {getattr(module, "__file__", None) for name, module in sys.modules.items() if name.startswith(PREFIX)}
    places = [
        f"{frame.filename}:{frame.lineno}"
        for frame in traceback.extract_tb(err.__traceback__)
        if frame.filename in files
    ]
    return places[-1] if places else None


def last_line(err: Exception, path: Path) -> int:
    """The line of `path` from which the error came."""
    lines = [frame.lineno for frame in traceback.extract_tb(err.__traceback__) if frame.filename == str(path)]
    return lines[-1] or 0 if lines else 0
