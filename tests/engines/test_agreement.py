"""One network with one set of first numbers in each library: losses and gradients agree."""

import compare_engines
import numpy as np
import pytest
from compare_engines import GRADIENT_LIMIT, LOSS_LIMIT, Course, compared, digits, inputs_of_relus, parting


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


def test_courses_part_where_an_input_of_a_relu_changes_sides():
    values, X = np.array([1, -1, 0.5, 2, -0.5, 3, 4, 0], np.float32), np.array([[1, 1], [0.25, 1]], np.float32)
    one, other = inputs_of_relus(values, X, [1, 1, 1]), inputs_of_relus(values + np.float32(1e-3), X, [1, 1, 1])
    np.testing.assert_allclose([layer[:, 0] for layer in one], [[0.5, -0.25], [0.5, -0.5]])
    courses = [Course(X, X, inputs) for inputs in ([one, one], [one, other])]
    assert parting(*courses) is None  # each on its side
    moved = [other[0] + 0.2501, other[1]]
    found = parting(courses[0], Course(X, X, [one, moved]))
    assert found["update"] == 2
    assert found["ours"] == -0.25
    assert found["theirs"] > 0
