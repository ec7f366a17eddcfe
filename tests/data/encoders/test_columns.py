from __future__ import annotations

import math

import numpy as np
import pytest

from trainer_cli.data.block import Block, Places
from trainer_cli.data.encoders.columns import Columns
from trainer_cli.errors import DataError, ModelFileError


def fitted(*blocks: Block, **arguments: list[str]) -> Columns:
    encoder = Columns(**arguments)
    encoder.choose(tuple(blocks[0].columns))
    for block in blocks:
        encoder.fit(block)
    encoder.finish_fit()
    return encoder


def test_columns_are_standardised_by_hand(block):
    rows = block(a=["1", "2", "3"], b=["10", "10", "10"], c=["0", "0", "3"])
    a = math.sqrt(2 / 3)
    expected = [[-1 / a, 0, -1 / math.sqrt(2)], [0, 0, -1 / math.sqrt(2)], [1 / a, 0, 2 / math.sqrt(2)]]
    encoder = fitted(rows)
    np.testing.assert_allclose(encoder.encode(rows), expected, rtol=1e-7)
    assert encoder.encode(rows).dtype == np.float32
    assert encoder.encode(rows).flags.c_contiguous
    assert (encoder.width, encoder.reads) == (3, ("a", "b", "c"))


def test_a_constant_column_is_no_division_by_zero(block):
    encoder = fitted(block(a=["0.1"] * 7, b=list("1234567")))
    assert encoder.encode(block(a=["0.1", "2.1"], b=["4", "4"]))[:, 0].tolist() == [0.0, 2.0]


def test_other_rows_are_standardised_with_the_training_rows_statistics(block):
    encoder = fitted(block(a=["0", "2"]))
    assert encoder.encode(block(a=["5", "1"])).tolist() == [[4.0], [0.0]]


def test_columns_are_taken_by_name_whatever_their_order(block):
    encoder = fitted(block(a=["0", "2"], b=["0", "4"]))
    assert encoder.encode(block(extra=["x"], b=["4"], a=["1"])).tolist() == [[0.0, 1.0]]


def test_columns_given_are_used_in_their_order_and_exclude_leaves_out(block):
    rows = block(a=["0", "2"], b=["0", "4"], name=["x", "y"])
    assert fitted(rows, columns=["b", "a"]).reads == ("b", "a")
    assert fitted(rows, exclude=["name"]).reads == ("a", "b")


def test_arrays_of_numbers_become_columns(block):
    rows = block(X=np.array([[0, 0], [2, 4]]), y=np.array([True, False]))
    encoder = fitted(rows)
    assert encoder.width == 3
    assert encoder.encode(rows).tolist() == [[-1, -1, 1], [1, 1, -1]]
    with pytest.raises(DataError, match=r"had the widths \(2, 1\) in training, got \(3, 1\)"):
        encoder.encode(block(X=np.zeros((1, 3)), y=np.zeros(1)))
    with pytest.raises(DataError, match="expected numbers, got arrays"):
        fitted(block(X=np.zeros((1, 3, 3))))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"columns": ["a", "heigth"]}, 'columns: no column is called "heigth". Did you mean "height"?'),
        ({"exclude": ["A"]}, 'exclude: no column is called "A". Did you mean "a"?'),
        ({"columns": ["a", "a"]}, 'columns: each column can be used once, got "a", "a"'),
        ({"columns": []}, "columns: no columns are left to use as features"),
        ({"exclude": ["a", "height"]}, "columns: no columns are left to use as features"),
        ({"columns": ["a"], "exclude": ["height"]}, "exclude: columns and exclude say the same thing twice"),
    ],
)
def test_wrong_columns_name_the_argument(arguments, message):
    with pytest.raises(DataError) as caught:
        Columns(**arguments).choose(("a", "height"))
    assert str(caught.value).startswith(message)


