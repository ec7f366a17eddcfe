from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import tracemalloc

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli.data.readers.csv import CSVReader
from trainer_cli.data.readers.files import opened
from trainer_cli.errors import ArgumentError, DataError

PACKERS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstandard.compress}
TEXT = b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(3000))

every_kind = pytest.mark.parametrize("suffix", PACKERS)


def read(path):
    with opened(path) as file:
        return file.read()


@every_kind
def test_a_packed_file_has_the_rows_of_the_plain_one(write, suffix):
    plain, packed = CSVReader(write(TEXT)), CSVReader(write(PACKERS[suffix](TEXT), "data.csv" + suffix))
    for _ in range(2):
        assert [block.columns for block in plain.blocks()] == [block.columns for block in packed.blocks()]
    assert next(packed.blocks()).place(5) == (str(packed.path), 7)


@every_kind
@given(parts=st.lists(st.binary(max_size=300), min_size=1, max_size=4))
def test_streams_one_after_another_are_one_file(write, suffix, parts):
    assert read(write(b"".join(map(PACKERS[suffix], parts)), f"x{suffix}")) == b"".join(parts)


@every_kind
@pytest.mark.parametrize("damage", ["cut", "half", "plain", "tail", "flip"])
def test_a_damaged_stream_is_told_with_its_file(write, suffix, damage):
    packer = PACKERS[suffix] if suffix != ".zst" else zstandard.ZstdCompressor(write_checksum=True).compress
    packed = bytearray(packer(TEXT))
    if damage == "cut":
        del packed[-6:]
    elif damage == "half":
        del packed[len(packed) // 2 :]
    elif damage == "plain":
        packed = bytearray(TEXT)
    elif damage == "tail":
        packed += b"more"
    else:
        packed[len(packed) // 2] ^= 255
    path = write(bytes(packed), f"data.csv{suffix}")
    with pytest.raises(DataError, match="stream is damaged or cut off") as caught:
        list(CSVReader(path).blocks())
    assert str(caught.value).startswith(f"{path}: the ")


@pytest.mark.parametrize("suffix", [".bz2", ".xz", ".zst"])
def test_an_empty_file_is_no_packed_one(write, suffix):
    with pytest.raises(DataError, match="it ends too early"):
        read(write(b"", f"data.csv{suffix}"))


@every_kind
def test_what_unpacks_to_very_much_takes_little_memory(write, suffix):
    path = write(PACKERS[suffix](b"a\n" + bytes(1 << 27)), f"data.csv{suffix}")
    tracemalloc.start()
    with pytest.raises(DataError, match="the line is longer than 4 MiB"):
        list(CSVReader(path).blocks())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 25


def test_a_missing_package_names_its_extra(write, monkeypatch):
    path = write(zstandard.compress(TEXT), "data.csv.zst")
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(ArgumentError, match=r"a file that ends in \.zst needs zstandard.*trainer-cli\[zst\]'$"):
        list(CSVReader(path).blocks())


@pytest.mark.parametrize(("suffix", "module"), [(".xz", "lzma"), (".bz2", "bz2")])
def test_a_python_without_a_packer_says_so(write, monkeypatch, suffix, module):
    path = write(PACKERS[suffix](TEXT), f"data.csv{suffix}")
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        ArgumentError, match=rf"a file that ends in \{suffix} needs {module}, which this Python was built"
    ):
        list(CSVReader(path).blocks())
