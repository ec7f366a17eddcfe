from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli.data.faults import Faults
from trainer_cli.data.readers import json as json_module
from trainer_cli.data.readers.json import JSONReader
from trainer_cli.data.readers.jsonl import JSONLReader
from trainer_cli.errors import DataError


def fails(path, **arguments) -> str:
    with pytest.raises(DataError) as caught:
        list(JSONReader(path, **arguments).blocks())
    return str(caught.value)


def test_an_array_of_objects_comes_as_columns_with_their_lines(write):
    path = write(
        '[\n  {"a": 1, "t": ["x"]},\n  {\n    "t": [],\n    "a": "ü"\n  }, {"a": null, "t": []}\n]\n', "x.json"
    )
    (block,) = JSONReader(path).blocks()
    assert block.columns == {"a": ["1", "ü", ""], "t": [["x"], [], []]}
    assert [block.place(i)[1] for i in range(3)] == [2, 3, 6]
    assert block.records[0] == {"a": 1, "t": ["x"]}
    assert JSONReader(path).columns() == ("a", "t")


VALUES = st.text(st.characters(exclude_categories=["Cs"])) | st.integers(-(2**53), 2**53) | st.booleans() | st.none()


@given(
    records=st.lists(st.fixed_dictionaries({"a": VALUES, "b": VALUES}), min_size=1), indent=st.sampled_from([None, 1])
)
def test_it_reads_what_json_writes_as_json_lines_are_read(write, records, indent):
    array = write(json.dumps(records, indent=indent, ensure_ascii=False), "x.json")
    lines = write("".join(json.dumps(record) + "\n" for record in records), "x.jsonl")
    (one,), (other,) = JSONReader(array).blocks(), JSONLReader(lines).blocks()
    assert (one.columns, list(one.records)) == (other.columns, list(other.records))


def test_long_objects_are_read_whole(write):
    records = [{"a": "x" * n} for n in (10, 200_000, 3_000_000, 1)]
    blocks = list(JSONReader(write(json.dumps(records), "x.json")).blocks())
    assert [len(text) for block in blocks for text in block.columns["a"]] == [10, 200_000, 3_000_000, 1]


def test_blocks_number_their_rows_and_limit_ends_the_reading(write):
    path = write(json.dumps([{"i": i} for i in range(10_000)]) + "]", "x.json")
    blocks = JSONReader(path, limit=5000).blocks()
    assert [(block.start, len(block), block.columns["i"][0]) for block in blocks] == [
        (0, 4096, "0"),
        (4096, 904, "4096"),
    ]
    assert 'expected the end of the file after the array, got "]"' in fails(path)


WRONG = [
    ("", ':1: expected "[", got the end of the file'),
    ("[]", ":1: the array is empty; it must have an object a row"),
    ("\n\n[\n\n]", ":5: the array is empty; it must have an object a row"),
    ('\n{"a": 1}\n{"a": 2}', ':2: expected "[", got "{"; an object a line is read by @readers = "jsonl.v1"'),
    ('[{"a": 1}', ':1: expected ",", got the end of the file'),
    ('[\n{"a": 1}\n{"a": 2}]', ':3: expected ",", got "{"'),
    ('[{"a": 1},\n]', ":2: expected another object after the comma"),
    ('[{"a": 1},\n3,\n{"a": 2}, []]', ":2: expected an object such as"),
    ('[{"a": 1},\n\n{"a": 2,\n\nb: 3}]', ":5: expected JSON: Expecting property name enclosed in double quotes"),
    ('[{"a": 1},\n{"a": "x', ":2: expected JSON: Unterminated string"),
    (
        '\n{"n": 1, "data": [{"a": 1},\n{"a": 2}]}',
        ':2: expected "[", got "{"; json.v1 takes an array of objects, which this file has under the key "data": save',
    ),
    ('{"rows": [{"a": 1},', ':1: expected "[", got "{"; json.v1 takes an array of objects, which this file has under'),
    ('[{"a": [1]},\n{"a": [1' + "0" * 400 + "]}]", ":2: a: expected a list of 1 numbers, got"),
    (
        '[{"a": 1},\n{"a": 1' + "0" * 5000 + "}]",
        ":2: expected JSON: a whole number has more than 4,300 digits: write it",
    ),
    ("[" + '{"a":' * 100_000, ":1: expected JSON: brackets are nested deeper than 64; nothing from here"),
    ('[{"a": 1},\n{"a": "' + "x" * (1 << 23) + '"}]', ":2: an object that begins here is longer than 4 MiB"),
    ('[{"a": 1}]\n\nx', ':3: expected the end of the file after the array, got "x"'),
    (b'[{"a": 1},\n{"a": "\xff"}]', ":2: the file must be UTF-8 text, got byte 0xff; save it as UTF-8"),
    (b'[{"a": 1},\n{"a": "\xc3', ":2: the file must be UTF-8 text, got byte 0xc3; save it as UTF-8"),
]


@pytest.mark.parametrize(("content", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_is_wrong_is_told_with_its_line(write, content, message):
    path = write(content, "x.json")
    assert fails(path).startswith(f"{path}{message}")


def test_an_object_after_one_that_is_nested_too_deeply_is_read(write):
    path = write('[{"a": 1},\n{"a": ' + "[" * 200 + "]" * 200 + '},\n{"a": 2}]', "x.json")
    faults = Faults()
    (block,) = faults.watch(JSONReader(path).blocks())
    assert (block.columns, str(faults.error())) == (
        {"a": ["1", "2"]},
        f"{path}:2: brackets are nested deeper than 64",
    )


def test_columns_alone_tells_what_is_wrong_with_the_beginning(write):
    with pytest.raises(DataError, match=r'x\.json:1: expected "\[", got "a"'):
        JSONReader(write("a,b\n", "x.json")).columns()


def test_other_encodings_and_a_byte_order_mark_are_read(write):
    for encoding in ("utf-16", "latin-1"):
        path = write('[{"a": "ü"}]'.encode(encoding), "x.json")
        assert next(JSONReader(path, text_encoding=encoding).blocks()).columns == {"a": ["ü"]}
    assert next(JSONReader(write(b'\xef\xbb\xbf[{"a": 1}]', "x.json")).blocks()).columns == {"a": ["1"]}


@given(content=st.binary(max_size=200) | st.text('[]{},:"a1 \n', max_size=40).map(str.encode))
def test_any_bytes_are_read_or_refused_in_one_way(write, content):
    path = write(b'[{"a": 1}' + content, "x.json")
    try:
        list(JSONReader(path).blocks())
    except DataError as err:
        refusal = err
    else:
        return
    assert all(problem.path == str(path) and problem.line for problem in refusal.problems)


def build(write):
    return lambda n: JSONReader(write("[" + ",\n".join(['{"a": "x"}'] * n) + "]", "x.json"))


def test_memory_does_not_grow_with_the_file(write, assert_streams):
    assert_streams(build(write))


def test_a_reader_that_reads_the_file_whole_would_be_noticed(write, assert_streams, monkeypatch):
    pieces = json_module.texts
    monkeypatch.setattr(json_module, "texts", lambda *arguments: iter(["".join(list(pieces(*arguments)))]))
    with pytest.raises(AssertionError):
        assert_streams(build(write), many=60_000)


def test_keys_may_be_missing_as_in_json_lines(write):
    path = write('[{"a": 1},\n{"b": ["x"]}]', "x.json")
    assert next(JSONReader(path).blocks()).columns == {"a": ["1", ""], "b": [[], ["x"]]}
    assert ':2: the object has the key "b", unlike the first one' in fails(path, missing="error")
