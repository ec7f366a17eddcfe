"""Unpacking compressed files: by their names, a little at a time, and strictly."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from pathlib import PurePath
from typing import IO, Any, Protocol, cast

from trainer_cli.extras import required

# What the end of a name says of how a file is packed.
PACKED = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstandard"}

# How the content of each begins.
MAGIC = {".gz": b"\x1f\x8b", ".bz2": b"BZh", ".xz": b"\xfd7zXZ\0", ".zst": b"\x28\xb5\x2f\xfd"}

CHUNK = 1 << 16
# The most that is unpacked at once is a multiple of this: a block of zstandard takes 4 bytes and gives up to 128 KiB.
PIECE = 256
# More memory than this no honest packer asks of whoever unpacks (xz -9 takes 65 MiB).
MAX_MEMORY = 1 << 28


class DamagedStreamError(Exception):
    """A packed file is damaged or cut off."""


class Decompressor(Protocol):
    """One packed stream, as the standard library has them."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes | memoryview: ...


def packing(name: str) -> str:
    """The ending that says how a file is packed, or an empty text.

    >>> packing("a.csv.GZ"), packing("a.csv")
    ('.gz', '')
    """
    suffix = PurePath(name).suffix.lower()
    return suffix if suffix in PACKED else ""


def packing_of(data: bytes) -> str:
    """The ending that a packed file's name would have, by its first bytes, or an empty text.

    >>> packing_of(gzip.compress(b"a")), packing_of(b"a,b")
    ('.gz', '')
    """
    return next((suffix for suffix, magic in MAGIC.items() if data.startswith(magic)), "")


def plain(name: str) -> str:
    """A name without the ending that says how the file is packed, in small letters.

    >>> plain("A.csv.gz")
    'a.csv'
    """
    return name.lower().removesuffix(packing(name))


def with_packed(*suffixes: str) -> tuple[str, ...]:
    """Ends of names, each also with the endings of packed files.

    >>> with_packed(".csv")
    ('.csv', '.csv.gz', '.csv.bz2', '.csv.xz', '.csv.zst')
    """
    return tuple(suffix + packed for suffix in suffixes for packed in ("", *PACKED))


@contextmanager
def unpacked(raw: BufferedReader, suffix: str) -> Iterator[IO[bytes]]:
    """The content of a packed file; DamagedStreamError where it is none, or damaged, or ends too early."""
    damage = (gzip.BadGzipFile, EOFError, zlib.error, DamagedStreamError)
    try:
        if suffix == ".gz":
            with gzip.GzipFile(fileobj=raw) as file:
                yield cast(IO[bytes], file)
        else:
            yield BufferedReader(Unpacked(raw, starter(suffix)), CHUNK)
    except damage as err:
        raise DamagedStreamError(f"the {PACKED[suffix]} stream is damaged or cut off: {err}") from err


def starter(suffix: str) -> Callable[[], Decompressor]:
    """What begins a stream of a kind."""
    if suffix == ".zst":
        zstandard = required("zstandard", "a file that ends in .zst")
        return lambda: Zstandard(zstandard)
    # Some builds of Python lack one or the other.
    module = required({".bz2": "bz2", ".xz": "lzma"}[suffix], f"a file that ends in {suffix}")
    if suffix == ".bz2":
        return cast(Callable[[], Decompressor], module.BZ2Decompressor)
    return lambda: cast(Decompressor, module.LZMADecompressor(module.FORMAT_XZ, MAX_MEMORY))


class Unpacked(RawIOBase):
    """The content of a file of streams one after another; what comes after one must be another."""

    def __init__(self, raw: BufferedReader, start: Callable[[], Decompressor]):
        self.raw = raw
        self.start = start
        self.stream = start()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._next(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _next(self, n: int) -> bytes | memoryview:
        while True:
            given = b""
            if self.stream.eof:
                # The format xz lets zeros stand between streams.
                given = self.stream.unused_data.lstrip(b"\0") or self.raw.read(CHUNK).lstrip(b"\0")
                if not given:
                    return b""
                self.stream = self.start()
            elif self.stream.needs_input:
                given = self.raw.read(CHUNK)
                if not given:
                    raise DamagedStreamError("it ends too early")
            if data := self._decompress(given, n):
                return data

    def _decompress(self, data: bytes, n: int) -> bytes | memoryview:
        try:
            return self.stream.decompress(data, n)
        except Exception as err:  # lzma has a class of its own
            raise DamagedStreamError(str(err)) from err


class Zstandard:
    """A stream of zstandard (RFC 8878), which has no bound of its own on what it gives at once."""

    needs_input = True

    def __init__(self, zstandard: Any):
        self._error = zstandard.ZstdError
        self._object = zstandard.ZstdDecompressor().decompressobj()
        self._given = b""
        self._found = memoryview(b"")  # of which parts are given without copying the rest

    @property
    def eof(self) -> bool:
        return bool(self._object.eof) and not self._found

    @property
    def unused_data(self) -> bytes:
        return bytes(self._object.unused_data) + self._given

    def decompress(self, data: bytes, max_length: int = -1) -> bytes | memoryview:
        self._given += data
        while not self._found and self._given and not self._object.eof:
            piece, self._given = self._given[:PIECE], self._given[PIECE:]
            try:
                self._found = memoryview(self._object.decompress(piece))
            except self._error as err:
                raise DamagedStreamError(str(err)) from err
        found, self._found = self._found[:max_length], self._found[max_length:]
        self.needs_input = not self._found and not self._given
        return found
