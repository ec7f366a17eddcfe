"""Arrays in numpy's .npz archives, read without pickle."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trainer_cli.data.block import BLOCK_BYTES, BLOCK_ROWS, Block, Column, Places, listing
from trainer_cli.data.faults import refused, shown
from trainer_cli.data.readers.files import MAX_EXPANSION, opened_raw
from trainer_cli.data.readers.fileset import FileSet, Names, first_rows
from trainer_cli.data.readers.npy import Header, as_column, fault, read_header
from trainer_cli.errors import ArgumentError, DataError, Problem
from trainer_cli.registry import closest, registry


@registry.readers("npz.v1")
class NpzReader(FileSet):
    """Two arrays of an .npz archive, rows on the first axis, as the columns `X` and `Y`.

    The arguments `X` and `Y` are the arrays' names in the archive. Numbers of any kind, and text for labels; Python
    objects are refused. A stack of grey images (B, H, W) of bytes stays as it is: the encoder gives it its channel.
    `path` may be a pattern; `columns` and `limit` choose columns and the first rows.
    """

    suffixes = (".npz",)

    def __init__(
        self,
        path: Path,
        X: str = "X",
        Y: str = "Y",
        *,
        columns: list[str] | None = None,
        limit: int | None = None,
    ):
        self.members = {"X": X, "Y": Y}
        super().__init__(path, columns, limit, **self.members)
        for column, name in self.members.items():
            if not isinstance(name, str):
                message = f"expected the name of an array, got {name!r}"
                raise ArgumentError(problems=[Problem(message, where=column)])

    def names_in(self, path: Path) -> Names:
        return ("X", "Y")

    def blocks_in(self, path: Path, room: int | None) -> Iterator[Block]:
        """Blocks of up to 4,096 rows; sizes that do not fit the archive or each other are a DataError."""
        return first_rows(self._blocks(path), room)

    def _blocks(self, path: Path) -> Iterator[Block]:
        with opened_archive(path) as archive:
            taken = self.members.values()
            members = {column: member_of(archive, path, column, name, taken) for column, name in self.members.items()}
            counts = {member.header.shape[0] for member in members.values()}
            if len(counts) != 1:
                sizes = ", ".join(f"{self.members[k]} has {member.header.shape[0]}" for k, member in members.items())
                raise fault(f"the arrays must have the same number of rows: {sizes}", str(path))
            n = counts.pop()
            step = max(1, min(BLOCK_ROWS, BLOCK_BYTES // max(member.header.row_bytes for member in members.values())))
            streams = {column: rows_of(archive, member, step) for column, member in members.items()}
            for start in range(0, n, step):
                columns: dict[str, Column] = {column: next(stream) for column, stream in streams.items()}
                yield Block(columns, Places(str(path)), start)
            for stream in streams.values():
                assert next(stream, None) is None


@dataclass(frozen=True)
class Member:
    """One array of an archive: what its header declares."""

    info: zipfile.ZipInfo
    header: Header


@contextmanager
def opened_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    damage = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OverflowError)
    with opened_raw(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                yield archive
        except DataError:
            raise
        except damage as err:
            raise fault(f"the archive is damaged or no .npz: {err}", str(path)) from err


def member_of(archive: zipfile.ZipFile, path: Path, column: str, name: str, others: Collection[str] = ()) -> Member:
    """The array that an argument names; DataError: it is not there, or its header does not fit its bytes.

    `others` are the arrays that other arguments name."""
    names = [entry.removesuffix(".npy") for entry in archive.namelist()]
    if names.count(name) > 1:
        raise refused(column, f"expected one array called {shown(name)}, the archive has {names.count(name)}")
    if name not in names:
        held = f"{path} holds {listing(names) or 'none'}"
        # With the key as it is written: from "Did you mean x?" it would be written as an argument x.
        free = [each for each in names if each not in others] or names
        remedy = f"; say which is meant, as {column} = {shown(closest(name, free) or free[0])} does" if names else ""
        raise refused(column, f"no array is called {shown(name)}{remedy}. The archive {held}")
    info = archive.infolist()[names.index(name)]
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
        raise fault("the array is encrypted or packed as numpy never does", str(path), name)
    with archive.open(info) as file:
        header = read_header(file, str(path), name)
    size = info.file_size - header.header_bytes
    if header.n_bytes != size:
        message = f"{header.shape} of {header.dtype} needs {header.n_bytes} bytes, got {size}"
        raise fault(message, str(path), name)
    if info.file_size > info.compress_size * MAX_EXPANSION:
        raise fault(f"{info.file_size} bytes cannot come from {info.compress_size}", str(path), name)
    return Member(info, header)


def rows_of(archive: zipfile.ZipFile, member: Member, step: int) -> Iterator[Column]:
    """The rows of an array, `step` at a time; one in Fortran's order has to be held whole."""
    header = member.header
    with archive.open(member.info) as file:
        file.read(header.header_bytes)
        whole = header.array(file.read(), header.shape[0]) if header.fortran else None
        for start in range(0, header.shape[0], step):
            n = min(step, header.shape[0] - start)
            if whole is None:
                yield as_column(header.array(file.read(n * header.row_bytes), n))
            else:
                yield as_column(whole[start : start + n])
