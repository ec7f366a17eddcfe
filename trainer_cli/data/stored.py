"""Rows that lie in files: written block by block, read when a batch asks for them.

Arrays lie in a file as their bytes, row after row; `Ragged` rows as their data, and where each begins. Files are read
into arrays and not mapped, since mapped pages count as memory of the process.
"""

from __future__ import annotations

import hashlib
import os
import weakref
from pathlib import Path
from typing import Any

import numpy as np

from trainer_cli import storage
from trainer_cli.arrays import Array, Ints, Ragged, Rows, Stored
from trainer_cli.data.gather import check_alike
from trainer_cli.errors import DataError, Problem


class StoredArray(Stored):
    """The rows of an array (n, *shape) in a file."""

    def __init__(self, path: Path, dtype: np.dtype[Any], shape: tuple[int, ...], n: int):
        self.path, self.dtype, self.shape, self.n = path, dtype, shape, n
        self.row_bytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._fd)
        if os.fstat(self._fd).st_size != n * self.row_bytes:
            raise cut_off(path)

    def __len__(self) -> int:
        return self.n

    def take(self, indexes: Ints) -> Array:
        rows = np.empty((len(indexes), *self.shape), self.dtype)
        self.read_into(rows, np.asarray(indexes, np.int64), np.ones(len(indexes), np.int64))
        return rows

    def slice_rows(self, start: int, stop: int) -> Array:
        rows = np.empty((max(0, min(stop, self.n) - start), *self.shape), self.dtype)
        self.read_into(rows, np.array([start]), np.array([len(rows)]))
        return rows

    def sha256(self) -> str:
        """That of the whole file."""
        with open(self.path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def read_into(self, rows: Array, starts: Ints, counts: Ints) -> None:
        """Fill `rows` with stretches of the file's rows, each from its start on, one after the other."""
        if not rows.nbytes:
            return
        view, at = memoryview(rows.data).cast("B"), 0
        for start, count in zip((starts * self.row_bytes).tolist(), (counts * self.row_bytes).tolist(), strict=True):
            end = at + count
            while at < end:
                n_read = os.preadv(self._fd, [view[at:end]], start)
                if n_read == 0:
                    raise cut_off(self.path)
                at, start = at + n_read, start + n_read


class StoredRagged(Stored):
    """Rows of different lengths in two files: their data, and where each begins (n + 1,)."""

    def __init__(self, data: StoredArray, starts: StoredArray):
        self.data, self.starts = data, starts

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> Ints:
        """The lengths of all rows, (n,)."""
        return np.diff(self.starts.slice_rows(0, len(self.starts)))

    def take(self, indexes: Ints) -> Ragged:
        indexes = np.asarray(indexes, np.int64)
        bounds = np.empty((len(indexes), 2), np.int64)
        self.starts.read_into(bounds.reshape(-1), indexes, np.full(len(indexes), 2))
        return self._ragged(bounds[:, 0], bounds[:, 1] - bounds[:, 0])

    def slice_rows(self, start: int, stop: int) -> Ragged:
        starts = self.starts.slice_rows(start, min(stop, len(self)) + 1)
        lengths = np.diff(starts)
        data = self.data.slice_rows(int(starts[0]), int(starts[-1]))
        return Ragged(data, lengths)

    def _ragged(self, starts: Ints, lengths: Ints) -> Ragged:
        data = np.empty((int(lengths.sum()), *self.data.shape), self.data.dtype)
        self.data.read_into(data, starts, lengths)
        return Ragged(data, lengths)


class FileGather:
    """Rows put end to end in files of a folder as they arrive; `finish` has them whole, `facts` says what they are."""

    def __init__(self, folder: Path, name: str):
        self.folder, self.name = folder, name
        self.parts: Any = None
        self.n = 0
        self._fd = -1
        self._dtype: np.dtype[Any] = np.dtype(np.float32)
        self._shape: tuple[int, ...] = ()
        self._digest = hashlib.sha256()

    def add(self, rows: Rows) -> None:
        """Write `rows` at the end."""
        if isinstance(rows, dict):
            self._add_each(rows, list(rows))
        elif isinstance(rows, tuple):
            self._add_each(dict(enumerate(rows)), list(range(len(rows))))
        elif isinstance(rows, Ragged):
            self._add_ragged(rows)
        else:
            assert isinstance(rows, np.ndarray), "rows of files are not written again"
            self._write(rows)
        self.n += len(rows.lengths) if isinstance(rows, Ragged) else len(_first(rows))

    def finish(self) -> None:
        """Have all on the disk."""
        if self.parts is not None:
            for part in self.parts.values():
                part.finish()
        elif self._fd >= 0:
            storage.sync(self._fd)
            os.close(self._fd)
            self._fd = -1

    def facts(self) -> Any:
        """What the files hold, as JSON."""
        if self.parts is None:
            digest = self._digest.hexdigest()
            return {"array": {"dtype": self._dtype.str, "shape": list(self._shape), "n": self.n, "sha256": digest}}
        # A list, since the order of the parts counts, and files of ours have their keys sorted.
        return {self._kind: [[name, part.facts()] for name, part in self.parts.items()]}

    def _add_each(self, rows: dict[Any, Rows], names: list[Any]) -> None:
        if self.parts is None:
            self._kind = "tuple" if names and isinstance(names[0], int) else "dict"
            self.parts = {str(key): FileGather(self.folder, f"{self.name}-{i}") for i, key in enumerate(names)}
        for name, part in rows.items():
            self.parts[str(name)].add(part)

    def _add_ragged(self, rows: Ragged) -> None:
        if self.parts is None:
            self._kind = "ragged"
            self.parts = {name: FileGather(self.folder, f"{self.name}-{name}") for name in ("data", "starts")}
            self.parts["starts"].add(np.zeros(1, np.int64))
        self.parts["starts"].add(rows.starts()[1:] + self.parts["data"].n)
        self.parts["data"].add(rows.data)

    def _write(self, rows: Array) -> None:
        if self._fd < 0:
            self._fd = os.open(self.folder / f"{self.name}.bin", storage.NEW_FILE, 0o666)
            self._dtype, self._shape = rows.dtype, rows.shape[1:]
        check_alike(rows, self._dtype, self._shape)
        data = np.ascontiguousarray(rows).reshape(-1).view(np.uint8).data
        self._digest.update(data)
        storage.write_all(self._fd, data)


def opened(folder: Path, name: str, facts: Any) -> Rows | Stored:
    """The rows that a `FileGather` wrote, from its facts. DataError: a file is not what it was."""
    [(kind, inside)] = facts.items()
    if kind == "array":
        dtype, shape = np.dtype(inside["dtype"]), tuple(inside["shape"])
        if dtype.kind not in "fiub":
            raise cut_off(folder / f"{name}.bin")
        found = StoredArray(folder / f"{name}.bin", dtype, shape, inside["n"])
        if found.sha256() != inside["sha256"]:
            raise cut_off(found.path)
        return found
    if kind == "ragged":
        data, starts = (opened(folder, f"{name}-{part}", each) for part, each in inside)
        assert isinstance(data, StoredArray)
        assert isinstance(starts, StoredArray)
        return StoredRagged(data, starts)
    parts = {str(key): opened(folder, f"{name}-{i}", part) for i, (key, part) in enumerate(inside)}
    return tuple(parts.values()) if kind == "tuple" else parts


def n_bytes(rows: Rows) -> int:
    """How many bytes rows in memory take."""
    if isinstance(rows, Ragged):
        return rows.data.nbytes + rows.lengths.nbytes
    if isinstance(rows, tuple | dict):
        return sum(map(n_bytes, rows.values() if isinstance(rows, dict) else rows))
    return rows.nbytes if isinstance(rows, np.ndarray) else 0


def cut_off(path: Path) -> DataError:
    return DataError(problems=[Problem("is not what was written there; delete its folder, it is made anew", str(path))])


def _first(rows: Any) -> Any:
    """An array with as many rows as `rows`."""
    while isinstance(rows, tuple | dict):
        rows = next(iter(rows.values() if isinstance(rows, dict) else rows))
    return rows.lengths if isinstance(rows, Ragged) else rows
