from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli.data.faults import Faults
from trainer_cli.data.readers.jsonl import JSONLReader
from trainer_cli.errors import ArgumentError, DataError


def fails(path, **arguments):
    with pytest.raises(DataError) as caught:
        list(JSONLReader(path, **arguments).blocks())
    return caught.value


def test_objects_come_as_columns_of_text_with_their_lines(write):
    path = write('{"text": "a", "n": 1}\n\n{"n": 0.5, "text": null}\n{"text": "ü", "n": true}\n', "x.jsonl")
    (block,) = JSONLReader(path).blocks()
    assert block.columns == {"text": ["a", "", "ü"], "n": ["1", "0.5", "true"]}
    assert [block.place(i)[1] for i in range(3)] == [1, 3, 4]
    assert JSONLReader(path).columns() == ("text", "n")


def test_lists_of_texts_are_tokens_and_lists_of_numbers_arrays(write):
    path = write('{"t": ["a", "b"], "n": [1, 2.5]}\n{"t": [], "n": [3, -1]}\n{"t": null, "n": [0, 0]}\n', "x.jsonl")
    (block,) = JSONLReader(path).blocks()
    assert block.tokens("t") == [["a", "b"], [], []]
    np.testing.assert_array_equal(block.columns["n"], [[1, 2.5], [3, -1], [0, 0]])
    assert block.records[0] == {"t": ["a", "b"], "n": [1, 2.5]}


def test_the_columns_are_all_keys_of_the_first_block_and_what_an_object_lacks_is_missing(write):
    path = write('{"a": "x", "t": ["y"]}\n{"t": []}\n{"b": null, "a": 1, "n": [1, 2]}\n', "x.jsonl")
    reader = JSONLReader(path)
    assert reader.columns() == ("a", "t", "b", "n")
    (block,) = reader.blocks()
    numbers = block.columns["n"]
    assert {name: values for name, values in block.columns.items() if name != "n"} == {
        "a": ["x", "", "1"],
        "t": [["y"], [], []],
        "b": ["", "", ""],
    }
    np.testing.assert_array_equal(numbers, [[np.nan, np.nan], [np.nan, np.nan], [1, 2]])
    assert block.records[1] == {"t": []}


def test_a_column_is_of_the_kind_of_its_first_value_that_is_there(write):
    path = write('{"t": null}\n{"u": 1}\n{"t": ["a"]}\n', "x.jsonl")
    assert next(JSONLReader(path).blocks()).columns == {"t": [[], [], ["a"]], "u": ["", "1", ""]}


def test_missing_keys_may_be_refused(write):
    path = write('{"a": "x", "t": ["y"]}\n{"t": []}\n{"a": 1, "t": [], "b": 2}\n', "x.jsonl")
    assert JSONLReader(path, missing="error").columns() == ("a", "t")
    said = str(fails(path, missing="error"))
    assert '2: the object lacks the key "a", unlike the first one; missing = "empty" takes it as empty' in said
    assert '3: the object has the key "b", unlike the first one' in said
    with pytest.raises(ArgumentError, match='missing: missing is "error" or "empty", got True'):
        JSONLReader(path, missing=True)


def test_a_key_that_first_appears_after_the_first_block_is_refused_unless_the_columns_are_named(write):
    path = write('{"a": "x"}\n' * 4096 + '{"a": "y", "bb": ["z"]}\n', "x.jsonl")
    said = str(fails(path))
    assert said.startswith(f'{path}:4097: the key "bb" is not among those of the first objects')
    assert said.endswith("Name the columns to read, as columns = [...] does")
    assert [len(block) for block in JSONLReader(path, columns=["a"]).blocks()] == [4096, 1]
    both = JSONLReader(path, columns=["bb", "a"])
    assert both.columns() == ("bb", "a")
    one, other = both.blocks()
    assert (one.columns["bb"][0], other.columns) == ([], {"bb": [["z"]], "a": ["y"]})
    with pytest.raises(DataError, match=r'no column "b"\. Their columns are "a", "bb"'):
        JSONLReader(path, columns=["a", "b"]).columns()


def test_all_files_have_the_columns_of_the_first(write, tmp_path):
    write('{"a": ["x"], "b": 2}\n', "1.jsonl")
    write('{"b": 1}\n', "2.jsonl")
    blocks = list(JSONLReader(tmp_path / "*.jsonl").blocks())
    assert [block.columns for block in blocks] == [{"a": [["x"]], "b": ["2"]}, {"a": [[]], "b": ["1"]}]
    write('{"b": 1}\n{"c": 1}\n', "3.jsonl")
    assert f'{tmp_path}/3.jsonl:2: the key "c" is not among' in str(fails(tmp_path / "*.jsonl"))


