from __future__ import annotations

import inspect
import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet as pq

from trainer_cli.data.fingerprint import fingerprint
from trainer_cli.data.reader import rebuild
from trainer_cli.data.readers.auto import FORMATS, AutoReader
from trainer_cli.errors import ArgumentError, DataError, ModelFileError
from trainer_cli.registry import registry

IMAGE = np.zeros((2, 3, 3), np.uint8)


def write_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE IF NOT EXISTS t (a, b)")
        connection.execute("INSERT INTO t VALUES ('x', 1)")


def write_images(path: Path) -> None:
    (path / "cat").mkdir(parents=True)
    Image.fromarray(IMAGE).save(path / "cat" / "1.png")


# A file of each format with one row, the reader that it asks for, and its columns.
FILES: dict[str, tuple[Callable[[Path], object], str, tuple[str, ...]]] = {
    "x.csv": (lambda path: path.write_text("a,b\nx,1\n"), "csv", ("a", "b")),
    "x.TSV": (lambda path: path.write_text("a\tb\nx\t1\n"), "csv", ("a", "b")),
    "x.jsonl": (lambda path: path.write_text('{"a": "x", "b": 1}\n'), "jsonl", ("a", "b")),
    "x.json": (lambda path: path.write_text('[{"a": "x", "b": 1}]'), "json", ("a", "b")),
    "x.conll": (lambda path: path.write_text("x O\n"), "conll", ("token", "tag")),
    "x.parquet": (lambda path: pq.write_table(pa.table({"a": ["x"], "b": [1]}), path), "parquet", ("a", "b")),
    "x.db": (write_database, "sqlite", ("a", "b")),
    "x.npy": (lambda path: np.save(path, np.zeros((1, 2))), "npy", ("X",)),
    "x.npz": (lambda path: np.savez(path, X=np.zeros((1, 2)), Y=[1]), "npz", ("X", "Y")),
    "x.png": (lambda path: Image.fromarray(IMAGE).save(path), "images", ("image", "path")),
    "folder": (write_images, "images", ("image", "label", "path")),
}


@pytest.fixture
def make(tmp_path):
    """Write the file of `FILES` with this name, in a folder of its own, and return its path."""

    def make_file(name: str) -> Path:
        path = tmp_path / name.replace(".", "-") / name
        path.parent.mkdir(exist_ok=True)
        FILES[name][0](path)
        return path

    return make_file


def test_every_format_has_a_file_and_every_built_in_reader_a_format():
    # tests/engines has those of docbin, which need spaCy.
    assert {format for _, format, _ in FILES.values()} == FORMATS.keys() - {"idx", "docbin"}
    built_in = {registry.readers.get(name) for name in registry.readers.names() if registry.readers.is_built_in(name)}
    assert built_in == {*FORMATS.values(), AutoReader}


@pytest.mark.parametrize("name", FILES)
def test_the_name_tells_the_reader(make, name):
    path, (_, format, columns) = make(name), FILES[name]
    reader = AutoReader(path)
    assert (type(reader.reader), reader.columns(), reader.format) == (FORMATS[format], columns, format)
    assert sum(map(len, reader.blocks())) == 1
    assert (reader.files(), reader.paths()) == (reader.reader.files(), (path,))
    assert fingerprint(reader) == fingerprint(reader.reader)
    again = rebuild("auto.v1", json.loads(json.dumps(reader.settings())), path)
    assert again.settings() == reader.settings()


@pytest.mark.parametrize("name", [name for name in FILES if name != "folder"])
def test_a_folder_with_one_file_is_that_file(make, name):
    path = make(name)
    (path.parent / "README.md").touch()
    reader = AutoReader(path.parent)
    # An image alone is a folder of images.
    assert reader.columns() == FILES[name][2]
    assert rebuild("auto.v1", reader.settings(), path.parent).columns() == reader.columns()


def test_a_pair_of_idx_files_is_found_by_its_images(write_idx, tmp_path):
    images, labels = write_idx(np.zeros((2, 3, 3)), np.ones(2), ".gz")
    for path in (images, tmp_path):
        assert AutoReader(path, limit=1).files() == (images, labels)
        assert rebuild("auto.v1", AutoReader(path).settings(), path).files() == (images, labels)


def test_arguments_go_to_the_reader(make, write):
    path = make("x.csv")
    assert next(AutoReader(path, delimiter=";", text_encoding="latin-1").blocks()).columns == {"a,b": ["x,1"]}
    text = write("a X\nb Y\n", "x.txt")
    reader = AutoReader(text, "conll", names=["w", "t"], limit=1, columns=["t"])
    assert next(reader.blocks()).columns == {"t": [["X", "Y"]]}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("argument", ["delimiter", "query", "names", "size", "missing", "text_encoding"])
def test_an_argument_that_the_reader_does_not_take_is_refused(make, name, argument):
    values = {"names": ["token", "tag"], "size": [4, 4], "missing": "error", "text_encoding": "utf-8"}
    arguments = {argument: values.get(argument, "SELECT a, b FROM t" if argument == "query" else "\t")}
    format = FILES[name][1]
    if argument in inspect.signature(FORMATS[format]).parameters:
        AutoReader(make(name), **arguments)
    else:
        with pytest.raises(
            ArgumentError, match=f"^{argument}: data in the format {format} take no {argument}, which is"
        ):
            AutoReader(make(name), **arguments)


