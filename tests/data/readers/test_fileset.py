from __future__ import annotations

import gzip
import io
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from trainer_cli.data.fingerprint import fingerprint
from trainer_cli.data.reader import rebuild
from trainer_cli.data.readers.csv import CSVReader
from trainer_cli.data.readers.files import is_there
from trainer_cli.data.readers.jsonl import JSONLReader
from trainer_cli.errors import ArgumentError, DataError


def rows(reader):
    """Every row with its place."""
    return [
        (Path(block.place(i)[0]).name, block.place(i)[1], *row)
        for block in reader.blocks()
        for i, row in enumerate(zip(*block.columns.values(), strict=True))
    ]


def fails(reader) -> str:
    with pytest.raises(DataError) as caught:
        list(reader.blocks())
    return str(caught.value)


def test_files_that_fit_a_pattern_are_one_table_in_the_order_of_their_names(write, tmp_path):
    write("a,b\n1,2\n3,4\n", "part-1.csv")
    write(gzip.compress(b"b,a\n6,5\n"), "part-2.csv.gz")
    write("a,b\n9,9\n", "other.csv")
    reader = CSVReader(tmp_path / "part-*")
    assert reader.columns() == ("a", "b")
    assert rows(reader) == [
        ("part-1.csv", 2, "1", "2"),
        ("part-1.csv", 3, "3", "4"),
        ("part-2.csv.gz", 2, "5", "6"),
    ]
    assert [(block.start, len(block)) for block in reader.blocks()] == [(0, 2), (2, 1)]
    assert [path.name for path in reader.files()] == ["part-1.csv", "part-2.csv.gz"]
    assert reader.paths() == (tmp_path / "part-*",)
    assert len(fingerprint(reader)) == 64


def test_a_pattern_may_reach_into_folders(write, tmp_path):
    for name in ("x", "y"):
        (tmp_path / name / "z").mkdir(parents=True)
        write("a\n1\n", f"{name}/z/data.csv")
    assert len(CSVReader(tmp_path / "**" / "*.csv").files()) == 2
    assert len(CSVReader(tmp_path / "[xy]" / "?" / "data.csv").files()) == 2


def test_a_file_that_is_named_like_a_pattern_is_that_file(write, tmp_path):
    path = write("a\n1\n", "data[1].csv")
    write("a\n2\n", "data1.csv")
    assert CSVReader(path).files() == (path,)


def test_a_pattern_that_nothing_fits_says_so(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    for call in (CSVReader(tmp_path / "*.csv").columns, CSVReader(tmp_path / "*.csv").files):
        with pytest.raises(DataError, match=r"^path: no file fits the pattern .*\*\.csv$"):
            call()


@pytest.mark.parametrize(
    ("kind", "suffix", "first", "second", "line"),
    [
        (CSVReader, "csv", "a,b\n1,2\n", "a,c\n1,2\n", 1),
        (CSVReader, "csv", "a,b\n1,2\n", "a\n1\n", 1),
    ],
)
def test_a_file_with_other_columns_is_named(write, tmp_path, kind, suffix, first, second, line):
    one, two = write(first, f"1.{suffix}"), write(second, f"2.{suffix}")
    said = fails(kind(tmp_path / f"*.{suffix}"))
    assert said.startswith(f'{two}:{line}: the columns must be those of {one}, "a", "b"; got "a"')


def test_mistakes_of_all_files_are_told_at_once(write, tmp_path):
    one, two = write("a,b\n1\n", "1.csv"), write("a,b\n1,2\n3\n", "2.csv")
    assert fails(CSVReader(tmp_path / "*.csv")) == (
        f"{one}:2: expected 2 values as in the header, got 1\n{two}:3: expected 2 values as in the header, got 1"
    )


def test_columns_chooses_and_orders(write):
    path = write('{"a": 1, "b": "x", "c": []}\n', "x.jsonl")
    reader = JSONLReader(path, columns=["c", "a"])
    assert reader.columns() == ("c", "a")
    (block,) = reader.blocks()
    assert (list(block.columns), block.records) == (["c", "a"], [{"c": [], "a": 1}])


def test_a_column_that_is_not_there_is_told_with_the_nearest(write):
    reader = CSVReader(write("text,label\n1,2\n"), columns=["text", "lable"])
    for call in (reader.columns, lambda: list(reader.blocks())):
        with pytest.raises(
            DataError, match=r'^columns: the data have no column "lable"\. Did you mean "label"\? Their co'
        ):
            call()


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 100])
def test_limit_gives_the_first_rows_of_all_files(write, tmp_path, limit):
    write("a\n1\n2\n", "1.csv")
    write("a\n3\n4\n5\n", "2.csv")
    found = [row[-1] for row in rows(CSVReader(tmp_path / "*.csv", limit=limit))]
    assert found == ["1", "2", "3", "4", "5"][:limit]