def test_narrowed_to_some_columns_all_other_keys_may_be_anything(write):
    path = write('{"a": "x", "m": {"n": 1}, "k": [[1]]}\n' * 4096 + '{"a": "y", "late": {}, "m": [1]}\n', "x.jsonl")
    reader = JSONLReader(path)
    reader.narrow(["a"])
    one, other = reader.blocks()
    assert (one.columns["a"][0], other.columns["a"], one.columns["m.n"][0]) == ("x", ["y"], "1")
    assert (one.records[0], other.records[0]) == (
        {"a": "x", "m": {"n": 1}, "k": [[1]]},
        {"a": "y", "late": {}, "m": [1]},
    )
    reader.narrow(["k"])
    with pytest.raises(DataError, match="1: k: expected a list of texts"):
        list(reader.blocks())


def test_a_table_is_told_by_its_first_line_alone(write):
    path = write("text,label\n" + "good,1\n" * 500, "x.jsonl")
    assert str(fails(path)) == f'{path}:1: the file looks like CSV: take @readers = "csv.v1"'
    mixed = write('{"text": "a"}\ntext,label\n', "y.jsonl")
    assert "2: expected a JSON object: " in str(fails(mixed))


def test_no_word_stands_twice_in_what_the_parser_says(write):
    path = write('{"a": "x\n{"a": 1}\n', "x.jsonl")
    said = str(fails(path))
    assert "Invalid control character at character 9" in said
    assert "when when" not in said


@pytest.mark.parametrize(
    ("first", "value", "message"),
    [
        ('["a"]', '"a"', "a: expected a list of texts, got"),
        ('["a"]', '["a", 1]', "a: expected a list of texts, got"),
        ("[]", "[1]", "a: expected a list of texts, got"),
        ("[1, 2]", "[1]", "a: expected a list of 2 numbers, got"),
        ("[1, 2]", "[1, true]", "a: expected a list of 2 numbers, got"),
        ('"x"', '["a"]', "a: expected a text or a number, got"),
        ('"x"', '[{"b": 1}]', "a: expected a text or a number, got"),
    ],
)
def test_a_value_of_another_kind_than_the_first_is_refused(write, first, value, message):
    path = write(f'{{"a": {first}}}\n{{"a": {value}}}\n', "x.jsonl")
    assert str(fails(path)).startswith(f"{path}:2: {message}")


@pytest.mark.parametrize("first", ['[["a"]]', "[1, true]", "[null]"])
def test_a_first_value_that_fits_no_column_is_refused(write, first):
    path = write(f'{{"a": {first}}}\n', "x.jsonl")
    assert str(fails(path)).startswith(f"{path}:1: a: expected a ")


def test_an_array_of_objects_is_sent_to_its_reader(write):
    path = write('[\n{"a": 1}\n]\n', "x.jsonl")
    assert "1: expected a JSON object" in (said := str(fails(path)))
    assert 'an array of objects is read by @readers = "json.v1"' in said


def test_another_encoding_is_read(write):
    path = write('{"a": "\u00fc"}\n'.encode("latin-1"), "x.jsonl")
    assert next(JSONLReader(path, text_encoding="latin-1").blocks()).columns == {"a": ["\u00fc"]}
    assert str(fails(path)).startswith(f"{path}:1: the file must be UTF-8 text, got byte 0xfc")


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
        ('{"a": [1], "b": 2}', "3: a: expected a text or a number, got"),
        ("\0", "3: a NUL byte stands in the line"),
        ("9" * 5000, "3: expected a JSON object: a whole number has more than 4,300 digits: write it as a text\n"),
        (
            '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}",
            "3: expected a JSON object: brackets are nested deeper than 64",
        ),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "3: expected a JSON object: brackets are nested deeper than 64"),
        ("[" * 100_000, "3: expected a JSON object: brackets are nested deeper than 64"),
    ],
)
def test_a_wrong_line_is_named_with_its_number(write, line, message):
    path = write(f'{{"a": 1, "b": 2}}\n{{"a": 1, "b": 2}}\n{line}\n{{"a": 1, "b": 2}}\n', "x.jsonl")
    assert (str(fails(path)) + "\n").startswith(f"{path}:{message}")