def test_bad_values_of_all_columns_are_told_in_the_order_of_lines(block):
    with pytest.raises(DataError) as caught:
        fitted(block(a=["1", "x", "3"], b=["", "2", "nan"]))
    assert [(problem.line, problem.where) for problem in caught.value.problems] == [(2, "b"), (3, "a"), (4, "b")]


def test_values_too_far_out_are_told(block):
    with pytest.raises(DataError, match="columns: the values of column b are too large to standardise"):
        fitted(block(a=["1", "2"], b=["1e308", "-1e308"]))
    with pytest.raises(DataError, match=r"data.csv:3: a: 1e\+300 is too far from the training data's mean 0.5"):
        fitted(block(a=["0", "1"])).encode(block(a=["1", "1e300"]))


def test_large_numbers_that_float64_holds_are_standardised(block):
    assert fitted(block(a=["1e150", "-1e150"])).encode(block(a=["1e150", "0"])).tolist() == [[1.0], [0.0]]


def test_state_brings_back_every_bit(block):
    encoder = fitted(block(a=["0.1", "0.7"], b=["3", "1e-9"]))
    state, arrays = encoder.to_state()
    other = Columns.from_state(state, arrays)
    rows = block(b=["0.3", "5"], a=["0.2", "-1"])
    assert other.encode(rows).tobytes() == encoder.encode(rows).tobytes()
    assert other.to_state()[0] == state


@pytest.mark.parametrize(
    ("state", "arrays"),
    [
        ({"columns": None}, {}),
        ({"columns": "ab"}, {}),
        ({"columns": ["a", "a"]}, {}),
        ({"columns": []}, {}),
        ({"columns": ["a", 1]}, {}),
        ({"sizes": [1]}, {}),
        ({"sizes": [1, True]}, {}),
        ({"sizes": [1, 0]}, {}),
        ({"sizes": [1, 2**40]}, {}),
        ({}, {"mean": np.zeros(3)}),
        ({}, {"mean": np.zeros(2, np.float32)}),
        ({}, {"mean": np.array([0, np.nan])}),
        ({}, {"scale": np.array([1.0, 0.0])}),
        ({}, {"scale": np.array([1.0, -1.0])}),
        ({}, {"scale": None}),
    ],
)
def test_a_damaged_state_is_refused(state, arrays):
    good = {"columns": ["a", "b"], "sizes": [1, 1]}, {"mean": np.zeros(2), "scale": np.ones(2)}
    Columns.from_state(*good)
    damaged_arrays = {name: array for name, array in {**good[1], **arrays}.items() if array is not None}
    with pytest.raises(ModelFileError, match="the encoder's"):
        Columns.from_state({**good[0], **state}, damaged_arrays)


def test_the_order_of_values_in_memory_does_not_matter(block):
    table = np.random.Generator(np.random.PCG64(1)).normal(size=(100, 3))
    places = Places("data.npz")
    plain = fitted(Block({"X": table}, places)).to_state()[1]
    other = fitted(Block({"X": np.asfortranarray(table)}, places)).to_state()[1]
    assert other["mean"].tobytes() == plain["mean"].tobytes()


def test_a_missing_column_is_not_taken_for_one_that_is_there(block):
    encoder = fitted(block(sepal=["1"], petal=["2"]))
    with pytest.raises(DataError, match=r"petal: the column is missing\. The columns are"):
        encoder.encode(block(sepal=["1"], other=["2"]))
    with pytest.raises(DataError, match=r'petal: the column is missing\. Did you mean "petl"\?'):
        encoder.encode(block(sepal=["1"], petl=["2"]))


def test_a_target_is_no_column_to_exclude():
    with pytest.raises(DataError, match=r'exclude: no column is called "label"\. .*, the target\'s left out$'):
        Columns(exclude=["label"]).choose(("a", "b"))


def test_columns_named_like_numbers_are_a_row_of_data():
    with pytest.raises(
        DataError, match=r'The columns are "1\.5", "2"; the first row of the file must name them, or set header = false'
    ):
        Columns(columns=["a"]).choose(("1.5", "2"))
