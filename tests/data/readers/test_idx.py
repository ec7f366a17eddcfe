from __future__ import annotations

import gzip
import lzma
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli.data.readers import idx as idx_module
from trainer_cli.data.readers.idx import IdxReader
from trainer_cli.errors import DataError

IMAGES = np.arange(5 * 2 * 3, dtype=np.uint8).reshape(5, 2, 3)
LABELS = np.array([3, 1, 4, 1, 5], np.uint8)


def fails(reader: IdxReader) -> str:
    with pytest.raises(DataError) as caught:
        list(reader.blocks())
    return str(caught.value)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_images_get_a_channel_and_labels_are_numbers(write_idx, suffix):
    images, labels = write_idx(IMAGES, LABELS, suffix)
    reader = IdxReader(images, labels)
    for _ in range(2):
        (block,) = reader.blocks()
        np.testing.assert_array_equal(block.columns["image"], IMAGES[..., None])
        np.testing.assert_array_equal(block.columns["label"], LABELS)
    assert reader.columns() == tuple(block.columns) == ("image", "label")
    assert block.place(3) == (str(images), 0)
    assert str(block.problem(3, "label", "odd")) == f"{images}: label[3]: odd"


def test_colour_images_keep_their_channels(write_idx):
    colour = np.zeros((2, 4, 4, 3))
    (block,) = IdxReader(*write_idx(colour, LABELS[:2])).blocks()
    assert block.columns["image"].shape == (2, 4, 4, 3)


def test_rows_come_in_blocks_in_order(write_idx):
    images = np.arange(5000, dtype=np.uint16).view(np.uint8).reshape(5000, 2, 1)
    blocks = list(IdxReader(*write_idx(images, np.zeros(5000))).blocks())
    assert [(block.start, len(block)) for block in blocks] == [(0, 4096), (4096, 904)]
    np.testing.assert_array_equal(np.concatenate([b.columns["image"] for b in blocks])[..., 0], images)


HEADER = struct.pack(">4I", 0x803, 5, 2, 3)
WRONG = [
    (b"", "the file is cut off: 4 bytes are missing"),
    (HEADER[:9], "the file is cut off: 7 bytes are missing"),
    (b"\x89PNG" + HEADER, "an idx file of images begins with 0x00000803 or 0x00000804, got 0x89504e47"),
    (struct.pack(">2I", 0x801, 5), "an idx file of images begins with 0x00000803 or 0x00000804, got 0x00000801"),
    (struct.pack(">4I", 0x803, 0, 2, 3), "the file declares no images"),
    (struct.pack(">4I", 0x803, 5, 0, 3), "images of size (0, 3); expected 1 byte to 16 MiB each"),
    (struct.pack(">4I", 0x803, 5, 2**31, 2**31), f"images of size ({2**31}, {2**31}); expected 1 byte to 16 MiB each"),
    (HEADER + bytes(29), "the file declares 30 bytes of images, more than its 45 bytes can hold"),
    (HEADER + bytes(31), "the file goes on after the size it declares"),
]


@pytest.mark.parametrize(("content", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_is_wrong_is_told_with_the_file(write_idx, content, message):
    images, labels = write_idx(IMAGES, LABELS)
    images.write_bytes(content)
    assert fails(IdxReader(images, labels)) == f"{images}: {message}"


def test_a_gzip_stream_is_checked_against_what_it_declares(write_idx):
    images, labels = write_idx(IMAGES, LABELS, ".gz")
    images.write_bytes(gzip.compress(HEADER + bytes(29)))
    assert fails(IdxReader(images, labels)) == f"{images}: the file is cut off: 1 bytes are missing"
    images.write_bytes(gzip.compress(HEADER + bytes(31)))
    assert fails(IdxReader(images, labels)) == f"{images}: the file goes on after the size it declares"


def test_images_and_labels_must_be_as_many(write_idx):
    images, labels = write_idx(IMAGES, LABELS[:4])
    assert fails(IdxReader(images, labels)) == f"{labels}: 4 labels, but {images} has 5 images"


def test_a_missing_file_names_its_argument(write_idx, tmp_path):
    images, labels = write_idx(IMAGES, LABELS)
    assert fails(IdxReader(tmp_path / "no", labels)) == f"images: no file is there: {tmp_path / 'no'}"
    assert fails(IdxReader(images, tmp_path / "no")) == f"labels: no file is there: {tmp_path / 'no'}"


def assert_a_bomb_is_cheap(write_idx) -> None:
    """A file that says it holds 80 MiB is refused before anything of that size exists."""
    images, labels = write_idx(IMAGES, LABELS, ".gz")
    images.write_bytes(gzip.compress(struct.pack(">4I", 0x803, 5, 1 << 12, 1 << 12) + bytes(100)))
    tracemalloc.start()
    message = fails(IdxReader(images, labels))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "can hold" in message
    assert peak < 1 << 20


def test_declared_sizes_are_checked_before_memory_is_taken(write_idx):
    assert_a_bomb_is_cheap(write_idx)


def test_a_reader_that_believes_the_header_would_be_noticed(write_idx, monkeypatch):
    monkeypatch.setattr(idx_module, "MAX_EXPANSION", 1 << 40)
    with pytest.raises(AssertionError):
        assert_a_bomb_is_cheap(write_idx)


@given(data=st.data())
def test_any_change_of_a_few_bytes_is_read_or_refused_in_one_way(write_idx, data):
    images, labels = write_idx(IMAGES, LABELS, data.draw(st.sampled_from(["", ".gz"])))
    path = data.draw(st.sampled_from([images, labels]))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        list(IdxReader(images, labels).blocks())
    except DataError as err:
        refusal = err
    else:
        return
    assert all(problem.path for problem in refusal.problems)


def test_at_finds_the_labels_beside_the_images(write_idx, tmp_path):
    for prefix, suffix in (("train", ".gz"), ("t10k", "")):
        images, labels = write_idx(IMAGES, LABELS, suffix, prefix)
        assert IdxReader.at(images).files() == (images, labels)
    assert IdxReader.at(tmp_path).files() == (images, labels), "of two pairs a directory gives the test set"
    images.unlink()
    assert IdxReader.at(tmp_path).files()[0].name == "train-images-idx3-ubyte.gz"
    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match="the labels are expected beside it"):
        IdxReader.at(tmp_path)


def test_at_says_what_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"expected one file \*images\*idx3\* in .*, found none"):
        IdxReader.at(tmp_path)
    with pytest.raises(DataError, match="images: no file is there"):
        IdxReader.at(Path("nowhere/train-images-idx3-ubyte"))


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_memory_does_not_grow_with_the_file(write_idx, assert_streams, suffix):
    assert_streams(lambda n: IdxReader(*write_idx(np.ones((n, 8, 8)), np.zeros(n), suffix)))


def test_limit_and_columns_choose(write_idx):
    (block,) = IdxReader(*write_idx(IMAGES, LABELS), limit=2, columns=["label"]).blocks()
    assert {name: values.tolist() for name, values in block.columns.items()} == {"label": [3, 1]}


def test_images_packed_in_other_ways_are_read(write_idx):
    images, labels = write_idx(IMAGES, LABELS)
    packed = images.with_name(images.name + ".xz")
    packed.write_bytes(lzma.compress(images.read_bytes()))
    images.unlink()
    reader = IdxReader.at(packed)
    np.testing.assert_array_equal(next(reader.blocks()).columns["image"], IMAGES[..., None])
    assert reader.files() == (packed, labels)


def test_standard_input_is_refused(write_idx):
    assert fails(IdxReader(Path("-"), Path("-"))) == "images: this reader takes a file, not standard input"
