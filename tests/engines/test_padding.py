"""Lengths of ragged rows with others behind them."""

import numpy as np
import pytest

from trainer_cli.wrappers.padding import padded_lengths


@pytest.mark.parametrize(
    ("lengths", "size", "expected"),
    [
        ([1, 1, 1], 5, [1, 1, 1, 1, 6]),  # as many numbers as rows would look like an output a row
        ([2, 2, 2], 5, [2, 2, 2, 1, 3]),
        ([9, 1], 3, [9, 1, 2]),
        ([], 1, [2]),
    ],
)
def test_lengths_add_up_to_the_rows_times_a_power_of_two_above_one(lengths, size, expected):
    found = padded_lengths(np.array(lengths, np.int64), sum(lengths), size)
    assert found.tolist() == expected
    assert sum(expected) // size in (2, 4, 8)
