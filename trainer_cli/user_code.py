"""The files given with --code: the only door for code that is not ours."""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from trainer_cli.errors import ConfigError, MissingModuleError, Problem
from trainer_cli.extras import EXTRAS, remedy
from trainer_cli.registry import registry

PREFIX = "trainer_code_"

Parts = dict[tuple[str, str], Any]


def import_files(paths: Sequence[Path]) -> None:
    """Run each file, so that its decorators register its parts. A mistake in one is a ConfigError at its line.

    The files of an earlier call are forgotten; what they registered may be registered anew.
    """
    for name in [name for name in sys.modules if name.startswith(PREFIX)]:
        del sys.modules[name]
    own: Parts = {}
    for path in paths:
        before = parts()
        import_file(path)
        new = {key: part for key, part in parts().items() if before.get(key) is not part}
        for key in new:
            if key in own or (key in before and is_built_in(before[key])):
                registry.kinds[key[0]](key[1])(before[key])
                raise ConfigError(problems=[taken(path, key, new[key], before[key])])
        own |= new


def import_file(path: Path) -> None:
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
    except (Exception, SystemExit) as err:
        del sys.modules[name]
        missing = (err.name or "").partition(".")[0] if isinstance(err, ModuleNotFoundError) else ""
        if missing in EXTRAS:
            line = last_line(err, {os.path.abspath(path)})[1]
            problem = Problem(f"needs {EXTRAS[missing][0]}: {remedy(missing)}", str(path), line)
            raise MissingModuleError(missing, problems=[problem]) from err
        line = err.lineno or 0 if isinstance(err, SyntaxError) else last_line(err, {os.path.abspath(path)})[1]
        message = f"{type(err).__name__}: {err.msg if isinstance(err, SyntaxError) else err}"
        raise ConfigError(problems=[Problem(message, str(path), line)]) from err


def parts() -> Parts:
    """Everything that is registered, the built-in parts included, by kind and name."""
    return {(kind, name): part for kind, table in registry.kinds.items() for name, part in table.get_all().items()}


def is_built_in(part: Any) -> bool:
    return str(getattr(part, "__module__", "")).split(".")[0] == "trainer_cli"


def taken(path: Path, key: tuple[str, str], new: Any, old: Any) -> Problem:
    """The mistake of registering a part under a name that another one has."""
    kind, name = key
    line = definition(new)[1]
    owner = "the built-in part" if is_built_in(old) else "the part"
    message = f"@registry.{kind} has {name!r} already, {owner} at {defined_at(old)}: choose another name"
    return Problem(message, str(path), line)


def defined_at(part: Any) -> str:
    """File and line where a function or class is defined, as far as Python tells."""
    path, line = definition(part)
    return f"{short_path(path)}:{line}" if line else str(getattr(part, "__name__", type(part).__name__))


def definition(part: Any) -> tuple[str, int]:
    found = inspect.unwrap(part) if callable(part) else part
    found = found if inspect.isroutine(found) or inspect.isclass(found) else type(found)
    try:
        return inspect.getsourcefile(found) or "", inspect.getsourcelines(found)[1]
    except (OSError, TypeError):
        return "", 0


def place(err: BaseException) -> str | None:
    """File and line of the last of the user's functions that an error came through; None if there was none."""
    path, line = last_line(err, imported())
    return f"{short_path(path)}:{line}" if line else None


def imported() -> list[str]:
    """The files that were imported, by their absolute paths."""
    modules = [module for name, module in sys.modules.items() if name.startswith(PREFIX)]
    return [str(getattr(module, "__file__", "")) for module in modules]


def short_path(path: str) -> str:
    """A path as a user would name it: from the current folder, if it is in there."""
    near = os.path.relpath(path)
    return path if near.startswith(os.pardir) else near


def last_line(err: BaseException, paths: Collection[str]) -> tuple[str, int]:
    """The last place in these files that an error came through, the line 0 if there is none."""
    frames = [frame for frame in traceback.extract_tb(err.__traceback__) if frame.filename in paths]
    return (frames[-1].filename, frames[-1].lineno or 0) if frames else ("", 0)
