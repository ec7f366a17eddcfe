from __future__ import annotations

import numpy as np
import pytest

from trainer_cli.data.encoders.numbers import Numbers
from trainer_cli.errors import DataError, ModelFileError, ShapeError


@pytest.fixture
def encoder(block):
    numbers = Numbers("price")
    numbers.choose(("a", "price"))
    numbers.fit(block(price=["100", "300"]))
    numbers.finish_fit()
    return numbers


def test_a_number_is_standardised_into_a_column(encoder, block):
    encoded = encoder.encode(block(price=["100", "250"]))
    assert (encoded.tolist(), encoded.dtype, encoder.width) == ([[-1.0], [0.5]], np.float32, 1)


def test_predictions_come_back_in_the_columns_unit(encoder):
    assert encoder.decode(np.array([[-1.0], [0.5]], np.float32)) == [100.0, 250.0]
    with pytest.raises(ShapeError, match=r"a number takes outputs \(B, 1\), got \(2, 3\)"):
        encoder.decode(np.zeros((2, 3)))


def test_bad_values_are_located(encoder, block):
    with pytest.raises(DataError, match=r'data\.csv:3: price: the value is empty.*; missing = "skip" in \[target\]'):
        encoder.encode(block(price=["1", ""]))
    with pytest.raises(DataError, match="price: expected one number a row, got arrays"):
        encoder.encode(block(price=np.zeros((2, 2))))


def test_numbers_too_large_to_standardise_name_the_argument(block):
    numbers = Numbers()
    numbers.choose(("label",))
    numbers.fit(block(label=["1e308", "-1e308"]))
    with pytest.raises(DataError, match="column: the values of column label are too large"):
        numbers.finish_fit()


def test_state_brings_back_every_bit(encoder, block):
    other = Numbers.from_state(*encoder.to_state())
    rows = block(price=["0.1", "1e9"])
    assert other.encode(rows).tobytes() == encoder.encode(rows).tobytes()
    assert (other.decode(np.ones((1, 1))), other.reads) == ([300.0], ("price",))


@pytest.mark.parametrize("damage", [{"mean": np.zeros(2)}, {"scale": np.zeros(1)}, {"mean": np.array([np.inf])}])
def test_a_damaged_state_is_refused(encoder, damage):
    state, arrays = encoder.to_state()
    with pytest.raises(ModelFileError):
        Numbers.from_state(state, {**arrays, **damage})


def test_a_state_tells_what_becomes_of_gaps(block):
    encoder = Numbers("price", missing="skip")
    encoder.choose(("price",))
    encoder.fit(block(price=["1", "2"]))
    encoder.finish_fit()
    state, arrays = encoder.to_state()
    assert Numbers.from_state(state, arrays).missing == "skip"
    assert Numbers.from_state({"column": "price"}, arrays).missing == "error"  # saved before there was the choice
