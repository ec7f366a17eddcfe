import numpy as np

from trainer_cli.api import Linear


def test_large_numbers_whose_squares_overflow_are_finite_all_the_same():
    model = Linear(2, 2).initialize(np.ones((1, 2), np.float32))
    store = model.store
    store.values[...] = 1e30
    assert store.first_not_finite(store.values) == ""
    model.b[1] = np.nan
    assert store.first_not_finite(store.values) == "b"
