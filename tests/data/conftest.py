"""What the tests of data share: files and blocks made in a line."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from trainer_cli.arrays import Array
from trainer_cli.data.block import Block, Column, Places
from trainer_cli.data.reader import Reader

WriteFile = Callable[..., Path]
MakeBlock = Callable[..., Block]


@pytest.fixture
def write(tmp_path: Path) -> WriteFile:
    """Write a file from text or bytes and return its path."""

    def write_file(content: str | bytes, name: str = "data.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


@pytest.fixture
def block() -> MakeBlock:
    """A block of the file data.csv whose rows begin at line 2, from named columns."""

    def make(lines: bool = True, **columns: Column) -> Block:
        n = len(next(iter(columns.values())))
        return Block(columns, Places("data.csv" if lines else "data.npz", range(2, 2 + n) if lines else None))

    return make


@pytest.fixture
def assert_streams() -> Callable[..., None]:
    """Assert that the memory for reading what `build(n)` reads, `n` rows of it, does not grow with `n`."""

    def peak(reader: Reader, n: int) -> int:
        tracemalloc.start()
        assert sum(map(len, reader.blocks())) == n
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    def check(build: Callable[[int], Reader], few: int = 8_500, many: int = 20_000) -> None:
        peak(build(few), few)  # the first run pays for what Python keeps for itself
        assert peak(build(many), many) < 1.25 * peak(build(few), few)

    return check


@pytest.fixture
def write_idx(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    """Write images and labels in the idx format, packed where `suffix` is .gz."""

    def write_files(images: Array, labels: Array, suffix: str = "", prefix: str = "train") -> tuple[Path, Path]:
        paths = []
        for array, kind in ((images, "images-idx3"), (labels, "labels-idx1")):
            header = struct.pack(f">I{array.ndim}I", 0x800 + array.ndim, *array.shape)
            content = header + array.astype(np.uint8).tobytes()
            path = tmp_path / f"{prefix}-{kind}-ubyte{suffix}"
            path.write_bytes(gzip.compress(content, mtime=0) if suffix == ".gz" else content)
            paths.append(path)
        return paths[0], paths[1]

    return write_files
