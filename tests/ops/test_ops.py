"""The choice of arithmetic, matrix products, and the generators that belong to no model."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from trainer_cli.errors import ArgumentError
from trainer_cli.ops import Ops, get_ops, resolve_ops

A = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
B = np.random.default_rng(1).normal(size=(3, 5)).astype(np.float32)


def test_numpy_and_numba_are_taken_by_name() -> None:
    assert get_ops("numpy").name == "numpy"
    assert get_ops("numba").name == "numba"
    assert (resolve_ops("numpy"), resolve_ops("numba")) == ("numpy", "numba")


def test_auto_is_numba_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve_ops("auto") == "numba"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert resolve_ops("auto") == "numpy"
    assert get_ops("auto").name == "numpy"


def test_numba_that_cannot_be_imported_is_an_error_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trainer_cli.ops.numba_ops", None)
    with pytest.raises(
        ArgumentError, match=r"^ops = \"numba\" needs numba, which cannot be imported .*set ops = \"numpy\"$"
    ):
        get_ops("numba")


@pytest.mark.parametrize("trans1", [False, True])
@pytest.mark.parametrize("trans2", [False, True])
def test_gemm_is_the_product_of_what_is_transposed_if_asked(trans1: bool, trans2: bool) -> None:
    left, right = (A.T.copy() if trans1 else A), (B.T.copy() if trans2 else B)
    np.testing.assert_allclose(Ops().gemm(left, right, trans1=trans1, trans2=trans2), A @ B, rtol=1e-6)


def test_gemm_adds_to_what_is_there() -> None:
    ops, held = Ops(), np.ones((4, 5), np.float32)
    assert ops.gemm(A, B, add_to=held) is held
    ops.gemm(A, B, add_to=held)
    np.testing.assert_allclose(held, 1 + 2 * (A @ B), rtol=1e-5)


def test_one_scratch_array_serves_all_products() -> None:
    ops = Ops()
    large = ops.scratch(100, np.dtype(np.float32))
    assert np.shares_memory(ops.scratch(10, np.dtype(np.float32)), large)
    assert ops.scratch(10, np.dtype(np.float64)).dtype == np.float64


def test_generators_are_numbered_so_that_a_run_repeats_and_passes_differ() -> None:
    first, second = Ops(seed=3), Ops(seed=3)
    draws = [first.next_generator("shuffle").random() for _ in range(3)]
    assert draws == [second.next_generator("shuffle").random() for _ in range(3)]
    assert len(set(draws)) == 3
    assert Ops(seed=4).next_generator("shuffle").random() != draws[0]
