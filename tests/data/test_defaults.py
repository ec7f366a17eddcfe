from __future__ import annotations

import numpy as np
import pytest

from trainer_cli.data.block import Block, Places
from trainer_cli.data.defaults import default_features, default_target, first_block, use
from trainer_cli.data.readers.csv import CSVReader
from trainer_cli.errors import DataError
from trainer_cli.registry import registry

BYTES = np.zeros((2, 4, 4), np.uint8)


@pytest.mark.parametrize(
    ("columns", "section"),
    [
        ({"image": BYTES, "label": np.array([1, 2])}, {"@encoders": "labels.v1", "column": "label"}),
        ({"X": BYTES, "Y": np.array([1.5, 2])}, {"@encoders": "numbers.v1", "column": "Y"}),
        ({"a": ["1", "2"], "label": ["x", "y"]}, {"@encoders": "labels.v1", "column": "label"}),
        ({"a": ["1", "2"], "label": ["1", "2"]}, {"@encoders": "labels.v1", "column": "label"}),
        ({"a": ["1", "2"], "label": ["1.5", "2"]}, {"@encoders": "numbers.v1", "column": "label"}),
    ],
)
def test_a_target_without_doubt(block, columns, section):
    assert default_target(block(**columns)) == section
    assert registry.has("encoders", section["@encoders"])


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"a": ["1", "2"], "b": ["x", "y"]}, 'the columns are "a", "b"'),
        ({"label": ["1", "2"], "Y": ["x", "y"]}, 'the columns are "label", "Y"'),
        ({"label": np.arange(2000)}, '"label" has more than 1000 different values'),
        ({"label": np.zeros((2, 3))}, '"label" holds arrays'),
        ({"label": [["a"], []]}, '"label" holds arrays'),
    ],
)
def test_a_target_in_doubt_says_what_to_write(block, columns, why):
    with pytest.raises(DataError) as caught:
        default_target(block(**columns))
    assert str(caught.value).startswith(
        f'target: [target] is left out and the data leave a doubt: {why}; write [target] with @encoders = "labels.v1"'
    )


@pytest.mark.parametrize(
    ("columns", "section"),
    [
        ({"image": BYTES}, {"@encoders": "arrays.v1", "column": "image"}),
        ({"X": np.zeros((2, 3))}, {"@encoders": "arrays.v1", "column": "X"}),
        ({"a": ["1", "2"], "b": ["0.5", "3"]}, {"@encoders": "columns.v1"}),
        ({"a": ["1", "2"], "b": ["0.5", ""]}, {"@encoders": "numbers.v1", "columns": ["a", "b"]}),
        ({"a": ["1", "N/A"]}, {"@encoders": "numbers.v1", "columns": ["a"]}),
        ({"a": np.array([0.5, np.nan])}, {"@encoders": "numbers.v1", "columns": ["a"]}),
        ({"a": ["2024-01-01", ""]}, {"@encoders": "dates.v1", "columns": ["a"]}),
        ({"a": np.array([1, 2]), "b": np.array([0.5, 1])}, {"@encoders": "columns.v1"}),
    ],
)
def test_features_without_doubt(block, columns, section):
    assert default_features(block(**columns, label=["x", "y"]), ("label",)) == section
    assert registry.has("encoders", section["@encoders"])