def test_auto_takes_every_argument_of_every_reader():
    ours = set(inspect.signature(AutoReader).parameters)
    for reader in FORMATS.values():
        assert set(inspect.signature(reader).parameters) - {"images"} <= ours


@pytest.mark.parametrize("trained", ["x.csv", "x.parquet", "x.jsonl", "x.db"])
@pytest.mark.parametrize("other", ["x.csv", "x.json", "x.parquet", "x.jsonl", "x.db"])
def test_a_model_reads_files_of_other_formats(make, trained, other):
    settings = AutoReader(make(trained), columns=["b"], limit=1).settings()
    reader = rebuild("auto.v1", settings, make(other))
    assert (reader.columns(), reader.format) == (("a", "b"), FILES[other][1])


def test_a_model_folder_cannot_name_other_files(make, tmp_path):
    settings = {"format": "npy", "labels": str(tmp_path / "secret.npy")}
    assert rebuild("auto.v1", settings, make("x.npy")).columns() == ("X",)


def test_a_name_that_tells_nothing_is_read_as_the_training_data_was(make, write):
    settings = AutoReader(make("x.csv"), delimiter=";").settings()
    assert rebuild("auto.v1", settings, write("a;b\n1;2\n", "data.txt")).columns() == ("a", "b")
    assert rebuild("auto.v1", settings, Path("-")).reader.path == Path("-")


def test_names_that_do_not_tell_are_refused(write, tmp_path):
    path = write("a,b\n1,2\n", "data.txt")
    with pytest.raises(
        DataError, match=r'^path: the name "data\.txt" does not tell the format; known are \.csv, \.tsv, '
    ):
        AutoReader(path)
    with pytest.raises(DataError, match=r"^path: no file is there: .*photos$"):
        AutoReader(tmp_path / "photos")
    with pytest.raises(DataError, match=r"^path: standard input has no name: say what comes, as format = \"csv\" does"):
        AutoReader(Path("-"))
    with pytest.raises(ArgumentError, match=r"^format: no format is called 'cvs'\. Did you mean csv\? There are csv, "):
        AutoReader(path, "cvs")
    write("a,b\n1,2\n", "one.csv")
    write('{"a": 1}\n', "two.jsonl")
    with pytest.raises(DataError, match=r"expected exactly one file .* found 2: one.csv, two.jsonl"):
        AutoReader(tmp_path)
    with pytest.raises(DataError, match=r"^path: the files that fit .* have several formats: csv, jsonl$"):
        AutoReader(tmp_path / "[ot]*.*")
    with pytest.raises(DataError, match=r"^path: no file fits the pattern"):
        AutoReader(tmp_path / "z*.csv")


def test_a_pattern_is_read_by_the_reader_of_its_files(write, tmp_path):
    write("a\n1\n", "1.csv")
    write("a\n2\n", "2.csv")
    assert sum(map(len, AutoReader(tmp_path / "?.csv").blocks())) == 2


@pytest.mark.parametrize("settings", [{"format": "cvs"}, {"format": ["csv"]}, {"format": "csv", "delimiter": 5}])
def test_what_a_damaged_model_says_is_refused(write, settings):
    with pytest.raises(ModelFileError):
        rebuild("auto.v1", settings, write("a\n1\n", "data.txt"))


def test_every_reader_tells_alike_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for format in FORMATS.keys() - {"idx"}:
        for path, message in [
            (tmp_path / "no", f"path: no file is there: {tmp_path / 'no'}"),
            (tmp_path / "pipe", f"path: expected a regular file, got {tmp_path / 'pipe'}"),
            (tmp_path / "*.no", f"path: no file fits the pattern {tmp_path / '*.no'}"),
        ]:
            with pytest.raises(DataError) as caught:
                list(FORMATS[format](path).blocks())
            assert str(caught.value) == message


@pytest.mark.parametrize("name", FILES)
def test_every_reader_chooses_columns_and_rows_alike(make, name):
    path, (_, format, columns) = make(name), FILES[name]
    (block,) = FORMATS[format](path, columns=[columns[-1]], limit=1).blocks()
    assert (list(block.columns), len(block)) == ([columns[-1]], 1)
    for reader in (FORMATS[format](path, columns=["no"]), FORMATS[format](path, columns=["no"], limit=1)):
        with pytest.raises(DataError, match=r'^columns: the data have no column "no"\. Their columns are '):
            list(reader.blocks())
    with pytest.raises(ArgumentError, match=r"^limit: "):
        FORMATS[format](path, limit=0)


@pytest.mark.parametrize("name", [name for name in FILES if name not in ("folder", "x.png")])
def test_every_reader_tells_a_file_of_another_kind(make, tmp_path, name):
    for other in FILES.keys() - {name, "folder", "x.TSV", "x.csv"}:
        format = FILES[name][1]
        if {name, other} == {"x.jsonl", "x.json"} or format == FILES[other][1] or name == "x.conll":
            continue
        with pytest.raises(DataError) as caught:
            list(FORMATS[format](make(other)).blocks())
        assert str(caught.value)
