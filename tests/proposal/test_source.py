import re

import numpy as np
import pytest

from trainer_cli.errors import DataError
from trainer_cli.proposal.siblings import siblings, train_folder
from trainer_cli.proposal.source import source


@pytest.fixture
def write(tmp_path):
    def write_file(name, content=""):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.csv", "csv"),
        ("a.TSV", "csv"),
        ("a.csv.gz", "csv"),
        ("a.jsonl", "jsonl"),
        ("a.json", "json"),
        ("a.npz", "npz"),
    ],
)
def test_the_ending_of_a_name_tells_the_reader(tmp_path, name, form):
    found = source(tmp_path / name)
    assert (found.format, found.section()) == (form, {"@readers": "auto.v1", "path": str(tmp_path / name)})


def test_another_ending_is_told(tmp_path):
    (tmp_path / "a.docx").write_text("")
    with pytest.raises(DataError, match=r'the name "a\.docx" does not tell the format'):
        source(tmp_path / "a.docx")


def test_a_spreadsheet_is_to_be_saved_as_csv(tmp_path):
    (tmp_path / "a.XLSX").write_text("")
    with pytest.raises(DataError, match=r"a\.XLSX is a spreadsheet, which is not read: save its table as CSV"):
        source(tmp_path / "a.XLSX")


def test_tokens_of_two_columns_have_names_and_of_more_the_first_and_last_are_taken(write):
    two = source(write("a.conll", "to\tV\nbe\tV\n\nor\tC\n"))
    assert two.reader.columns() == ("token", "tag")
    four = source(write("b.conll", "EU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nPeter NNP B-NP B-PER\n"))
    assert four.reader.columns() == ("token", "tag")
    assert next(four.reader.blocks()).columns["tag"] == [["B-ORG", "O"], ["B-PER"]]


def test_of_a_folder_the_file_to_train_on_is_taken(write, tmp_path):
    write("x/x-train.csv")
    write("x/x-test.csv")
    write("x/README.md")
    assert source(tmp_path / "x").path.name == "x-train.csv"
    write("y/data.csv")
    assert source(tmp_path / "y").path.name == "data.csv"
    write("y/more.csv")
    with pytest.raises(DataError, match=re.escape("found 2: data.csv, more.csv")):
        source(tmp_path / "y")


def test_a_folder_of_images_is_brought_to_one_size_where_it_must(tmp_path):
    Image = pytest.importorskip("PIL.Image")
    for index, label in enumerate("aabb"):
        (tmp_path / "pets" / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "pets" / label / f"{index}.png")
    assert source(tmp_path / "pets").section() == {"@readers": "auto.v1", "path": str(tmp_path / "pets")}
    Image.fromarray(np.zeros((9, 8), np.uint8)).save(tmp_path / "pets" / "a" / "9.png")
    assert source(tmp_path / "pets").settings["size"] == [64, 64]


def test_of_folders_called_train_and_test_the_first_is_meant(tmp_path):
    for name in ("pets/train/cat", "pets/test/cat", "pets/val/cat", "zoo/train/cat", "zoo/test/cat", "zoo/ape"):
        (tmp_path / name).mkdir(parents=True)
    assert train_folder(tmp_path / "pets") == tmp_path / "pets" / "train"
    assert siblings(tmp_path / "pets" / "train") == (tmp_path / "pets" / "val", tmp_path / "pets" / "test")
    assert train_folder(tmp_path / "zoo") is None  # train is one class of three
    assert train_folder(tmp_path / "pets" / "train") is None


@pytest.mark.parametrize(
    ("train", "others", "dev", "test"),
    [
        ("x-train.csv", ["x-dev.csv", "x-test.csv"], "x-dev.csv", "x-test.csv"),
        ("train.csv", ["valid.csv"], "valid.csv", None),
        ("x.csv", ["x_test.csv"], None, "x_test.csv"),
        ("x.csv", ["x-train.csv", "x-dev.csv", "x-test.csv"], None, None),
        ("x_train.csv.gz", ["x_dev.csv", "x_validation.csv.gz"], "x_validation.csv.gz", None),
        ("x.csv", ["y-dev.csv"], None, None),
        ("strain.csv", ["sdev.csv"], None, None),
    ],
)
def test_files_beside_the_data_are_found_by_their_names(write, train, others, dev, test):
    path = write(train)
    for name in others:
        write(name)
    assert [each and each.name for each in siblings(path)] == [dev, test]