def test_a_line_after_one_that_is_nested_too_deeply_is_read_and_brackets_in_texts_are_none(write):
    path = write('{"a": 1}\n{"a": ' + "[" * 100_000 + "]" * 100_000 + '}\n{"a": "' + "[{" * 90 + '"}\n', "x.jsonl")
    (block,) = Faults().watch(JSONLReader(path).blocks())
    assert block.columns == {"a": ["1", "[{" * 90]}


def test_all_wrong_lines_are_told_the_first_ten_by_name(write):
    path = write('{"a": 1}\n' + "[]\n" * 24 + "[1]\n", "x.jsonl")
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


def test_memory_does_not_grow_with_the_file(write, assert_streams):
    assert_streams(lambda n: JSONLReader(write('{"a": ["x", "y"], "n": [1, 2]}\n' * n, "x.jsonl")))


def test_numbers_are_read_to_the_last_bit_and_written_as_python_writes_them(tmp_path):
    numbers = np.random.default_rng(0).normal(size=300) * 10.0 ** np.arange(-150, 150)
    lines = [f'{{"x": {value!r}, "n": 12345678901234567890123}}' for value in [0.3, 0.7, *numbers.tolist()]]
    (tmp_path / "x.jsonl").write_text("\n".join(lines))
    (block,) = JSONLReader(tmp_path / "x.jsonl").blocks()
    assert [float(text) for text in block.columns["x"]] == [0.3, 0.7, *numbers.tolist()]
    assert block.columns["x"][:2] == ["0.3", "0.7"]
    assert block.columns["n"][0] == "12345678901234567890123"


@pytest.mark.parametrize(
    ("line", "message"),
    [('{"a": 1, "a": 2}', "the key 'a' comes twice"), ('{"a": NaN}', "NaN is no JSON: write null")],
)
def test_values_that_could_mean_two_things_are_told(tmp_path, line, message):
    (tmp_path / "x.jsonl").write_text(f'{{"a": 1}}\n{line}\n')
    with pytest.raises(DataError, match=rf"x\.jsonl:2: expected a JSON object: {message}"):
        list(JSONLReader(tmp_path / "x.jsonl").blocks())


def columns_of(path, **arguments):
    return [dict(block.columns) for block in JSONLReader(path, **arguments).blocks()]


def test_values_in_objects_have_dotted_names_and_records_stay_as_they_are(write):
    path = write('{"a": 1, "m": {"lang": "en", "x": {"y": [1, 2]}}}\n{"m": null, "a": 2}\n{"m": {}}\n', "x.jsonl")
    (block,) = JSONLReader(path, columns=["m.lang", "a"]).blocks()
    assert block.columns == {"m.lang": ["en", "", ""], "a": ["1", "2", ""]}
    assert block.records[0] == {"m": {"lang": "en", "x": {"y": [1, 2]}}, "a": 1}
    (block,) = JSONLReader(path).blocks()
    assert list(block.columns) == ["a", "m.lang", "m.x.y"]
    np.testing.assert_array_equal(block.columns["m.x.y"], [[1, 2], [np.nan] * 2, [np.nan] * 2])
    assert block.records[1:] == [{"m": None, "a": 2}, {"m": {}}]


def test_an_object_may_be_null_in_later_blocks_alone(write):
    path = write('{"m": {"n": 1}}\n' * 4096 + '{"m": null}\n{"m": {}}\n', "x.jsonl")
    assert columns_of(path)[1] == {"m.n": ["", ""]}
    late = write('{"m": {"n": 1}}\n' * 4096 + '{"m": {"k": 1}}\n', "y.jsonl")
    assert '4097: the key "m.k" is not among those of the first objects' in str(fails(late))


def test_lists_with_objects_are_texts_of_json(write):
    path = write('{"a": [], "b": "x"}\n{"a": [{"k": "ä"}], "b": "y"}\n{"b": "z"}\n', "x.jsonl")
    assert columns_of(path) == [{"a": ["[]", '[{"k": "ä"}]', ""], "b": ["x", "y", "z"]}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"m.n": 1, "m": {"n": 2}}', ':1: the name "m.n" comes twice, as a key and as that of a value in an object'),
        ('{"m": {}}', ": the objects have no values"),
        ('{"a": ' + '{"b": ' * 60 + "1" + "}" * 61, ": expected a text or a number, got "),
        ('{"m": {"n": 1}}\n{"m": null}', ':2: the object lacks the key "m.n", unlike the first one'),
    ],
)
def test_objects_that_are_no_columns_are_refused(write, text, message):
    path = write(text, "x.jsonl")
    missing = "error" if "\n" in text else "empty"
    assert message in str(fails(path, missing=missing))
