from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli.data.fingerprint import fingerprint
from trainer_cli.data.readers.npy import NpyReader, OpenArray
from trainer_cli.errors import DataError

X = np.arange(12, dtype=np.float64).reshape(4, 3) / 7


@pytest.fixture
def save(tmp_path):
    """Write an array with numpy and return its path."""

    def save_file(array: np.ndarray, name: str = "x.npy") -> Path:
        np.save(tmp_path / name, array)
        return tmp_path / name

    return save_file


def gather(reader: NpyReader, name: str = "X") -> np.ndarray:
    return np.concatenate([block.columns[name] for block in reader.blocks()])


def fails(path: Path, **arguments) -> str:
    with pytest.raises(DataError) as caught:
        list(NpyReader(path, **arguments).blocks())
    return str(caught.value)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f8", ">f4", "<i2", "?", "u1"])
def test_an_array_comes_back_as_it_was_saved(save, order, dtype):
    saved = np.asarray(np.arange(10_000 * 6).reshape(10_000, 2, 3) % 7, dtype=dtype, order=order)
    reader = NpyReader(save(saved))
    for _ in range(2):
        np.testing.assert_array_equal(gather(reader), saved)
    assert gather(reader).dtype.isnative
    assert [block.start for block in reader.blocks()] == [0, 4096, 8192]
    assert reader.columns() == ("X",)
    np.testing.assert_array_equal(gather(NpyReader(reader.path, limit=4100)), saved[:4100])


def test_a_packed_array_comes_back(save, write):
    path = write(gzip.compress(save(X).read_bytes()), "x.npy.gz")
    np.testing.assert_array_equal(gather(NpyReader(path)), X)


def test_labels_are_a_second_file(save):
    path, labels = save(X), save(np.array(["a", "b", "a", "c"]), "y.npy")
    reader = NpyReader(path, labels)
    (block,) = reader.blocks()
    assert (reader.columns(), block.columns["Y"]) == (("X", "Y"), ["a", "b", "a", "c"])
    assert (reader.files(), reader.paths(), reader.settings()) == ((path, labels), (path, labels), {})
    assert fingerprint(reader) != fingerprint(NpyReader(path))
    assert fails(path, labels=save(np.zeros(3), "z.npy")).endswith(f"3 rows of labels, but {path} has 4 rows")
    assert fails(path, labels=path.with_name("no")) == f"labels: no file is there: {path.with_name('no')}"


def test_several_arrays_have_their_labels_in_their_order(save, tmp_path):
    for i in range(3):
        save(X + i, f"x{i}.npy")
        save(np.full(4, i), f"y{i}.npy")
    reader = NpyReader(tmp_path / "x?.npy", tmp_path / "y?.npy")
    np.testing.assert_array_equal(gather(reader), np.concatenate([X, X + 1, X + 2]))
    np.testing.assert_array_equal(gather(reader, "Y"), np.repeat([0, 1, 2], 4))
    *_, last = reader.blocks()
    assert str(last.problem(1, "X", "odd")) == f"{tmp_path / 'x2.npy'}: X[1]: odd"
    assert "expected as many files as of inputs, 3; got 2" in fails(tmp_path / "x?.npy", labels=tmp_path / "y[01].npy")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (X[:0], "expected rows of 1 byte to 16 MiB, got the shape (0, 3)"),
        (np.zeros((1, 1 << 22)), "expected rows of 1 byte to 16 MiB, got the shape (1, 4194304)"),
        (np.float64(1), "expected rows of 1 byte to 16 MiB, got the shape ()"),
        (X.astype(complex), "expected an array of numbers or text, got complex128"),
        (np.array([{}]), "expected an array of numbers or text, got object"),
        (np.zeros(4, [("a", "i4")]), "expected an array of numbers or text, got [('a', '<i4')]"),
    ],
)
def test_what_is_wrong_is_told_with_the_file(save, array, message):
    path = save(array)
    assert fails(path) == f"{path}: {message}"


def test_sizes_are_checked_against_the_bytes(save, write):
    content = save(X).read_bytes()
    for wrong in (content[:-1], content + b"\0"):
        path = write(wrong, "wrong.npy")
        assert fails(path) == f"{path}: (4, 3) of float64 needs 96 bytes, got {len(wrong) - 128}"
        packed = write(gzip.compress(wrong), "wrong.npy.gz")
        assert ("is cut off: 1 bytes" if len(wrong) < len(content) else "goes on after") in fails(packed)
    fortran = write(gzip.compress(save(np.asfortranarray(X)).read_bytes()), "f.npy.gz")
    assert fails(fortran).endswith("in Fortran's order: save np.ascontiguousarray(...) of it")


def test_what_is_no_array_or_no_file_is_told(write, tmp_path):
    for content in (b"", b"a,b\n1,2\n"):
        path = write(content, "x.npy")
        assert fails(path).startswith(f"{path}: the array's header is damaged: ")
    os.mkfifo(tmp_path / "pipe.npy")
    for path in (tmp_path, tmp_path / "pipe.npy"):
        assert fails(path) == f"path: expected a regular file, got {path}"
    assert fails(Path("-")) == "path: this reader takes a file, not standard input"


@given(data=st.data())
def test_a_few_changed_bytes_are_refused_in_one_way_or_read(save, data):
    path = save(X)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, 127))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        list(NpyReader(path).blocks())
    except DataError as err:
        refusal = err
    else:
        return
    assert all(problem.path for problem in refusal.problems)


def build(save, order="C"):
    return lambda n: NpyReader(save(np.asarray(np.ones((n, 50)), order=order)))


@pytest.mark.parametrize("order", ["C", "F"])
def test_memory_does_not_grow_with_the_file(save, assert_streams, order):
    assert_streams(build(save, order))


def test_a_reader_that_reads_the_whole_array_would_be_noticed(save, assert_streams, monkeypatch):
    read = OpenArray.read
    monkeypatch.setattr(OpenArray, "read", lambda self, start, n: (np.load(self.path), read(self, start, n))[1])
    with pytest.raises(AssertionError):
        assert_streams(build(save))
