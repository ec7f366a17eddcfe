from __future__ import annotations

import io
import json
import os
import struct
import sys
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from trainer_cli.data.fingerprint import fingerprint
from trainer_cli.data.reader import rebuild
from trainer_cli.data.readers import images as images_module
from trainer_cli.data.readers.auto import AutoReader
from trainer_cli.data.readers.images import ImagesReader
from trainer_cli.errors import ArgumentError, DataError

COLOUR = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
GREY = np.arange(4 * 6, dtype=np.uint8).reshape(4, 6)


@pytest.fixture
def save(tmp_path):
    """Write an image under a name and return its path."""

    def save_file(name: str, pixels: np.ndarray = COLOUR, **options: object) -> Path:
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path, **options)
        return path

    return save_file


def fails(path: Path, **arguments) -> str:
    with pytest.raises(DataError) as caught:
        list(ImagesReader(path, **arguments).blocks())
    return str(caught.value)


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """A grey PNG that declares a size, whatever its data."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def test_a_sub_folder_is_a_class_and_a_row_stands_in_its_file(save, tmp_path):
    paths = [save("dog/b.png", COLOUR + 1), save("dog/a.bmp"), save("cat/x.png", COLOUR + 2)]
    save("cat/.hidden.png")
    (tmp_path / "data" / "cat" / "notes.txt").touch()
    reader = ImagesReader(tmp_path / "data")
    (block,) = reader.blocks()
    np.testing.assert_array_equal(block.columns["image"], [COLOUR + 2, COLOUR, COLOUR + 1])
    assert block.columns["label"] == ["cat", "dog", "dog"]
    assert block.columns["path"] == [str(path) for path in reversed(paths)]
    assert reader.columns() == tuple(block.columns) == ("image", "label", "path")
    assert block.place(2) == (str(paths[0]), 0)
    assert str(block.problem(2, "image", "odd")) == f"{paths[0]}: image: odd"
    assert reader.files() == tuple(reversed(paths))


def test_images_without_classes_are_read_for_prediction(save, tmp_path):
    one = save("1.png")
    save("2.png", COLOUR + 1)
    for path, n in ((tmp_path / "data", 2), (one, 1), (tmp_path / "data" / "*.png", 2)):
        reader = ImagesReader(path)
        (block,) = reader.blocks()
        assert (len(block), reader.columns()) == (n, ("image", "path"))


def test_the_first_image_settles_the_mode(save, tmp_path):
    save("1.png", GREY)
    save("2.png", COLOUR)
    folder = tmp_path / "data"
    (block,) = ImagesReader(folder).blocks()
    assert block.columns["image"].shape == (2, 4, 6, 1)
    np.testing.assert_array_equal(block.columns["image"][0, ..., 0], GREY)
    (block,) = ImagesReader(folder, mode="RGB").blocks()
    assert block.columns["image"].shape == (2, 4, 6, 3)
    assert ImagesReader(folder).settings() == {"size": [4, 6], "mode": "L"}


def test_a_model_reads_other_images_as_the_training_images_were(save, tmp_path):
    save("a/1.png", GREY)
    other = save("../other.png", np.zeros((9, 9, 3), np.uint8))
    settings = json.loads(json.dumps(ImagesReader(tmp_path / "data", size=[4, 6], limit=1).settings()))
    (block,) = rebuild("images.v1", settings, other).blocks()
    assert block.columns["image"].shape == (1, 4, 6, 1)


def test_a_model_brings_other_images_to_the_size_that_training_found(save, tmp_path):
    save("a/1.png", GREY)
    other = save("../other.png", np.zeros((30, 40, 3), np.uint8))
    for name, reader in (("images.v1", ImagesReader(tmp_path / "data")), ("auto.v1", AutoReader(tmp_path / "data"))):
        (block,) = rebuild(name, json.loads(json.dumps(reader.settings())), other).blocks()
        assert block.columns["image"].shape == (1, 4, 6, 1)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_size_is_that_of_the_photograph_as_it_was_held(save, tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    save("1.jpg", COLOUR, exif=exif)
    reader = ImagesReader(tmp_path / "data")
    (block,) = reader.blocks()
    assert reader.settings()["size"] == list(block.columns["image"].shape[1:3])


def test_size_brings_images_to_one_and_keeps_flat_ones_flat(save, tmp_path):
    save("1.png", np.full((10, 20, 3), 7, np.uint8))
    save("2.png", np.full((5, 3, 3), 9, np.uint8))
    (block,) = ImagesReader(tmp_path / "data", size=[4, 6]).blocks()
    assert block.columns["image"].shape == (2, 4, 6, 3)
    assert [np.unique(image).tolist() for image in block.columns["image"]] == [[7], [9]]


def test_photographs_stand_as_they_were_held(save, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    save("1.png", COLOUR, exif=exif)
    (block,) = ImagesReader(tmp_path / "data").blocks()
    np.testing.assert_array_equal(block.columns["image"][0], np.rot90(COLOUR, -1))


@pytest.mark.parametrize("kind", ["png", "bmp", "tiff", "webp", "ppm", "gif"])
def test_formats_without_loss_give_the_pixels_back(save, tmp_path, kind):
    save(f"1.{kind}", COLOUR, **({"lossless": True} if kind == "webp" else {}))
    (block,) = ImagesReader(tmp_path / "data").blocks()
    np.testing.assert_array_equal(block.columns["image"][0], COLOUR)


def test_limit_and_columns_choose(save, tmp_path):
    for i in range(4):
        save(f"{'ab'[i // 3]}/{i}.png", COLOUR + i)
    (block,) = ImagesReader(tmp_path / "data", limit=2, columns=["label", "image"]).blocks()
    assert (list(block.columns), len(block)) == (["label", "image"], 2)


def test_an_image_that_moves_to_another_class_changes_the_fingerprint(save, tmp_path):
    path = save("a/1.png")
    save("b/2.png", COLOUR + 1)
    before = fingerprint(ImagesReader(tmp_path / "data"))
    path.rename(tmp_path / "data" / "b" / "1.png")
    (tmp_path / "data" / "a").rmdir()
    assert fingerprint(ImagesReader(tmp_path / "data")) != before
    (tmp_path / "data").rename(tmp_path / "moved")
    (tmp_path / "moved" / "b" / "1.png").rename((tmp_path / "moved" / "a").mkdir() or tmp_path / "moved/a/1.png")
    assert fingerprint(ImagesReader(tmp_path / "moved")) == before


def test_images_of_other_sizes_are_named(save, tmp_path):
    save("a/1.png")
    odd = save("b/2.png", COLOUR[:3])
    assert fails(tmp_path / "data") == (
        f"{odd}: the image has 3 x 6 pixels, the first one 4 x 6 pixels (height x width); "
        "size = [4, 6] brings all to one"
    )


BUFFER = io.BytesIO()
Image.fromarray(COLOUR).save(BUFFER, "PNG")
WRONG = [
    (b"", "no image, or one that is damaged"),
    (b"not an image", "no image, or one that is damaged"),
    (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no image, or one that is damaged"),
    (BUFFER.getvalue()[:50], "the image is damaged: "),
    (png(6, 4, bytes(10)), "the image is damaged: "),
    (png(8_000, 10_000), "10000 x 8000 pixels are more than the 67,108,864 that an image may have"),
    (png(100_000, 100_000), "the image is damaged: Image size (10000000000 pixels) exceeds limit"),
    (png(5_000, 5_000), "5000 x 5000 pixels make a row of more than 16 MiB: set size = [height, width]"),
]


@pytest.mark.parametrize(("content", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_is_wrong_with_an_image_is_told_with_its_path(save, tmp_path, content, message):
    save("1.png", GREY)
    wrong = tmp_path / "data" / "2.png"
    wrong.write_bytes(content)
    assert fails(tmp_path / "data").startswith(f"{wrong}: {message}")


def test_more_than_8_bits_are_refused(save, tmp_path):
    path = save("1.png", np.zeros((2, 2), np.uint16))
    assert fails(path) == f"{path}: the image has more than 8 bits a pixel (Pillow's mode I;16): save it with 8"


def test_all_images_that_cannot_be_read_are_told(save, tmp_path):
    save("a/1.png")
    for name in ("2", "3"):
        (tmp_path / "data" / "a" / f"{name}.png").write_bytes(b"x")
    blocks = ImagesReader(tmp_path / "data").blocks()
    assert len(next(blocks)) == 1
    with pytest.raises(DataError, match=r"2\.png: no image.*\n.*3\.png: no image"):
        next(blocks)


def test_folders_of_another_form_are_refused(save, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    assert fails(folder).startswith(f"{folder}: the folder has no images (.png, .jpg")
    (folder / "a").mkdir()
    assert fails(folder).startswith(f"{folder / 'a'}: the class a has no images (.png")
    save("a/1.png")
    save("2.png")
    assert fails(folder).startswith(f"{folder}: the folder has images (2.png) beside sub-folders (a)")
    (folder / "2.png").unlink()
    save("a/deep/3.png")
    assert fails(folder).startswith(f"{folder / 'a' / 'deep'}: the class a has a sub-folder: give the folder whose")


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert fails(tmp_path / "pipe.png") == f"path: expected a regular file, got {tmp_path / 'pipe.png'}"
    assert fails(tmp_path / "no.png") == f"path: no file is there: {tmp_path / 'no.png'}"
    assert fails(Path("-")) == "path: this reader takes a folder or a file, not standard input"
    assert "no file fits the pattern" in fails(tmp_path / "*.jpg")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 64}, r"size: size is \[height, width\] in pixels, such as \[64, 64\], got 64"),
        ({"size": [0, 4]}, "size: size is"),
        ({"size": [4, 4, 3]}, "size: size is"),
        ({"size": [4.0, 4]}, "size: size is"),
        ({"size": [10_000, 10_000]}, "size: size is"),
        ({"mode": "RGBA"}, r'mode: mode is "L" \(greys\) or "RGB", got \'RGBA\''),
    ],
)
def test_arguments_that_are_none_are_refused(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        ImagesReader(Path("data"), **arguments)


def test_a_missing_package_names_its_extra(save, monkeypatch):
    path = save("1.png")
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ArgumentError, match=r"an image needs Pillow.*pip install 'trainer-cli\[images\]'$"):
        list(ImagesReader(path).blocks())


@given(data=st.data())
def test_a_few_changed_bytes_are_refused_in_one_way_or_read(save, data):
    path = save(f"1.{data.draw(st.sampled_from(['png', 'jpg', 'gif', 'bmp', 'tiff', 'webp', 'ppm']))}")
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        list(ImagesReader(path).blocks())
    except DataError as err:
        refusal = err
    else:
        return
    assert all(problem.path == str(path) for problem in refusal.problems)


def peak(path: Path) -> int:
    tracemalloc.start()
    for _ in ImagesReader(path).blocks():
        pass
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def test_a_bomb_is_refused_before_it_is_unpacked(save, tmp_path):
    path = save("1.png")
    path.write_bytes(png(1 << 15, 1 << 15, bytes(1 << 20)))
    tracemalloc.start()
    assert "pixels" in fails(path)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found < 1 << 22


def assert_streams(save) -> None:
    for n in (100, 400):
        for i in range(n):
            save(f"{n}/{i}.bmp", np.full((64, 64, 3), i % 256, np.uint8))
    few, many = (save(f"{n}/0.bmp", np.zeros((64, 64, 3), np.uint8)).parent for n in (100, 400))
    peak(few)
    assert peak(many) < 1.3 * peak(few)


def test_memory_does_not_grow_with_the_folder(save, monkeypatch):
    monkeypatch.setattr(images_module, "BLOCK_BYTES", 1 << 18)
    assert_streams(save)


def test_a_reader_that_holds_all_images_would_be_noticed(save):
    with pytest.raises(AssertionError):
        assert_streams(save)
