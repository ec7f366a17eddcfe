from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli.data.encoders.floats import floats, number
from trainer_cli.errors import DataError


def test_texts_become_float64(block):
    numbers = floats(block(a=["1", " 2.5", "-3e2 ", "+.5", "0x1p3"[:1]]), "a")
    assert numbers.tolist() == [1.0, 2.5, -300.0, 0.5, 0.0]
    assert numbers.dtype == np.float64


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_written_float_is_read_to_the_bit(value):
    assert number(repr(value)) == value


@pytest.mark.parametrize("text", ["", " ", "abc", "1,5", "1_000", "0x10", "٣", "1 2", "1e", "--1", "True", "½"])
def test_what_is_no_number_is_none(text):
    assert number(text) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the value is empty; fill it in or leave the column or row out"),
        ("  ", "the value is empty; fill it in or leave the column or row out"),
        ("abc", 'expected a number, got "abc"'),
        ("1_000", 'expected a number, got "1_000"'),
        ("nan", 'the value is missing, "nan"; fill it in or leave the column or row out'),
        (" N/A", 'the value is missing, " N/A"; fill it in or leave the column or row out'),
        ("-1,5", 'expected a number, got "-1,5". Did you mean -1.5? numbers.v1 reads it with decimal = ","'),
        ("$1,200", 'expected a number, got "$1,200"; numbers.v1 reads it with thousands = ",", units = true'),
        ("1,234,5", 'expected a number, got "1,234,5"'),
        ("-Infinity", 'expected a finite number, got "-Infinity"'),
        ("1e999", 'expected a finite number, got "1e999"'),
        ("\x1b[31m", r'expected a number, got "\x1b[31m"'),
        ("x" * 100, f'expected a number, got "{"x" * 57}..."'),
    ],
)
def test_a_bad_value_is_located(block, text, message):
    with pytest.raises(DataError) as caught:
        floats(block(age=["1", text, "3"]), "age")
    assert str(caught.value) == f"data.csv:3: age: {message}"


def test_values_of_arrays_are_located_by_row(block):
    with pytest.raises(DataError) as caught:
        floats(block(lines=False, X=np.array([[0, 1], [np.nan, 1], [1, -np.inf]])), "X")
    assert str(caught.value) == (
        "data.npz: X[1]: expected a finite number, got nan\ndata.npz: X[2]: expected a finite number, got -inf"
    )
    with pytest.raises(DataError, match="X: expected numbers, got <U1"):
        floats(block(X=np.array([["a"]])), "X")


def test_all_bad_values_are_counted(block):
    with pytest.raises(DataError) as caught:
        floats(block(X=np.full(1000, np.nan)), "X")
    assert len(caught.value.problems) == 10
    assert caught.value.total == 1000


def test_a_column_that_is_missing_names_the_nearest(block):
    with pytest.raises(DataError) as caught:
        floats(block(width=["1"], height=["2"]), "widht")
    message = 'the column is missing. Did you mean "width"? The columns are "width", "height"'
    assert str(caught.value) == f"data.csv:1: widht: {message}"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["x", "y"] * 10, 'the column holds text, not numbers: do "this"'),
        ([" ", ""] * 10, 'the column holds nothing, not numbers: do "this"'),
    ],
)
def test_a_column_without_any_number_is_one_mistake_at_the_header(block, values, message):
    with pytest.raises(DataError) as caught:
        floats(block(a=values), "a", 'do "this"')
    assert str(caught.value) == f"data.csv:1: a: {message}"


@pytest.mark.parametrize("values", [["x"] * 10, ["1", *["x"] * 19], ["1,5"] * 20])
def test_a_few_texts_or_a_number_among_them_are_told_each(block, values):
    with pytest.raises(DataError) as caught:
        floats(block(a=values), "a")
    assert len(caught.value.problems) == 10
    assert caught.value.problems[0].line == 2 + (values[0] == "1")


def test_words_for_a_missing_number_are_nan_where_gaps_are_taken(block):
    texts = ["1", "unknown", " #N/A", "#DIV/0!", "NA", ""]
    found = floats(block(x=texts), "x", gaps=True)
    assert np.isnan(found).tolist() == [False, *[True] * 5]
    with pytest.raises(DataError, match='x: the value is missing, "unknown"; fill it in'):
        floats(block(x=texts[:2]), "x")
    with pytest.raises(DataError, match='got "unknown land"'):
        floats(block(x=["1", "unknown land"]), "x", gaps=True)
