"""Arrays in numpy's .npz archives, read without pickle."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from trainer_cli.arrays import Array
from trainer_cli.data.block import BLOCK_BYTES, BLOCK_ROWS, Block, Column, Places, listing
from trainer_cli.data.faults import refused, shown
from trainer_cli.data.readers.files import MAX_EXPANSION, MAX_RECORD, only_file, opened_raw
from trainer_cli.errors import ArgumentError, DataError, Problem
from trainer_cli.registry import nearest, registry


@registry.readers("npz.v1")
class NpzReader:
    """Two arrays of an .npz archive, rows on the first axis, as the columns `X` and `Y`.

    The arguments `X` and `Y` are the arrays' names in the archive. Numbers of any kind, and text for labels; Python
    objects are refused. A stack of grey images (B, H, W) of bytes stays as it is: the encoder gives it its channel.
    """

    def __init__(self, path: Path, X: str = "X", Y: str = "Y"):
        self.path = Path(path)
        self.members = {"X": X, "Y": Y}
        for column, name in self.members.items():
            if not isinstance(name, str):
                message = f"expected the name of an array, got {name!r}"
                raise ArgumentError(problems=[Problem(message, where=column)])

    def columns(self) -> tuple[str, ...]:
        return ("X", "Y")

    def blocks(self) -> Iterator[Block]:
        """Blocks of up to 4,096 rows; sizes that do not fit the archive or each other are a DataError."""
        with self._archive() as archive:
            members = {column: self._member(archive, column, name) for column, name in self.members.items()}
            counts = {member.shape[0] for member in members.values()}
            if len(counts) != 1:
                sizes = ", ".join(f"{self.members[name]} has {member.shape[0]}" for name, member in members.items())
                raise self._fault(f"the arrays must have the same number of rows: {sizes}")
            n = counts.pop()
            step = max(1, min(BLOCK_ROWS, BLOCK_BYTES // max(member.row_bytes for member in members.values())))
            streams = {column: self._rows(archive, member, step) for column, member in members.items()}
            for start in range(0, n, step):
                columns: dict[str, Column] = {column: next(stream) for column, stream in streams.items()}
                yield Block(columns, Places(str(self.path)), start)
            for stream in streams.values():
                assert next(stream, None) is None

    def files(self) -> tuple[Path, ...]:
        return (self.path,)

    def settings(self) -> dict[str, Any]:
        return dict(self.members)

    @classmethod
    def at(cls, data: Path, **settings: Any) -> NpzReader:
        return cls(only_file(data, (".npz",)) if data.is_dir() else data, **settings)

    @contextmanager
    def _archive(self) -> Iterator[zipfile.ZipFile]:
        damage = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OverflowError)
        with opened_raw(self.path) as file:
            try:
                with zipfile.ZipFile(file) as archive:
                    yield archive
            except DataError:
                raise
            except damage as err:
                raise self._fault(f"the archive is damaged or no .npz: {err}") from err

    def _member(self, archive: zipfile.ZipFile, column: str, name: str) -> Member:
        names = [entry.removesuffix(".npy") for entry in archive.namelist()]
        if names.count(name) > 1:
            raise refused(column, f"expected one array called {shown(name)}, the archive has {names.count(name)}")
        if name not in names:
            held = f"{self.path} holds {listing(names) or 'none'}"
            raise refused(column, f"no array is called {shown(name)}.{nearest(name, names)} The archive {held}")
        info = archive.infolist()[names.index(name)]
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
            raise self._fault("the array is encrypted or packed as numpy never does", name)
        with archive.open(info) as file:
            shape, fortran, dtype = self._npy_header(file, name)
            header_bytes = file.tell()
        member = Member(name, info, shape, fortran, dtype, header_bytes)
        declared = math.prod(shape) * dtype.itemsize
        if declared != info.file_size - header_bytes:
            raise self._fault(f"{shape} of {dtype} needs {declared} bytes, got {info.file_size - header_bytes}", name)
        if info.file_size > info.compress_size * MAX_EXPANSION:
            raise self._fault(f"{info.file_size} bytes cannot come from {info.compress_size}", name)
        return member

    def _npy_header(self, file: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
        try:
            version = npy.read_magic(file)
            if version not in ((1, 0), (2, 0)):
                raise ValueError(f"version {version} of the .npy format is for structured arrays")
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, fortran, dtype = read(file)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError, OverflowError) as err:
            raise self._fault(f"the array's header is damaged: {err}", name) from err
        if dtype.kind not in "biufU" or dtype.itemsize == 0:
            raise self._fault(f"expected an array of numbers or text, got {dtype}", name)
        if not shape or min(shape) < 1 or math.prod(shape[1:]) * dtype.itemsize > MAX_RECORD:
            raise self._fault(f"expected rows of 1 byte to {MAX_RECORD >> 20} MiB, got the shape {shape}", name)
        return shape, fortran, dtype

    def _rows(self, archive: zipfile.ZipFile, member: Member, step: int) -> Iterator[Column]:
        with archive.open(member.info) as file:
            file.read(member.header_bytes)
            whole = member.array(file.read(), member.shape[0]) if member.fortran else None
            for start in range(0, member.shape[0], step):
                n = min(step, member.shape[0] - start)
                if whole is None:
                    yield _column(member.array(file.read(n * member.row_bytes), n))
                else:
                    yield _column(whole[start : start + n])

    def _fault(self, message: str, where: str = "") -> DataError:
        return DataError(problems=[Problem(message, str(self.path), 0, where)])


@dataclass(frozen=True)
class Member:
    """One array of an archive: what its header declares."""

    name: str
    info: zipfile.ZipInfo
    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    header_bytes: int

    @property
    def row_bytes(self) -> int:
        return math.prod(self.shape[1:]) * self.dtype.itemsize

    def array(self, data: bytes, n: int) -> Array:
        """`n` rows from their bytes, in the machine's byte order."""
        rows = np.frombuffer(data, self.dtype)
        rows = rows.reshape((*self.shape[:0:-1], n)).T if self.fortran else rows.reshape(n, *self.shape[1:])
        return np.ascontiguousarray(rows, self.dtype.newbyteorder("="))


def _column(rows: Array) -> Column:
    return [str(value) for value in rows] if rows.dtype.kind == "U" and rows.ndim == 1 else rows
