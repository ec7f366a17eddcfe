from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli.data.encoders.moments import Moments


def moments_of(values: np.ndarray, *cuts: int) -> Moments:
    moments = Moments()
    for part in np.split(values, sorted(cuts)):
        moments.add(part)
    return moments


def test_the_moments_of_one_to_four_by_hand():
    moments = moments_of(np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0], [4.0, 5.0]]), 1, 3)
    assert moments.mean.tolist() == [2.5, 5.0]
    assert moments.scale.tolist() == [pytest.approx(1.25**0.5, rel=1e-15), 1.0]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.lists(st.integers(0, 50), max_size=4))
def test_blocks_give_what_all_rows_give(values, cuts):
    column = np.array(values)[:, None]
    moments = moments_of(column, *[min(cut, len(column)) for cut in cuts])
    assert moments.mean[0] == pytest.approx(column.mean(), rel=1e-12, abs=1e-9)
    if column.std() > 1e-6:
        assert moments.scale[0] == pytest.approx(column.std(), rel=1e-9)


@pytest.mark.parametrize("value", [0.1, 1e300, -1e-300, 1.7e9 + 0.1])
def test_a_constant_column_has_scale_one_and_its_mean_exactly(value):
    moments = moments_of(np.full((10_001, 1), value), 10, 4096, 8192)
    assert (moments.mean[0], moments.scale[0]) == (value, 1.0)


def test_a_large_offset_costs_no_digits():
    noise = np.random.Generator(np.random.PCG64(0)).normal(size=(10_000, 1))
    moments = moments_of(noise + 2.0**40, 4096, 8192)
    exact = (noise + 2.0**40) - 2.0**40
    assert moments.scale[0] == pytest.approx(exact.std(), rel=1e-12)
