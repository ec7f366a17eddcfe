"""Arrays in numpy's .npy files, read without pickle."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any, Self

import numpy as np
from numpy.lib import format as npy

from trainer_cli.arrays import Array
from trainer_cli.data.block import BLOCK_BYTES, BLOCK_ROWS, Block, Column, Places
from trainer_cli.data.faults import refused
from trainer_cli.data.readers.files import MAX_RECORD, found, opened, read_exactly
from trainer_cli.data.readers.fileset import FileSet, Names, first_rows
from trainer_cli.data.readers.unpack import packing, with_packed
from trainer_cli.errors import ArgumentError, DataError, Problem
from trainer_cli.registry import registry


@registry.readers("npy.v1")
class NpyReader(FileSet):
    """The rows (first axis) of one array in an .npy file as the column `X`, those of a second one, `labels`, as `Y`.

    Numbers of any kind, and text for labels; Python objects are refused. Packed files (.gz, .bz2, .xz, .zst) are
    unpacked. `path` may be a pattern, then `labels` is one that as many files fit. A saved model reads other data
    without labels: to be scored on them, they lie in one .npz with the inputs.
    """

    suffixes = with_packed(".npy")

    def __init__(
        self, path: Path, labels: Path | None = None, *, columns: list[str] | None = None, limit: int | None = None
    ):
        self.labels = None if labels is None else Path(labels)
        super().__init__(path, columns, limit)

    def names_in(self, path: Path) -> Names:
        with opened(path) as file:
            read_header(file, str(path))
        return ("X",) if self.labels is None else ("X", "Y")

    def blocks_in(self, path: Path, room: int | None) -> Iterator[Block]:
        """Blocks of up to 4,096 rows; sizes that do not fit the files or each other are a DataError."""
        labels = dict(zip(self.tables(), self._label_files(), strict=True)) if self.labels is not None else {}
        return first_rows(self._blocks(path, labels.get(path)), room)

    def files(self) -> tuple[Path, ...]:
        return (*self.tables(), *self._label_files())

    def paths(self) -> tuple[Path, ...]:
        return (self.path,) if self.labels is None else (self.path, self.labels)

    @classmethod
    def at(cls, data: Path, **settings: Any) -> Self:
        if settings:
            raise ArgumentError(f"arrays have no settings, got {sorted(settings)}")
        return super().at(data)

    def _label_files(self) -> tuple[Path, ...]:
        if self.labels is None:
            return ()
        inputs, labels = self.tables(), found(self.labels, "labels")
        if len(inputs) != len(labels):
            raise refused("labels", f"expected as many files as of inputs, {len(inputs)}; got {len(labels)}")
        return labels

    def _blocks(self, path: Path, labels: Path | None) -> Iterator[Block]:
        with ExitStack() as stack:
            members = {"X": stack.enter_context(opened_array(path, "path"))}
            if labels is not None:
                members["Y"] = stack.enter_context(opened_array(labels, "labels"))
                if (n := members["X"].n) != members["Y"].n:
                    raise fault(f"{members['Y'].n} rows of labels, but {path} has {n} rows", str(labels))
            step = max(1, min(BLOCK_ROWS, BLOCK_BYTES // max(member.header.row_bytes for member in members.values())))
            for start in range(0, members["X"].n, step):
                rows = min(step, members["X"].n - start)
                columns = {name: as_column(member.read(start, rows)) for name, member in members.items()}
                yield Block(columns, Places(str(path)), start)
            for member in members.values():
                member.check_end()


@contextmanager
def opened_array(path: Path, argument: str) -> Iterator[OpenArray]:
    """The array of a file, whose size was checked against what it declares where the file is not packed."""
    with opened(path, argument) as file:
        header = read_header(file, str(path))
        if not packing(path.name):
            size = os.fstat(file.fileno()).st_size - header.header_bytes
            if size != header.n_bytes:
                declared = f"{header.shape} of {header.dtype} needs {header.n_bytes} bytes"
                raise fault(f"{declared}, got {size}", str(path))
        elif header.fortran:
            raise fault("the array is packed, and in Fortran's order: save np.ascontiguousarray(...) of it", str(path))
        yield OpenArray(file, header, path)


@dataclass(frozen=True)
class OpenArray:
    """An array that is read from the first row on."""

    file: IO[bytes]
    header: Header
    path: Path

    @property
    def n(self) -> int:
        return self.header.shape[0]

    def read(self, start: int, n: int) -> Array:
        """The next `n` rows, the first of them being row `start`."""
        header = self.header
        if header.fortran:
            whole = np.memmap(self.path, header.dtype, "r", header.header_bytes, header.shape, "F")
            return np.ascontiguousarray(whole[start : start + n], header.dtype.newbyteorder("="))
        return header.array(read_exactly(self.file, n * header.row_bytes, self.path), n)

    def check_end(self) -> None:
        if not self.header.fortran and self.file.read(1):
            raise fault("the file goes on after the size it declares", str(self.path))


@dataclass(frozen=True)
class Header:
    """What an array's header declares."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    header_bytes: int

    @property
    def row_bytes(self) -> int:
        return math.prod(self.shape[1:]) * self.dtype.itemsize

    @property
    def n_bytes(self) -> int:
        return self.shape[0] * self.row_bytes

    def array(self, data: bytes, n: int) -> Array:
        """`n` rows from their bytes, in the machine's byte order."""
        rows = np.frombuffer(data, self.dtype)
        rows = rows.reshape((*self.shape[:0:-1], n)).T if self.fortran else rows.reshape(n, *self.shape[1:])
        return np.ascontiguousarray(rows, self.dtype.newbyteorder("="))


def read_header(file: IO[bytes], path: str, name: str = "") -> Header:
    """The header at the beginning of a file; DataError: it is damaged, or declares what are no rows of numbers or text.

    `name` is that of the array in an archive. Nothing of the size that is declared is allocated.
    """
    try:
        version = npy.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"version {version} of the .npy format is for structured arrays")
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read(file)
    except (ValueError, TypeError, SyntaxError, TokenError, RecursionError, MemoryError, OverflowError) as err:
        raise fault(f"the array's header is damaged: {err}", path, name) from err
    if dtype.kind not in "biufU" or dtype.itemsize == 0:
        raise fault(f"expected an array of numbers or text, got {dtype}", path, name)
    if not shape or min(shape) < 1 or math.prod(shape[1:]) * dtype.itemsize > MAX_RECORD:
        raise fault(f"expected rows of 1 byte to {MAX_RECORD >> 20} MiB, got the shape {shape}", path, name)
    return Header(shape, fortran, dtype, file.tell())


def fault(message: str, path: str, name: str = "") -> DataError:
    return DataError(problems=[Problem(message, path, 0, name)])


def as_column(rows: Array) -> Column:
    """Rows as a column has them: texts, one a row, as a list."""
    return [str(value) for value in rows] if rows.dtype.kind == "U" and rows.ndim == 1 else rows
