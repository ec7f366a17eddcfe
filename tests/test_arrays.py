from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli import arrays
from trainer_cli.arrays import ALIGNMENT, Ragged, aligned_zeros, slice_rows, take


def rows_of(x: Ragged) -> list[list[int]]:
    return [part.tolist() for part in np.split(x.data, x.starts()[1:-1])] if len(x.lengths) else []


def ragged(rows: list[list[int]]) -> Ragged:
    return Ragged(np.array([n for row in rows for n in row], np.int64), np.array([len(row) for row in rows], np.int64))


ROWS = st.lists(st.lists(st.integers(0, 99), max_size=4), max_size=6)


def check_take(rows: list[list[int]], picks: list[int]) -> None:
    found = take(ragged(rows), np.array(picks, np.int64))
    assert isinstance(found, Ragged)
    assert rows_of(found) == [rows[i] for i in picks]


@given(ROWS, st.data())
def test_taking_ragged_rows_is_taking_from_the_list_of_them(rows: list[list[int]], data: st.DataObject) -> None:
    check_take(rows, data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=8) if rows else st.just([])))


def test_a_take_that_forgets_where_rows_begin_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ragged, "starts", lambda self: np.zeros(len(self.lengths) + 1, np.int64))
    with pytest.raises(AssertionError):
        check_take([[1, 2], [3]], [1, 0])


def test_rows_of_more_axes_are_taken_as_a_copy() -> None:
    x = Ragged(np.arange(8.0).reshape(4, 2), np.array([1, 0, 3]))
    found = take(x, np.array([2, 1]))
    assert isinstance(found, Ragged)
    assert found.data.tolist() == [[2, 3], [4, 5], [6, 7]]
    found.data[...] = -1
    assert x.data.min() == 0


@given(ROWS, st.integers(0, 6), st.integers(0, 8))
def test_a_slice_of_ragged_rows_is_that_of_the_list(rows: list[list[int]], start: int, stop: int) -> None:
    start = min(start, len(rows))
    found = slice_rows(ragged(rows), start, max(start, stop))
    assert isinstance(found, Ragged)
    assert rows_of(found) == rows[start : max(start, stop)]


def test_other_data_keeps_the_lengths() -> None:
    x = ragged([[1], [2, 3]])
    assert rows_of(x.like(x.data * 2)) == [[2], [4, 6]]
    assert arrays.n_rows(x) == 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8])
@pytest.mark.parametrize("n", [1, 1000, 300_001])
def test_aligned_zeros_begin_at_a_multiple_of_64_bytes(n, dtype):
    found = aligned_zeros(n, dtype)
    assert (found.shape, found.dtype, found.ctypes.data % ALIGNMENT) == ((n,), dtype, 0)
    assert not found.any()
    assert found.flags.c_contiguous
    assert found.flags.writeable
