"""One network with one set of first numbers in each library: losses and gradients agree."""

import compare_engines
import numpy as np
import pytest
from compare_engines import GRADIENT_LIMIT, LOSS_LIMIT, compared, digits


def check(found):
    for library, row in found.items():
        assert row["loss"] < LOSS_LIMIT, library
        assert row["gradient"] < GRADIENT_LIMIT, library


def test_a_hundred_updates_agree_with_the_built_in_layers():
    found = compared(*digits(), [32, 16, 10], "swish")
    if not found:
        pytest.skip("no other library is here")
    check(found)
    assert all(row["last_loss"] < row["first_loss"] / 2 for row in found.values())


@pytest.mark.parametrize("library", ["jax", "thinc"])
def test_a_library_with_another_activation_would_be_seen(library, monkeypatch):
    pytest.importorskip(library)
    make = getattr(compare_engines, library)
    monkeypatch.setattr(compare_engines, library, lambda *args: make(*args[:-1], "relu"))
    X, Y = digits()
    assert np.isfinite(X).all()
    with pytest.raises(AssertionError, match=library):
        check(compared(X, Y, [32, 16, 10], "swish", n_steps=3))
