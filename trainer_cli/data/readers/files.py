"""Opening data files: regular files only, unpacked by suffix, every failure a DataError."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO

from trainer_cli.data.faults import printable, refused
from trainer_cli.data.readers.standard_input import opened_input
from trainer_cli.data.readers.unpack import DamagedStreamError, packing, packing_of, unpacked
from trainer_cli.errors import DataError, Problem

# Deflate turns one byte into at most 1,032 (zlib's documentation, "Maximum Compression Factor").
MAX_EXPANSION = 1032

# The largest single row that is held in memory: an array, and a line of text, which takes more as values.
MAX_RECORD = 1 << 24
MAX_LINE = 1 << 22


STDIN = "-"


@contextmanager
def opened_raw(path: Path, argument: str = "path") -> Iterator[BufferedReader]:
    """The bytes of a regular file as they lie, or of standard input for `-`; `argument` is the reader's argument."""
    if str(path) == STDIN:
        with opened_input(argument) as standard:
            yield standard
        return
    try:
        # Without O_NONBLOCK a named pipe would wait for a writer before it can be refused.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        home = "; write the whole path in the place of ~" if str(path).startswith("~") else ""
        raise refused(argument, f"no file is there: {printable(str(path), 200)}{home}") from None
    except (OSError, ValueError) as err:
        raise refused(argument, f"cannot read {path}: {reason(err)}") from err
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise refused(argument, f"expected a regular file, got {path}")
    with os.fdopen(descriptor, "rb") as file:
        try:
            yield file
        except OSError as err:
            raise DataError(problems=[Problem(f"cannot be read: {reason(err)}", str(path))]) from err


@contextmanager
def opened(path: Path, argument: str = "path") -> Iterator[IO[bytes]]:
    """The content of a file, unpacked where its name ends in .gz, .bz2, .xz or .zst, or standard input begins so."""
    with opened_raw(path, argument) as raw:
        suffix = packing_of(begin_of(raw)) if str(path) == STDIN else packing(path.name)
        if not suffix:
            yield raw
            return
        try:
            with unpacked(raw, suffix) as file:
                yield file
        except DamagedStreamError as err:
            raise DataError(problems=[Problem(str(err), str(path))]) from err


def begin_of(file: BufferedReader) -> bytes:
    """Some bytes that are ahead in a file, which stay there; none of a stream that cannot tell."""
    return file.peek() if hasattr(file, "peek") else b""


def is_pattern(path: Path) -> bool:
    """Whether a path stands for all files whose names fit it, `part-*.csv`; what is there as it is written does not."""
    return glob.has_magic(str(path)) and not os.path.lexists(path)


def found(path: Path, argument: str = "path") -> tuple[Path, ...]:
    """The file of a path, or the files that fit a pattern (`*`, `?`, `[...]`, `**`), in the order of their names."""
    if not is_pattern(path):
        return (path,)
    fitting = sorted(name for name in glob.glob(str(path), recursive=True) if not os.path.isdir(name))
    if not fitting:
        raise refused(argument, f"no file fits the pattern {printable(str(path), 200)}")
    return tuple(map(Path, fitting))


def is_there(path: Path) -> bool:
    """Whether a path is that of something, or a pattern that some file fits."""
    return any(glob.iglob(str(path), recursive=True)) if is_pattern(path) else path.exists()


def read_exactly(file: IO[bytes], size: int, path: Path) -> bytes:
    """The next `size` bytes; a file that ends before is a DataError."""
    data = file.read(size)
    while len(data) < size and (more := file.read(size - len(data))):
        data += more
    if len(data) < size:
        raise DataError(problems=[Problem(f"the file is cut off: {size - len(data)} bytes are missing", str(path))])
    return data


def only_file(directory: Path, suffixes: tuple[str, ...], argument: str = "path") -> Path:
    """The one file of a directory whose name ends in one of `suffixes`."""
    try:
        found = sorted(path for path in directory.iterdir() if path.name.lower().endswith(suffixes))
    except OSError as err:
        raise refused(argument, f"cannot read {directory}: {reason(err)}") from err
    if len(found) != 1:
        names = (", ".join(path.name for path in found[:5]) or "none") + (", ..." if len(found) > 5 else "")
        rule = f"expected exactly one file ({', '.join(suffixes)}) in {directory}"
        raise refused(argument, f"{rule}, found {len(found)}: {names}. Name the file itself")
    return found[0]


def reason(err: Exception) -> str:
    return getattr(err, "strerror", None) or str(err)
