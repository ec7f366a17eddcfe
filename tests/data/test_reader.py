from __future__ import annotations

from pathlib import Path

import catalogue
import numpy as np
import pytest

from trainer_cli.data.reader import rebuild
from trainer_cli.data.readers.auto import AutoReader
from trainer_cli.data.readers.csv import CSVReader
from trainer_cli.data.readers.docbin import DocBinReader
from trainer_cli.data.readers.idx import IdxReader
from trainer_cli.data.readers.jsonl import JSONLReader
from trainer_cli.data.readers.npz import NpzReader
from trainer_cli.errors import ArgumentError, DataError, ModelFileError
from trainer_cli.registry import registry

DATA = Path("somewhere/data")


@pytest.mark.parametrize(
    ("name", "reader"),
    [("csv.v1", CSVReader(DATA, ";")), ("npz.v1", NpzReader(DATA, "x_train", "y_train"))],
)
def test_a_reader_is_made_again_from_its_name_and_settings(name, reader):
    other = rebuild(name, reader.settings(), Path("other.data"))
    assert (type(other), other.settings(), other.files()) == (type(reader), reader.settings(), (Path("other.data"),))


@pytest.mark.parametrize(
    ("name", "settings", "file", "format"),
    [
        ("docbin.v1", {}, "new.jsonl", "jsonl"),
        ("docbin.v1", {}, "new.csv", "csv"),
        ("docbin.v1", {}, "new.conll", "conll"),
        ("jsonl.v1", {}, "new.spacy", "docbin"),
        ("npz.v1", {"X": "x_train", "Y": "y"}, "new.csv", "csv"),
        ("csv.v1", {"delimiter": ";"}, "new.parquet", "parquet"),
    ],
)
def test_data_that_a_models_reader_cannot_read_are_read_as_their_name_says(tmp_path, name, settings, file, format):
    (tmp_path / file).write_bytes(b"")
    other = rebuild(name, settings, tmp_path / file)
    assert type(other) is AutoReader
    assert other.format == format
    assert rebuild(name, settings, tmp_path / "?ew.*").format == format


def test_text_is_read_as_a_models_data_were_whatever_its_name(tmp_path):
    for file in ("new.csv", "new.json", "new.txt"):
        (tmp_path / file).write_bytes(b"")
        assert type(rebuild("jsonl.v1", {}, tmp_path / file)) is JSONLReader
    assert type(rebuild("docbin.v1", {}, tmp_path / "new.txt")) is DocBinReader


def test_a_format_that_is_given_counts_whatever_the_model_has(tmp_path):
    (tmp_path / "new.txt").write_bytes(b"text\na\n")
    other = rebuild("docbin.v1", {}, tmp_path / "new.txt", given={"format": "csv", "delimiter": ";"})
    assert (type(other), other.settings()) == (AutoReader, {"format": "csv", **CSVReader(DATA, ";").settings()})
    with pytest.raises(ArgumentError, match=r"skipp: auto\.v1 takes no such argument\. Did you mean skip\?"):
        rebuild("docbin.v1", {}, tmp_path / "new.txt", given={"format": "csv", "skipp": 1})
    with pytest.raises(ArgumentError, match=r"skip: docbin\.v1 takes no such argument"):
        rebuild("docbin.v1", {}, tmp_path / "new.txt", given={"skip": 1})


def test_a_reader_of_two_files_is_made_again_from_one(write_idx):
    images, labels = write_idx(np.zeros((1, 2, 2)), np.zeros(1))
    assert rebuild("idx.v1", IdxReader(images, labels).settings(), images).files() == (images, labels)


def test_every_built_in_reader_can_be_made_again():
    for name in registry.readers.names():
        if registry.readers.is_built_in(name):
            assert all(hasattr(registry.readers.get(name), method) for method in ("at", "settings", "files"))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("csv.v9", {}),
        ("os.system", {}),
        ("csv.v1", None),
        ("csv.v1", {"delimiter": 5}),
        ("csv.v1", {"delimiter": "long"}),
        ("csv.v1", {"header": 0}),
        ("csv.v1", {"path": "/etc/passwd"}),
        ("csv.v1", {"data": "/etc/passwd"}),
        ("idx.v1", {"labels": "/etc/passwd"}),
        ("npz.v1", {"X": ["X"]}),
        ("npy.v1", {"labels": "/etc/passwd"}),
        ("conll.v1", {"names": 3}),
        ("sqlite.v1", {"query": 3}),
        ("images.v1", {"size": "large"}),
        ("jsonl.v1", {"missing": "yes"}),
    ],
)
def test_what_a_damaged_model_says_of_its_reader_is_refused(name, settings, tmp_path):
    for prefix in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"):
        (tmp_path / prefix).touch()
    with pytest.raises(ModelFileError):
        rebuild(name, settings, tmp_path / "train-images-idx3-ubyte")


def test_a_reader_of_the_users_needs_its_code():
    with pytest.raises(ModelFileError, match=r"read by 'own\.v1': give the file that registers it with --code"):
        rebuild("own.v1", {}, DATA)


def test_a_reader_of_the_users_takes_the_data_as_its_path(monkeypatch):
    class Own:
        def __init__(self, path, n=1):
            self.path, self.n = path, n

    monkeypatch.setitem(catalogue.REGISTRY, ("trainer_cli", "readers", "own.v1"), Own)
    assert vars(rebuild("own.v1", {"n": 5}, DATA)) == {"path": DATA, "n": 5}
    monkeypatch.setitem(catalogue.REGISTRY, ("trainer_cli", "readers", "own.v1"), lambda n: None)
    with pytest.raises(ModelFileError, match="neither an argument path nor a class method at"):
        rebuild("own.v1", {"n": 5}, DATA)


def test_data_that_is_not_there_is_the_users_mistake(tmp_path):
    with pytest.raises(DataError, match="path: no file is there"):
        list(rebuild("csv.v1", {}, tmp_path / "no.csv").blocks())


@pytest.mark.parametrize(
    ("name", "file", "line"),
    [("csv.v1", "x.csv", "{}\n"), ("jsonl.v1", "x.jsonl", '{{"a": {}}}\n'), ("auto.v1", "x.csv", "{}\n")],
)
def test_data_that_a_saved_model_reads_come_in_small_blocks(write, name, file, line):
    """What is held of a file is then hardly more with a million rows than with a thousand."""
    head = "a\n" if file == "x.csv" else ""
    path = write(head + "".join(line.format(i) for i in range(5000)), file)
    settings = {"format": "csv"} if name == "auto.v1" else {}
    sizes = [len(block) for block in rebuild(name, settings, path).blocks()]
    assert sizes == [1024] * 4 + [904]
    whole = [len(block) for block in registry.readers.get(name)(path).blocks()]
    assert whole == [4096, 904]  # for training
