"""Metrics of numbers beside scikit-learn's, and that parts merge to the bit."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as peer
from tallies import check_merge, tallied

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.metrics import R2, MeanAbsoluteError, RootMeanSquaredError
from trainer_cli.metrics import errors as module
from trainer_cli.metrics.errors import ErrorTally
from trainer_cli.metrics.exact_sum import ExactSum
from trainer_cli.registry import registry

PEERS: dict[type[ErrorTally], Callable[..., float]] = {
    RootMeanSquaredError: lambda *args, **more: math.sqrt(peer.mean_squared_error(*args, **more)),
    MeanAbsoluteError: peer.mean_absolute_error,
    R2: peer.r2_score,
}
EACH = pytest.mark.parametrize("kind", PEERS, ids=lambda kind: kind.name)


def case(index: int) -> tuple[Array, Array, Array | None]:
    """Guesses and truths of any size and scale, every other time with weights."""
    rng = np.random.default_rng(index)
    n = int(rng.integers(2, 60))
    truths = rng.normal(size=n) * 10 ** rng.uniform(-3, 6) + 100 * rng.normal()
    return truths + rng.normal(size=n) * rng.choice([0.1, 10]), truths, rng.random(n) if index % 2 else None


@EACH
def test_a_thousand_cases_are_the_peer_s(kind: type[ErrorTally]) -> None:
    worst = 0.0
    for index in range(1000):
        guesses, truths, weights = case(index)
        expected = PEERS[kind](truths, guesses, sample_weight=weights)
        found = tallied(kind, guesses[:, None], truths, weights).result()
        worst = max(worst, abs(found - expected) / max(1.0, abs(expected)))
    assert worst < 1e-12


@EACH
def test_parts_merge_to_the_bit_in_any_order_and_split(kind: type[ErrorTally]) -> None:
    for index in range(20):
        guesses, truths, weights = case(index)
        check_merge(kind, index, guesses[:, None], truths, weights)


def test_a_sum_that_rounds_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Rounding(ExactSum):
        def __init__(self) -> None:
            self.total, self._odd = 0.0, 0.0

        def add(self, values: Array) -> None:
            self.total += float(np.sum(values))

        def merge(self, other: Any) -> None:
            self.total += other.total

        @property
        def value(self) -> Fraction:
            return Fraction(self.total)

    monkeypatch.setattr(module, "ExactSum", Rounding)
    with pytest.raises(AssertionError):
        test_parts_merge_to_the_bit_in_any_order_and_split(R2)


def test_errors_by_hand() -> None:
    guesses, truths = np.array([1.0, 2.0, 6.0]), np.array([1.0, 4.0, 4.0])
    assert tallied(RootMeanSquaredError, guesses, truths).result() == pytest.approx(math.sqrt(8 / 3))
    assert tallied(MeanAbsoluteError, guesses, truths).result() == pytest.approx(4 / 3)
    assert tallied(R2, guesses, truths).result() == pytest.approx(1 - 8 / 6)
    weights = np.array([1.0, 0.0, 3.0])
    assert tallied(MeanAbsoluteError, guesses, truths, weights).result() == pytest.approx(6 / 4)


@pytest.mark.parametrize("kind", [RootMeanSquaredError, MeanAbsoluteError])
def test_a_unit_scales_the_error(kind: type[ErrorTally]) -> None:
    tally = tallied(kind, np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    tally.unit = 10.0
    assert tally.result() == 20.0


@EACH
def test_what_cannot_be_told_is_no_number(kind: type[ErrorTally]) -> None:
    assert math.isnan(kind().result())
    assert math.isnan(tallied(kind, np.ones(2), np.ones(2), np.zeros(2)).result())
    assert math.isnan(tallied(kind, np.array([np.nan, 1.0]), np.ones(2)).result())
    assert math.isnan(tallied(R2, np.array([1.0, 2.0]), np.array([0.1, 0.1])).result())


@EACH
def test_wrong_rows_are_refused(kind: type[ErrorTally]) -> None:
    with pytest.raises(ShapeError, match=r"truths must have the guesses' shape \(3,\), got shape \(2,\)"):
        kind().update(np.ones(3), np.ones(2))
    with pytest.raises(ShapeError, match=rf"{kind.name}: guesses must be one number a row, got shape \(3, 2\)"):
        kind().update(np.ones((3, 2)), np.ones((3, 2)))
    with pytest.raises(ArgumentError, match="weights must be finite and not negative"):
        kind().update(np.ones(2), np.ones(2), np.array([1.0, -1.0]))


def test_they_are_registered_and_say_what_is_better() -> None:
    better = {name: registry.metrics.get(name).higher_is_better for name in ("rmse.v1", "mae.v1", "r2.v1")}
    assert better == {"rmse.v1": False, "mae.v1": False, "r2.v1": True}


@pytest.mark.parametrize("scale", [1.0, 1e-300, 1e300])
def test_an_exact_sum_is_that_of_fractions(scale: float) -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=500) * 10 ** rng.uniform(-5, 5, 500) * scale
    total = ExactSum()
    for part in np.array_split(values, 7):
        total.add(part)
    assert total.value == sum(map(Fraction, values.tolist()))


def test_an_exact_product_is_that_of_fractions() -> None:
    rng = np.random.default_rng(4)
    a, b, c = rng.normal(size=(3, 300)) * 10 ** rng.uniform(-3, 3, (3, 300))
    total = ExactSum()
    total.add_products(a, b, c)
    assert total.value == sum(Fraction(x) * Fraction(y) * Fraction(z) for x, y, z in zip(a, b, c, strict=True))
