from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib import format as npy

from trainer_cli.data.readers.npz import NpzReader
from trainer_cli.errors import ArgumentError, DataError

X = np.arange(12, dtype=np.float64).reshape(4, 3) / 7
Y = np.array([2, 0, 1, 0])


@pytest.fixture
def save(tmp_path):
    """Write an archive with numpy and return its path."""

    def save_file(compressed: bool = False, **arrays: object) -> Path:
        path = tmp_path / "data.npz"
        (np.savez_compressed if compressed else np.savez)(path, **arrays)
        return path

    return save_file


def gather(reader: NpzReader, name: str) -> np.ndarray:
    return np.concatenate([block.columns[name] for block in reader.blocks()])


def fails(path: Path, **arguments: str) -> str:
    with pytest.raises(DataError) as caught:
        list(NpzReader(path, **arguments).blocks())
    return str(caught.value)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f8", ">f4", "<i2", ">u8", "?", "u1"])
def test_arrays_come_back_as_they_were_saved(save, compressed, order, dtype):
    saved = np.asarray(np.arange(10_000 * 6).reshape(10_000, 2, 3) % 7, dtype=dtype, order=order)
    reader = NpzReader(save(compressed, X=saved, Y=np.arange(10_000)))
    for _ in range(2):
        np.testing.assert_array_equal(gather(reader, "X"), saved)
        np.testing.assert_array_equal(gather(reader, "Y"), np.arange(10_000))
    assert [len(block) for block in reader.blocks()] == [4096, 4096, 1808]
    assert gather(reader, "X").dtype.isnative


def test_arguments_name_the_arrays_and_the_columns_are_x_and_y(save):
    path = save(x_train=X, y_train=Y, x_test=X[:1], y_test=Y[:1])
    reader = NpzReader(path, X="x_test", Y="y_test")
    (block,) = reader.blocks()
    assert len(block) == 1
    assert reader.columns() == tuple(block.columns) == ("X", "Y")
    assert str(block.problem(0, "X", "odd")) == f"{path}: X[0]: odd"
    other = NpzReader.at(path.parent, **reader.settings())
    assert (other.files(), other.settings()) == ((path,), {"X": "x_test", "Y": "y_test"})


def test_labels_may_be_text(save):
    (block,) = NpzReader(save(X=X, Y=np.array(["a", "bb", "", "ü"]))).blocks()
    assert block.columns["Y"] == ["a", "bb", "", "ü"]


def test_an_array_that_is_not_there_names_the_argument_and_the_nearest(save):
    assert fails(save(x_train=X, y_train=Y), X="x_trian", Y="y_train").startswith(
        'X: no array is called "x_trian"; say which is meant, as X = "x_train" does. '
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"Y": "y"}, 'X: no array is called "X"; say which is meant, as X = "x" does. '),
        ({"X": "x"}, 'Y: no array is called "Y"; say which is meant, as Y = "y" does. '),
        ({}, 'X: no array is called "X"; say which is meant, as X = "x" does. '),
        ({"X": "x", "Y": "target"}, 'Y: no array is called "target"; say which is meant, as Y = "y" does. '),
    ],
)
def test_each_message_names_the_argument_that_mends_it(save, given, said):
    path = save(x=X, y=Y)
    assert fails(path, **given).startswith(said)
    assert len(next(iter(NpzReader(path, **{"X": "x", "Y": "y"}).blocks()))) == len(X)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": X, "Y": Y[:3]}, "the arrays must have the same number of rows: X has 4, Y has 3"),
        ({"X": X[:0], "Y": Y[:0]}, "X: expected rows of 1 byte to 16 MiB, got the shape (0, 3)"),
        ({"X": np.zeros((1, 1 << 22)), "Y": Y}, "X: expected rows of 1 byte to 16 MiB, got the shape (1, 4194304)"),
        ({"X": np.float64(1), "Y": Y}, "X: expected rows of 1 byte to 16 MiB, got the shape ()"),
        ({"X": X.astype(complex), "Y": Y}, "X: expected an array of numbers or text, got complex128"),
        ({"X": X, "Y": np.zeros(4, "M8[s]")}, "Y: expected an array of numbers or text, got datetime64[s]"),
        ({"X": np.zeros(4, [("a", "i4")]), "Y": Y}, "X: expected an array of numbers or text, got [('a', '<i4')]"),
    ],
)
def test_what_is_wrong_is_told_with_the_array(save, arrays, message):
    path = save(**arrays)
    assert fails(path) == f"{path}: {message}"


