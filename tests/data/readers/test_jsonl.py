from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli.data.readers.jsonl import JSONLReader
from trainer_cli.errors import DataError


def fails(path):
    with pytest.raises(DataError) as caught:
        list(JSONLReader(path).blocks())
    return caught.value


def test_objects_come_as_columns_of_text_with_their_lines(write):
    path = write('{"text": "a", "n": 1}\n\n{"n": 0.5, "text": null}\n{"text": "ü", "n": true}\n', "x.jsonl")
    (block,) = JSONLReader(path).blocks()
    assert block.columns == {"text": ["a", "", "ü"], "n": ["1", "0.5", "true"]}
    assert [block.place(i)[1] for i in range(3)] == [1, 3, 4]
    assert JSONLReader(path).columns() == ("text", "n")


def test_blocks_number_their_rows_and_forget_the_ones_before(write):
    path = write("".join(f'{{"i": {i}}}\n' for i in range(10_000)), "x.jsonl")
    blocks = list(JSONLReader(path).blocks())
    assert [(block.start, len(block)) for block in blocks] == [(0, 4096), (4096, 4096), (8192, 1808)]
    assert blocks[1].columns["i"][0] == "4096"
    assert blocks[2].place(0)[1] == 8193


def test_gzip_and_a_byte_order_mark_are_read(tmp_path):
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress(b'\xef\xbb\xbf{"a": 1}\n'))
    assert next(JSONLReader(path).blocks()).columns == {"a": ["1"]}
    assert [block.columns for block in JSONLReader.at(tmp_path).blocks()] == [{"a": ["1"]}]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "3: expected a JSON object: "),
        ("[1]", "3: expected a JSON object such as"),
        ("{}", "3: expected a JSON object such as"),
        ('{"a": 1}', '3: the object lacks the key "b", unlike the first one'),
        ('{"a": 1, "b": 2, "bb": 3}', '3: the object has the key "bb", unlike the first one'),
        ('{"a": [1], "b": 2}', "3: a: expected a text or a number, got"),
        ("\0", "3: a NUL byte stands in the line"),
        ("9" * 5000, "3: expected a JSON object"),
    ],
)
def test_a_wrong_line_is_named_with_its_number(write, line, message):
    path = write(f'{{"a": 1, "b": 2}}\n{{"a": 1, "b": 2}}\n{line}\n{{"a": 1, "b": 2}}\n', "x.jsonl")
    assert str(fails(path)).startswith(f"{path}:{message}")


def test_all_wrong_lines_are_told_the_first_ten_by_name(write):
    path = write('{"a": 1}\n' + "[]\n" * 25, "x.jsonl")
    lines = str(fails(path)).splitlines()
    assert len(lines) == 11
    assert "25 mistakes in all" in lines[-1]


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file_is_refused(write, text):
    path = write(text, "x.jsonl")
    assert "the file is empty" in str(fails(path))
    with pytest.raises(DataError, match="the file is empty"):
        JSONLReader(path).columns()


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path, data):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"a": 1}\n' + data)
    refused = None
    try:
        list(JSONLReader(path).blocks())
    except DataError as err:
        refused = str(err)
    assert refused is None or refused.startswith(str(path))