def test_limit_reads_no_further_and_tells_mistakes_above_it(write):
    path = write("a,b\n1,2\n3\n4,5\n6,7\n8\n")
    assert fails(CSVReader(path, limit=2)).endswith("data.csv:3: expected 2 values as in the header, got 1")
    assert len(rows(CSVReader(path, limit=1))) == 1
    many = write("a\n" + "x\n" * 5000 + '"\n', "many.csv")
    assert [len(block) for block in CSVReader(many, limit=4500).blocks()] == [4096, 404]
    assert "never closed" in fails(CSVReader(many))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"columns": "a"}, r'columns: columns are a list of names, such as \["text", "label"\], got \'a\''),
        ({"columns": []}, "columns: columns are a list of names"),
        ({"columns": [1]}, "columns: columns are a list of names"),
        ({"columns": ["a", "b", "a"]}, 'columns: "a" is named twice'),
        ({"limit": 0}, "limit: limit is how many rows to read, a whole number of at least 1, got 0"),
        ({"limit": True}, "limit: limit is how many rows"),
        ({"limit": "3"}, "limit: limit is how many rows"),
    ],
)
def test_arguments_that_are_none_are_refused(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        CSVReader(Path("data.csv"), **arguments)


def test_what_concerns_the_training_data_alone_is_no_setting(write):
    reader = CSVReader(write("a,b\n1,2\n"), columns=["a"], limit=1, text_encoding="LATIN1")
    assert reader.settings() == {"delimiter": None, "text_encoding": "iso8859-1", "header": True, "skip": 0}


def test_standard_input_is_for_readers_that_go_forward_alone(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"a,b\n1,2\n")))
    assert rows(CSVReader(Path("-"))) == [("-", 2, "1", "2")]
    monkeypatch.setattr(sys, "stdin", None)
    assert fails(CSVReader(Path("-"))) == "path: standard input is closed; name a file"


def test_a_pipe_among_the_files_is_refused(write, tmp_path):
    write("a\n1\n", "1.csv")
    os.mkfifo(tmp_path / "2.csv")
    assert fails(CSVReader(tmp_path / "*.csv")) == f"path: expected a regular file, got {tmp_path / '2.csv'}"


def test_a_pattern_is_there_where_some_file_fits_it(write, tmp_path):
    path = write("a\n1\n", "1.csv")
    assert is_there(path)
    assert is_there(tmp_path / "?.csv")
    assert not is_there(tmp_path / "?.tsv")
    assert not is_there(tmp_path / "2.csv")


def test_data_that_are_told_in_a_model_folder_stay_as_they_were(write):
    """The settings of models that were trained before readers took text_encoding."""
    reader = rebuild("csv.v1", {"delimiter": ";"}, write("a;b\n1;2\n"))
    assert reader.columns() == ("a", "b")
    assert rebuild("jsonl.v1", {}, write('{"a": 1}\n', "x.jsonl")).columns() == ("a",)
