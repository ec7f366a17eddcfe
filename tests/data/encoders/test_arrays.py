from __future__ import annotations

import numpy as np
import pytest

from trainer_cli.data.block import Block
from trainer_cli.data.encoders.arrays import Arrays
from trainer_cli.errors import DataError, ModelFileError


def fitted(block: Block, column: str | None = None) -> Arrays:
    encoder = Arrays(column)
    encoder.choose(tuple(block.columns))
    encoder.fit(block)
    encoder.finish_fit()
    return encoder


def test_bytes_become_numbers_from_0_to_1(block):
    rows = block(image=np.array([[[[0], [51]], [[255], [102]]]], np.uint8))
    encoder = fitted(rows)
    np.testing.assert_array_equal(encoder.encode(rows), np.float32([[[[0], [0.2]], [[1], [0.4]]]]))
    assert (encoder.encode(rows).dtype, encoder.width, encoder.reads) == (np.float32, 4, ("image",))


def test_grey_images_get_a_channel(block):
    rows = block(X=np.zeros((2, 5, 4), np.uint8))
    assert fitted(rows).encode(rows).shape == (2, 5, 4, 1)


def test_floats_stay_as_they_are(block):
    rows = block(X=np.array([[0.1, -3.0]]), other=["a"])
    encoded = fitted(rows, "X").encode(rows)
    np.testing.assert_array_equal(encoded, np.float32([[0.1, -3.0]]))
    assert encoded.flags.c_contiguous


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e39])
def test_values_that_are_not_finite_in_float32_are_located(block, bad):
    rows = block(lines=False, X=np.array([[0.0, 1.0], [bad, 1.0]]))
    with pytest.raises(DataError, match=r"data.npz: X\[1\]: expected a finite number, got (nan|inf)"):
        fitted(rows).encode(rows)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a"], "expected an array of bytes or floating point numbers, got text"),
        (np.zeros(3), r"expected an array of bytes or floating point numbers, got float64 \(3,\)"),
        (np.zeros((3, 2), int), "columns.v1 takes other numbers"),
    ],
)
def test_other_columns_are_refused(block, values, message):
    with pytest.raises(DataError, match=message):
        fitted(block(X=values))


def test_rows_must_be_as_they_were_in_training(block):
    encoder = fitted(block(X=np.zeros((1, 2, 2), np.uint8)))
    for other in (np.zeros((1, 2, 3), np.uint8), np.zeros((1, 2, 2, 1))):
        with pytest.raises(DataError, match=r"training had uint8 arrays \(2, 2, 1\), got"):
            encoder.encode(block(X=other))


def test_the_column_must_be_clear():
    with pytest.raises(DataError, match="column: name the column of arrays"):
        Arrays().choose(("a", "b"))
    with pytest.raises(DataError, match='column: no column is called "c"'):
        Arrays("c").choose(("a", "b"))


def test_state_brings_back_what_is_checked(block):
    encoder = fitted(block(X=np.zeros((1, 2, 2), np.uint8)))
    other = Arrays.from_state(*encoder.to_state())
    assert (other.shape, other.kind, other.reads, other.width) == ((2, 2, 1), "bytes", ("X",), 4)
    with pytest.raises(DataError, match="training had"):
        other.encode(block(X=np.zeros((1, 3, 2), np.uint8)))


@pytest.mark.parametrize("damage", [{"column": None}, {"shape": []}, {"shape": [0]}, {"shape": "22"}, {"kind": "ints"}])
def test_a_damaged_state_is_refused(damage):
    with pytest.raises(ModelFileError):
        Arrays.from_state({"column": "X", "shape": [2], "kind": "bytes", **damage}, {})