def test_python_objects_are_refused_and_never_unpickled(save, tmp_path):
    class Canary:
        def __reduce__(self):
            return Path.touch, (tmp_path / "sprung",)

    path = save(X=X, Y=np.array([Canary()] * 4, dtype=object))
    assert fails(path) == f"{path}: Y: expected an array of numbers or text, got object"
    assert not (tmp_path / "sprung").exists()
    pickle.loads(pickle.dumps(Canary()))  # noqa: S301  the canary does sing when it is unpickled
    assert (tmp_path / "sprung").exists()


def write_member(path: Path, shape: tuple[int, ...], data: bytes, compress: int = zipfile.ZIP_STORED) -> None:
    """An archive whose X declares `shape` of float64 and holds `data`."""
    with zipfile.ZipFile(path, "w", compress) as archive:
        for name, size, content in (("X", shape, data), ("Y", (4,), Y.tobytes())):
            header = io.BytesIO()
            description = {"shape": size, "fortran_order": False, "descr": "<f8" if name == "X" else "<i8"}
            npy.write_array_header_1_0(header, description)
            archive.writestr(f"{name}.npy", header.getvalue() + content)


@pytest.mark.parametrize("shape", [(5, 3), (4, 2), (2**40, 3), (2**62, 3)])
def test_a_declared_shape_is_checked_against_the_bytes(tmp_path, shape):
    write_member(tmp_path / "data.npz", shape, X.tobytes())
    assert fails(tmp_path / "data.npz").startswith(f"{tmp_path / 'data.npz'}: X: {shape} of float64 needs")


def test_sizes_that_no_packed_file_can_hold_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "data.npz"
    write_member(path, (4, 1000), bytes(32_000), zipfile.ZIP_DEFLATED)
    assert len(list(NpzReader(path).blocks())) == 1
    content = path.read_bytes().replace((32_128).to_bytes(4, "little"), (1 << 30).to_bytes(4, "little"))
    path.write_bytes(content)
    assert "X: (4, 1000) of float64 needs 32000 bytes" in fails(path)


def test_members_packed_in_other_ways_are_refused(tmp_path):
    write_member(tmp_path / "data.npz", (4, 3), X.tobytes(), zipfile.ZIP_LZMA)
    assert fails(tmp_path / "data.npz").endswith("X: the array is encrypted or packed as numpy never does")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_occurs_twice_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as archive:
        for name in ("X.npy", "X.npy", "Y.npy"):
            archive.writestr(name, b"")
    assert fails(tmp_path / "data.npz").startswith('X: expected one array called "X", the archive has 2')


def test_what_is_no_archive_is_told(write):
    path = write("a,b\n", "data.npz")
    assert fails(path) == f"{path}: the archive is damaged or no .npz: File is not a zip file"
    assert fails(path.with_name("no.npz")) == f"path: no file is there: {path.with_name('no.npz')}"


def test_the_name_of_an_array_is_text():
    with pytest.raises(ArgumentError, match="X: expected the name of an array, got 5"):
        NpzReader(Path("data.npz"), X=5)


@settings(max_examples=300)
@given(data=st.data())
def test_a_few_changed_bytes_are_refused_in_one_way_or_change_nothing(save, data):
    path = save(data.draw(st.booleans()), X=X, Y=Y)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content))) or None])
    try:
        (block,) = NpzReader(path).blocks()
    except DataError as err:
        refusal = err
    else:
        np.testing.assert_array_equal(block.columns["X"], X)
        np.testing.assert_array_equal(block.columns["Y"], Y)
        return
    assert len(str(refusal).splitlines()) <= 20


@pytest.mark.parametrize("compressed", [False, True])
def test_memory_does_not_grow_with_the_file(save, assert_streams, compressed):
    assert_streams(lambda n: NpzReader(save(compressed, X=np.ones((n, 50)), Y=np.zeros(n))))


def test_limit_and_columns_choose(save):
    (block,) = NpzReader(save(X=X, Y=Y), limit=2, columns=["Y"]).blocks()
    assert {name: values.tolist() for name, values in block.columns.items()} == {"Y": [2, 0]}
