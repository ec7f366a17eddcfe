"""Files of word vectors: every form that is read, and what is wrong with others."""

import bz2
import gzip

import numpy as np
import pytest

from trainer_cli import tensors
from trainer_cli.data.vectors import read, width_of
from trainer_cli.errors import DataError

TEXT = "the 0.5 1 -2\ncat 1e-1 0 3\nNew York 4 5 6\n"


def whole(path):
    found = [(word, row.tolist()) for words, rows in read(path) for word, row in zip(words, rows, strict=True)]
    assert all(rows.dtype == np.float32 for _, rows in read(path))
    return found


EXPECTED = [("the", [0.5, 1, -2]), ("cat", [np.float32(0.1).item(), 0, 3]), ("New York", [4, 5, 6])]


@pytest.mark.parametrize("header", ["", "3 3\n"])
@pytest.mark.parametrize(("name", "pack"), [("v.vec", bytes), ("v.txt.gz", gzip.compress), ("v.txt.bz2", bz2.compress)])
def test_text_with_or_without_a_first_line_also_packed(tmp_path, header, name, pack):
    (tmp_path / name).write_bytes(pack((header + TEXT).encode()))
    assert whole(tmp_path / name) == EXPECTED
    assert width_of(tmp_path / name) == 3


def test_safetensors_hold_words_and_vectors(tmp_path):
    arrays = {"words": np.frombuffer(b"the\ncat", np.uint8), "vectors": np.array([[1, 2], [3, 4]], np.float64)}
    (tmp_path / "v.safetensors").write_bytes(tensors.to_bytes(arrays))
    assert whole(tmp_path / "v.safetensors") == [("the", [1, 2]), ("cat", [3, 4])]


def test_many_words_come_in_blocks(tmp_path):
    (tmp_path / "v.vec").write_text("".join(f"w{i} {i}\n" for i in range(10_000)))
    assert [len(words) for words, _ in read(tmp_path / "v.vec")] == [4096, 4096, 1808]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("the 1 2\ncat 1\n", r"v\.vec:2: expected a word and 2 numbers, got 2 values"),
        ("the 1 2\ncat 1 x\n", r"v\.vec:2: expected 2 numbers after the word"),
        ("the 1 2\ncat 1 nan\n", r"v\.vec:2: expected finite numbers, got nan"),
        ("the\n", r"v\.vec:1: expected a word and 1 numbers"),
        ("", r"v\.vec: the file has no vectors"),
        ("3 300\n", r"v\.vec: the file has no vectors"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path, text, message):
    (tmp_path / "v.vec").write_text(text)
    with pytest.raises(DataError, match=message):
        whole(tmp_path / "v.vec")


@pytest.mark.parametrize(
    "arrays",
    [
        {"vectors": np.ones((2, 2))},
        {"words": np.frombuffer(b"a\nb\nc", np.uint8), "vectors": np.ones((2, 2))},
        {"words": np.frombuffer(b"a", np.uint8), "vectors": np.full((1, 2), np.nan)},
    ],
)
def test_other_safetensors_are_refused(tmp_path, arrays):
    (tmp_path / "v.safetensors").write_bytes(tensors.to_bytes(arrays))
    with pytest.raises(DataError, match=r"v\.safetensors: expected"):
        whole(tmp_path / "v.safetensors")


def test_a_missing_file_is_told_by_the_argument(tmp_path):
    with pytest.raises(DataError, match="vectors: no file is there"):
        whole(tmp_path / "nowhere.vec")
