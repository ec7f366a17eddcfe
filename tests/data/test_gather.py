from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from trainer_cli.arrays import Ragged, n_rows
from trainer_cli.data.gather import Gather
from trainer_cli.errors import ShapeError


def gathered(*parts, expected=0):
    gather = Gather(expected)
    for part in parts:
        gather.add(part)
    return gather.result()


@pytest.mark.parametrize("expected", [0, 3, 10, 1000])
def test_arrays_are_put_end_to_end(expected):
    parts = [np.arange(i * 6, i * 6 + 6, dtype=np.float32).reshape(3, 2) for i in range(5)]
    rows = gathered(*parts, expected=expected)
    np.testing.assert_array_equal(rows, np.concatenate(parts))
    assert (rows.dtype, rows.flags.c_contiguous, rows.flags.owndata) == (np.float32, True, True)


def test_tuples_dicts_and_ragged_rows_are_put_end_to_end():
    first = {"a": (np.zeros(2), np.ones((2, 3))), "b": Ragged(np.arange(5), np.array([2, 3]))}
    second = {"a": (np.zeros(1), np.ones((1, 3))), "b": Ragged(np.arange(4), np.array([4]))}
    rows = gathered(first, second)
    assert n_rows(rows) == 3
    assert rows["a"][1].shape == (3, 3)
    assert rows["b"].data.tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3]
    assert rows["b"].lengths.tolist() == [2, 3, 4]


def test_arrays_that_differ_are_refused():
    with pytest.raises(ShapeError, match=r"one kind and size, got float64 \(3,\) after float64 \(2,\)"):
        gathered(np.zeros((1, 2)), np.zeros((1, 3)))
    with pytest.raises(ShapeError, match="got float32"):
        gathered(np.zeros((1, 2)), np.zeros((1, 2), np.float32))


def test_rows_are_never_held_twice_where_their_number_is_known():
    tracemalloc.start()
    gather = Gather(expected=50_000)
    for _ in range(50):
        gather.add(np.zeros((1000, 100)))
    rows = gather.result()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows.nbytes <= peak < 1.1 * rows.nbytes
