"""numbers.v1 with `columns`: numbers to predict from, missing ones among them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli.data.block import Block, Places
from trainer_cli.data.encoders import moments, numeric
from trainer_cli.data.encoders.numbers import Numbers
from trainer_cli.errors import DataError, ModelFileError


def fitted(*blocks: Block, **arguments: object) -> Numbers:
    encoder = Numbers(columns=list(blocks[0].columns), **arguments)
    encoder.choose(tuple(blocks[0].columns))
    for block in blocks:
        encoder.fit(block)
    encoder.finish_fit()
    return encoder


def test_a_missing_value_is_the_mean_and_a_flag_by_hand(block):
    rows = block(a=["1", "", "3"], b=["0", "2", "4"])
    encoder = fitted(rows)
    deviation = math.sqrt(8 / 3)
    expected = [[-1, -2 / deviation, 0], [0, 0, 1], [1, 2 / deviation, 0]]
    np.testing.assert_allclose(encoder.encode(rows), expected, rtol=1e-7)
    assert (encoder.width, encoder.reads, encoder.encode(rows).dtype) == (3, ("a", "b"), np.float32)


@pytest.mark.parametrize("word", ["", " ", "NA", "n/a", "null", "NaN", "none", "?", "-", " . "])
def test_the_usual_words_for_missing_are_taken(block, word):
    assert fitted(block(a=["1", word, "3"])).encode(block(a=[word, "1"])).tolist() == [[0, 1], [-1, 0]]


def test_a_value_missing_where_training_missed_none_is_filled_without_a_flag(block):
    assert fitted(block(a=["1", "3"])).encode(block(a=["", "3"])).tolist() == [[0], [1]]


def test_missing_numbers_of_an_array_have_a_flag_each(block):
    rows = block(X=np.array([[1, np.nan, 5], [3, 2, 6], [2, 4, 7]]))
    encoder = fitted(rows)
    assert encoder.width == 4
    assert encoder.encode(rows)[:, 3].tolist() == [1, 0, 0]
    assert encoder.encode(block(X=np.array([[2, 3, np.nan]]))).tolist() == [[0, 0, 0, 0]]


def test_missing_values_have_no_part_in_the_statistics_whatever_the_blocks(block):
    encoder = fitted(block(a=["", ""]), block(a=["2", ""]), block(a=["", "6"]))
    assert (encoder.mean.tolist(), encoder.scale.tolist()) == ([4.0], [2.0])


def test_filling_with_zero_before_the_statistics_would_be_noticed(block, monkeypatch):
    monkeypatch.setattr(numeric, "floats", lambda *_, **__: np.array([2.0, 6.0, 0.0]))
    encoder = fitted(block(a=["2", "6", ""]))
    assert encoder.mean.tolist() != [4.0]


@given(
    st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=40),
    st.lists(st.integers(0, 40), max_size=3),
)
def test_statistics_are_those_of_the_present_values(values, cuts):
    column = np.array([math.nan if value is None else value for value in values])[:, None]
    found = moments.Moments()
    for part in np.split(column, sorted(min(cut, len(column)) for cut in cuts)):
        found.add(part)
    there = column[~np.isnan(column)]
    assert (found.n_rows, found.n.tolist()) == (len(column), [len(there)])
    if len(there):
        assert found.mean[0] == pytest.approx(there.mean(), rel=1e-12, abs=1e-9)
        if there.std() > 1e-6:
            assert found.scale[0] == pytest.approx(there.std(), rel=1e-9)


def test_a_constant_is_zero_in_all_rows_and_a_column_without_values_is_told(block):
    encoder = fitted(block(a=["5", "", "5"]))
    assert encoder.encode(block(a=["5", "7", ""])).tolist() == [[0, 0], [0, 0], [0, 1]]
    with pytest.raises(DataError, match="columns: column a has no value in any training row: leave it out"):
        fitted(block(a=["", "NA"], b=["1", "2"]))


def test_outliers_are_cut_to_clip_deviations(block):
    rows = block(a=["-1", "1"])
    far = block(a=["1e300", "-25", "9"])
    assert fitted(rows).encode(far).tolist() == [[10], [-10], [9]]
    assert fitted(rows, clip=2.5).encode(far).tolist() == [[2.5], [-2.5], [2.5]]
    with pytest.raises(DataError, match=r"data.csv:2: a: 1e\+300 is too far from the training data's mean 0"):
        fitted(rows, clip=0).encode(far)


def test_no_row_of_a_hundred_and_one_is_cut_by_default(block):
    values = ["0"] * 100 + ["1e9"]
    assert fitted(block(a=values)).encode(block(a=["1e9"])).tolist() == [[10.0]]
    assert fitted(block(a=values), clip=0).encode(block(a=["1e9"])).tolist() == [[10.0]]


def test_missing_may_be_an_error(block):
    assert fitted(block(a=["1", "3"]), missing="error").encode(block(a=["3"])).tolist() == [[1]]
    with pytest.raises(DataError, match=r'data.csv:3: a: the value is empty; .*; missing = "mean" fills it in'):
        fitted(block(a=["1", ""]), missing="error")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"column": "a", "columns": ["b"]}, "columns: column is a number to predict, columns are features"),
        ({"column": "a", "clip": 3.0}, "clip: clip is for features, columns = [...]; a number to predict takes none"),
        ({"missing": "mean"}, 'missing: a number to predict takes missing = "error" or "skip"'),
        ({"columns": ["a"], "missing": "skip"}, 'missing: numbers to predict from take missing = "mean" or "error"'),
        ({"columns": ["a"], "clip": -1.0}, "clip: clip must be a number of deviations, 0 for no limit, got -1.0"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(DataError) as caught:
        Numbers(**arguments)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["a", "b"], 'columns: no column is called "b"'),
        (["a", "a"], 'columns: each column can be used once, got "a", "a"'),
        ([], "columns: no columns are left"),
    ],
)
def test_wrong_columns_name_the_argument(columns, message):
    with pytest.raises(DataError) as caught:
        Numbers(columns=columns).choose(("a", "c"))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["1", "x"], 'data.csv:3: a: expected a number, got "x"'),
        (
            ["1,5", ""],
            'data.csv:2: a: expected a number, got "1,5". Did you mean 1.5? numbers.v1 reads it with decimal = ","',
        ),
        (["1", "inf"], 'data.csv:3: a: expected a finite number, got "inf"'),
        (
            ["x", ""] * 20,
            "data.csv:1: a: the column holds text, not numbers: categories.v1 or dates.v1 may take it",
        ),
        (np.array([1, np.inf]), "data.csv:3: a: expected a finite number, got inf"),
        (np.array([1j, 1]), "data.csv: a: expected numbers, got complex128"),
        (np.zeros((2, 2, 2)), "data.csv: a: expected numbers, got arrays (2, 2); arrays.v1 takes them"),
    ],
)
def test_what_is_no_number_is_told_with_its_line(block, values, message):
    with pytest.raises(DataError) as caught:
        fitted(block(a=values))
    assert str(caught.value) == message


def test_numbers_of_neither_role_say_both():
    with pytest.raises(DataError, match=r'name the column to predict, as column = "...", or features, as columns = \['):
        Numbers().choose(("a", "b"))


def test_state_brings_back_every_bit(block):
    rows = Block({"a": ["0.1", "", "0.7"], "X": np.array([[1, 2], [3, 2], [np.nan, 2]])}, Places("data.csv"))
    encoder = fitted(rows, clip=1.0)
    other = Numbers.from_state(*encoder.to_state())
    assert other.encode(rows).tobytes() == encoder.encode(rows).tobytes()
    assert (other.to_state()[0], other.width) == (encoder.to_state()[0], encoder.width)


@pytest.mark.parametrize(
    ("state", "arrays"),
    [
        ({"columns": []}, {}),
        ({"sizes": [1]}, {}),
        ({"flagged": [2]}, {}),
        ({"flagged": [1, 0]}, {}),
        ({"flagged": [True]}, {}),
        ({"flagged": None}, {}),
        ({"clip": -1.0}, {}),
        ({"clip": math.inf}, {}),
        ({"clip": True}, {}),
        ({"missing": "median"}, {}),
        ({"missing": ["mean"]}, {}),
        ({}, {"mean": np.zeros(3)}),
        ({}, {"scale": np.array([-1.0, 1.0])}),
    ],
)
def test_a_damaged_state_is_refused(block, state, arrays):
    good = fitted(block(a=["1", ""], b=["2", "4"])).to_state()
    Numbers.from_state(*good)
    with pytest.raises(ModelFileError, match="the encoder's"):
        Numbers.from_state({**good[0], **state}, {**good[1], **arrays})


def test_what_is_no_number_may_count_as_missing(block):
    encoder = Numbers(columns=["a"], invalid="missing")
    train = block(a=["1", "3", "x", "inf"])
    encoder.choose(("a",))
    encoder.fit(train)
    encoder.finish_fit()
    np.testing.assert_allclose(encoder.encode(train), [[-1, 0], [1, 0], [0, 1], [0, 1]])
    again = Numbers.from_state(*encoder.to_state())
    np.testing.assert_array_equal(again.encode(block(a=["?!", "3"])), [[0, 1], [1, 0]])
    with pytest.raises(DataError, match="the column holds text, not numbers"):
        encoder.encode(block(a=["x"] * 20))


@pytest.mark.parametrize(
    "wrong", [{"column": "a"}, {"columns": ["a"], "missing": "error"}], ids=["a target", "gaps are errors"]
)
def test_what_is_no_number_counts_as_missing_where_a_gap_does(wrong):
    with pytest.raises(DataError, match='invalid = "missing" is for features with missing = "mean"'):
        Numbers(**wrong, invalid="missing")
    with pytest.raises(DataError, match='invalid must be "error" or "missing"'):
        Numbers(columns=["a"], invalid="mean")