def test_a_column_of_the_rows_own_paths_is_no_feature():
    columns = {"image": BYTES, "label": ["x", "y"], "path": ["x/1.png", "y/2.png"]}
    block = Block(columns, Places("folder", paths=["x/1.png", "y/2.png"]))
    assert default_features(block, ("label",)) == {"@encoders": "arrays.v1", "column": "image"}
    with pytest.raises(DataError, match=r'"path" holds "x/1\.png"'):
        default_features(Block(columns), ("label",))


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"a": ["1", "2"], "name": ["", "y"]}, '"name" holds "y" (data.csv:3)'),
        ({"a": ["1", "N/A"], "name": ["N/A", "y"]}, '"name" holds "y" (data.csv:3)'),
        ({"a": ["1", "2"], "name": ["", " "]}, '"name" is empty'),
        ({"X": np.zeros((2, 3), np.uint8)}, '"X" holds arrays (3,) of uint8'),
        ({"X": np.array([1j, 2])}, '"X" holds complex128'),
        ({name: ["x", "y"] for name in "abcdefgh"}, '"f" holds "x" (data.csv:2) and 2 more'),
        ({"t": [["a"], []]}, '"t" holds lists of texts'),
        ({}, "no column is left beside the target"),
    ],
)
def test_features_in_doubt_say_what_to_write(block, columns, why):
    with pytest.raises(DataError) as caught:
        default_features(block(**columns, label=["x", "y"]), ("label",))
    said = str(caught.value)
    assert said.startswith("features: [features] is left out and the data leave a doubt: ")
    encoder = "numbers.v1" if "N/A" in columns.get("a", ()) else "columns.v1"
    assert f'{why}; write [features] with @encoders = "{encoder}", columns = [' in said


TABLE = {
    "size": ["1.5", "NA"] * 20,
    "kind": ["x", "y", "", "y"] * 10,
    "n": ["1", "2"] * 20,
    "day": ["2024-01-31", "2023-12-01"] * 20,
}


def test_columns_of_several_kinds_have_an_encoder_each(block):
    assert default_features(block(**TABLE, label=["x", "y"] * 20), ("label",)) == {
        "@encoders": "columns.v1",
        "*": {
            "numbers": {"@encoders": "numbers.v1", "columns": ["size", "n"]},
            "categories": {"@encoders": "categories.v1", "columns": ["kind"]},
            "dates": {"@encoders": "dates.v1", "columns": ["day"]},
        },
    }
    kinds = {"kind": TABLE["kind"], "colour": ["red"] * 40}
    assert default_features(block(**kinds, label=["x", "y"] * 20), ("label",)) == {
        "@encoders": "categories.v1",
        "columns": ["kind", "colour"],
    }


@pytest.mark.parametrize(
    ("values", "way"),
    [
        ([f"v{i % 4}" for i in range(40)], "category"),
        ([f"v{i % 5}" for i in range(40)], "text"),
        ([f"v{i % 32}" for i in range(400)], "category"),
        ([f"v{i % 33}" for i in range(400)], "text"),
        (["20240131", "20240201"], "number"),
        (["2024-01-31", "-"], "date"),
        (["2024-01-31", "x"], "text"),
        (["", "NA"], "empty"),
        (np.array([1, 2]), "number"),
        (np.zeros((2, 2)), "array"),
        ([["a"]], "tokens"),
    ],
)
def test_what_a_column_can_be_used_as(values, way):
    assert use(values) == way


def test_what_was_chosen_encodes_the_rows(block):
    from trainer_cli.sources import made

    rows = block(**TABLE)
    encoder = made(default_features(block(**TABLE, label=["x", "y"] * 20), ("label",)))
    encoder.choose(tuple(TABLE))
    encoder.fit(rows)
    encoder.finish_fit()
    assert encoder.encode(rows).shape == (40, 3 + 3 + 6)


def test_features_in_doubt_name_the_columns_that_would_do(block):
    with pytest.raises(DataError, match=r'columns = \["b c", "d"\]$'):
        default_features(block(**{"a": ["x"], "b c": ["1"], "d": ["2"]}, label=["x"]), ("label",))
    with pytest.raises(DataError, match=r'columns = \["a", "b", "c", "d", "e", "f", \.\.\.\]$'):
        default_features(block(**{name: ["1"] for name in "abcdefg"}, X=["x"], label=["x"]), ("label",))


def test_the_first_block_is_the_first_rows(write):
    assert first_block(CSVReader(write("a\n1\n2\n"))).columns == {"a": ["1", "2"]}
