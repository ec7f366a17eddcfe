"""Compilation of kernels, and where the machine code is kept between runs.

numba keeps it in pickled files, and whoever can write such a file can run code as whoever reads it. So the folder is
one that this user alone can enter, and no config or model names it; where there is none, kernels are compiled anew in
each process.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numba
from numba.core import config
from numba.core.caching import FunctionCache

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def compiled(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile `function` for one thread at its first call with each kind of arguments; other threads run beside it.

    Division by zero gives infinity or NaN as in numpy; sums keep the order in which they are written.
    """
    kernel: Any = numba.njit(function, error_model="numpy", nogil=True)
    if FOLDER is not None:
        with contextlib.suppress(RuntimeError):  # no folder can be written after all
            kernel._cache = ForgivingCache(function, FOLDER)
    result: Callable[Arguments, Result] = kernel
    return result


def inlined(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Make `function` part of each kernel that calls it; the two must share a file, or a change goes unnoticed."""
    kernel: Any = numba.njit(function, error_model="numpy", inline="always")
    result: Callable[Arguments, Result] = kernel
    return result


class ForgivingCache:
    """numba's cache of one function, but a damaged file is compiled anew and a full disk is no error."""

    def __init__(self, function: Callable[..., Any], folder: Path):
        settings: Any = config
        make_cache: Any = FunctionCache
        kept = settings.CACHE_DIR
        settings.CACHE_DIR = str(folder)
        try:
            self._cache = make_cache(function)
        finally:
            settings.CACHE_DIR = kept  # a user's own compiled functions keep their place

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return self._cache.load_overload(sig, target_context)
        except Exception:  # unpickling damaged bytes can raise anything
            with contextlib.suppress(OSError):
                self._cache.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        with contextlib.suppress(OSError):
            self._cache.save_overload(sig, data)


def cache_folder(environ: Mapping[str, str]) -> Path | None:
    """The folder for machine code below the user's cache folder, made if need be; None if none is safe and writable."""
    home = environ.get("HOME", "")
    base = Path(environ.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home else ""))
    if os.name != "posix" or not base.is_absolute():
        return None
    parent = base / "trainer-cli"
    folder = parent / f"numba-{numba.__version__}"
    try:
        base.mkdir(parents=True, exist_ok=True)
        if writable_by_all(base):
            return None
        for part in (parent, folder):
            part.mkdir(mode=0o700, exist_ok=True)
            if not is_private(part):
                return None
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK | os.X_OK) else None


def is_private(folder: Path) -> bool:
    """Whether this is a folder, no link, that only its owner can enter, and the owner is this user."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def writable_by_all(folder: Path) -> bool:
    """Whether anybody could put another folder in the place of one in here (a sticky folder prevents that)."""
    mode = folder.stat().st_mode
    return bool(mode & 0o002) and not mode & stat.S_ISVTX


FOLDER = cache_folder(os.environ)
