"""Encoded data that do not fit in memory, kept in a folder: written once, read by every run that reads the same.

One data set is a folder named by what it is made from, with the files of its rows and `meta.json`. It appears whole or
not at all, so several runs may use one cache at once; it may be deleted at any time when no run uses it.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer_cli import __version__, json_text, storage
from trainer_cli.arrays import Rows, Stored
from trainer_cli.data.encoder import Encoder, pack
from trainer_cli.data.stored import FileGather, opened
from trainer_cli.errors import DataError

FORMAT = 1
META = "meta.json"
# The names of a folder while it is written; it is locked, so that who finds one that is not may delete it.
WRITING = ".writing-"
# What a data set is made of: inputs, targets and, where there are any, sample weights.
PARTS = ("X", "Y", "weights")

Blocks = Iterable[Mapping[str, Rows]]


@dataclass(frozen=True)
class Cache:
    """Data sets in `folder`, which is made when there is one to be written."""

    folder: Path

    def load(self, key: str, blocks: Blocks) -> dict[str, Rows | Stored]:
        """The parts of the data set `key` by name, written from `blocks` if they are not there yet.

        A mistake in the blocks leaves nothing behind. StorageError: the files cannot be written.
        """
        path = self.folder / key
        found = read_whole(path)
        return self._written(path, blocks) if found is None else found

    def clean(self) -> int:
        """Delete all data sets that nobody writes; the number of bytes that are free again."""
        if not self.folder.is_dir():
            return 0
        with locked(self.folder, wait=True):
            return sum(deleted(path) for path in sorted(self.folder.iterdir()) if is_ours(path))

    def _written(self, path: Path, blocks: Blocks) -> dict[str, Rows | Stored]:
        temporary = self.folder / f"{WRITING}{path.name}-{secrets.token_hex(4)}"
        with storage.reported(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            for left in self.folder.glob(f"{WRITING}*"):
                deleted(left, empty=False)  # an empty one may have been made a moment ago, and not be locked yet
            temporary.mkdir()
        try:
            with locked(temporary, wait=True):
                write(temporary, blocks)
                # One run at a time looks what is there, and nobody takes away what another has put there meanwhile.
                with locked(self.folder, wait=True):
                    return put_in_place(temporary, path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def key_of(
    data: str, source: Mapping[str, Any], encoders: Mapping[str, tuple[str, Encoder]], code: Iterable[str]
) -> str:
    """The sha256 of all that encoded rows depend on: the data's own sha256, how they are read (`source`), the fitted
    encoders by section, and the sha256 of the user's files of code."""
    states, arrays = pack(encoders)
    digest = hashlib.sha256()
    facts = [FORMAT, __version__, data, source, json_text.encode(states), sorted(code)]
    digest.update(json.dumps(facts, sort_keys=True, default=str).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def write(folder: Path, blocks: Blocks) -> None:
    """Write the rows of all blocks and what they are."""
    gathers: dict[str, FileGather] = {}
    for block in blocks:
        with storage.reported(folder):
            for name, rows in block.items():
                gathers.setdefault(name, FileGather(folder, name)).add(rows)
    with storage.reported(folder):
        for gather in gathers.values():
            gather.finish()
    facts = {name: gather.facts() for name, gather in gathers.items()}
    storage.replace_file(folder / META, json_text.dumps({"format": FORMAT, "parts": facts}))


def read(path: Path) -> dict[str, Rows | Stored]:
    """The parts of a data set that was written; one that is damaged is a DataError, ValueError, KeyError, TypeError."""
    meta = json_text.loads((path / META).read_bytes())
    if meta["format"] != FORMAT:
        raise ValueError("another format")
    return {name: opened(path, name, meta["parts"][name]) for name in PARTS if name in meta["parts"]}


def read_whole(path: Path) -> dict[str, Rows | Stored] | None:
    """The parts of a data set; None if it is not there, or is not what was written."""
    try:
        return read(path)
    except (OSError, ValueError, KeyError, TypeError, DataError):
        return None


def put_in_place(temporary: Path, path: Path) -> dict[str, Rows | Stored]:
    """Give what was written its name, unless another run has been faster: its files are as good. The parts of it.

    The caller holds the lock of the folder of both.
    """
    found = read_whole(path)
    if found is not None:
        return found
    deleted(path)
    storage.rename(temporary, path)
    return read(path)


@contextmanager
def locked(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock of a folder. BlockingIOError: somebody else does, unless that is waited for."""
    import fcntl  # not on Windows, where `import trainer_cli` shall work all the same

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(descriptor)


def deleted(path: Path, *, empty: bool = True) -> int:
    """Delete a data set unless somebody is writing it (or, if not `empty`, it has no files); how many bytes it had."""
    try:
        with locked(path):
            if not empty and not any(path.iterdir()):
                return 0
            n_bytes = sum(file.stat().st_size for file in path.iterdir())
            shutil.rmtree(path)
            return n_bytes
    except OSError:
        return 0


def is_ours(path: Path) -> bool:
    """Whether a folder of the cache was made by it: nothing else is deleted."""
    name = path.name.removeprefix(WRITING).partition("-")[0]
    return path.is_dir() and not path.is_symlink() and len(name) == 64 and set(name) <= set("0123456789abcdef")
