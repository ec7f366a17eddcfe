"""The idx format of MNIST: images and labels as bytes."""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Self

import numpy as np

from trainer_cli.data.block import BLOCK_BYTES, BLOCK_ROWS, Block, Places
from trainer_cli.data.faults import refused
from trainer_cli.data.readers.files import MAX_EXPANSION, MAX_RECORD, STDIN, opened, opened_raw, read_exactly
from trainer_cli.data.readers.fileset import FileSet, Names, first_rows
from trainer_cli.data.readers.unpack import PACKED, packing
from trainer_cli.errors import DataError, Problem
from trainer_cli.registry import registry


@registry.readers("idx.v1")
class IdxReader(FileSet):
    """Images and labels from two idx files: columns `image`, (B, H, W, C) bytes, grey ones with C = 1, and `label`.

    The format (LeCun, Cortes and Burges, *The MNIST database*, 1998): two zero bytes, the type (8: bytes), the number
    of dimensions, each dimension as four bytes, big end first, then the values. Packed files (.gz, .bz2, .xz, .zst) are
    unpacked. `columns` and `limit` choose columns and the first rows.
    """

    def __init__(self, images: Path, labels: Path, *, columns: list[str] | None = None, limit: int | None = None):
        self.images = Path(images)
        self.labels = Path(labels)
        super().__init__(images, columns, limit)

    def names_in(self, path: Path) -> Names:
        return ("image", "label")

    def blocks_in(self, path: Path, room: int | None) -> Iterator[Block]:
        """Blocks of up to 4,096 rows; sizes that do not fit the files or each other are a DataError."""
        return first_rows(self._blocks(), room)

    def _blocks(self) -> Iterator[Block]:
        with opened(self.images, "images") as image_file, opened(self.labels, "labels") as label_file:
            shape = _read_shape(image_file, self.images, "images", (3, 4))
            (n_labels,) = _read_shape(label_file, self.labels, "labels", (1,))
            n, shape = shape[0], (*shape[1:], 1)[:3]
            if n != n_labels:
                raise _fault(self.labels, f"{n_labels} labels, but {self.images} has {n} images")
            row_bytes = math.prod(shape)
            step = max(1, min(BLOCK_ROWS, BLOCK_BYTES // row_bytes))
            for start in range(0, n, step):
                rows = min(step, n - start)
                images = np.frombuffer(read_exactly(image_file, rows * row_bytes, self.images), np.uint8)
                labels = np.frombuffer(read_exactly(label_file, rows, self.labels), np.uint8)
                columns = {"image": images.reshape(rows, *shape), "label": labels}
                yield Block(columns, Places(str(self.images)), start)
            _expect_end(image_file, self.images)
            _expect_end(label_file, self.labels)

    def tables(self) -> tuple[Path, ...]:
        if str(self.images) == STDIN:
            raise refused("images", "this reader takes a file, not standard input")
        return (self.images,)

    def files(self) -> tuple[Path, ...]:
        return (self.images, self.labels)

    def paths(self) -> tuple[Path, ...]:
        return self.files()

    @classmethod
    def at(cls, data: Path, **settings: Any) -> Self:
        """A file of images with its labels beside it, or a directory with both (of several, the test set t10k-*).

        The labels' name is the images' with `labels` for `images` and `idx1` for `idx3`, packed or not.
        """
        images = _images_in(data) if data.is_dir() else data
        if not images.exists():
            raise refused("images", f"no file is there: {images}")
        unpacked = images.name.removesuffix(packing(images.name))
        name = unpacked.replace("images", "labels").replace("idx3", "idx1")
        found = [path for suffix in ("", *PACKED) if (path := images.with_name(name + suffix)).exists()]
        if not found or name == unpacked:
            raise refused(
                "images", f"{images}: the labels are expected beside it, as {images.with_name(name)} or with .gz"
            )
        return cls(images, found[0], **settings)


def _images_in(directory: Path) -> Path:
    found = sorted(directory.glob("*images*idx3*"))
    tests = [path for path in found if path.name.startswith("t10k")]
    chosen = found if len(found) == 1 else tests
    if len(chosen) != 1:
        names = ", ".join(path.name for path in found[:5]) or "none"
        raise refused("images", f"expected one file *images*idx3* in {directory}, found {names}. Name the file itself")
    return chosen[0]


def _read_shape(file: IO[bytes], path: Path, what: str, n_dims: tuple[int, ...]) -> tuple[int, ...]:
    zeros, kind, n = struct.unpack(">HBB", read_exactly(file, 4, path))
    if zeros or kind != 8 or n not in n_dims:
        magic = zeros << 16 | kind << 8 | n
        expected = " or ".join(f"0x{0x800 + dims:08x}" for dims in n_dims)
        raise _fault(path, f"an idx file of {what} begins with {expected}, got 0x{magic:08x}")
    shape: tuple[int, ...] = struct.unpack(f">{n}I", read_exactly(file, 4 * n, path))
    if shape[0] == 0:
        raise _fault(path, f"the file declares no {what}")
    if 0 in shape or math.prod(shape[1:]) > MAX_RECORD:
        raise _fault(path, f"{what} of size {shape[1:]}; expected 1 byte to {MAX_RECORD >> 20} MiB each")
    declared = math.prod(shape)
    with opened_raw(path) as raw:
        size = os.fstat(raw.fileno()).st_size
    # Before anything is read: a plain file shows its size, a gzip stream the most it can unpack to.
    packed = packing(path.name)
    room = size - 4 - 4 * n if not packed else size * MAX_EXPANSION if packed == ".gz" else declared
    if declared > room:
        raise _fault(path, f"the file declares {declared} bytes of {what}, more than its {size} bytes can hold")
    return shape


def _expect_end(file: IO[bytes], path: Path) -> None:
    if file.read(1):
        raise _fault(path, "the file goes on after the size it declares")


def _fault(path: Path, message: str) -> DataError:
    return DataError(problems=[Problem(message, str(path))])
