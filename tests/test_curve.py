"""Schedules as curves: which steps and values, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest

from trainer_cli.curve import Curve, curve
from trainer_cli.schedules import Schedule, as_schedule, compounding, plateau

RAMP = Schedule(float, "ramp()")


def test_values_are_those_of_every_update_and_nothing_is_drawn() -> None:
    sizes = compounding(1.0, 16.0, 2.0)
    found = curve("batch_size", sizes, 6)
    assert found.steps.tolist() == [0, 1, 2, 3, 4, 5]
    assert found.values.tolist() == [1, 2, 4, 8, 16, 16]
    assert sizes.position == 0
    assert (found.name, found.text) == ("batch_size", "compounding(1.0, 16.0, 2.0)")
    assert found.summary == "first 1, last 16, largest 16 at step 4"


@pytest.mark.parametrize("n_steps", [1, 2, 999_999, 1_000_000, 1_000_001, 10**12])
def test_a_long_run_is_looked_at_from_its_first_step_to_its_last(n_steps: int) -> None:
    found = curve("x", RAMP, n_steps)
    assert len(found.steps) == min(n_steps, 1_000_000)
    assert (found.steps[0], found.steps[-1]) == (0, n_steps - 1)
    np.testing.assert_array_equal(found.values, found.steps)
    assert found.note == ("" if n_steps <= 1_000_000 else f"1,000,000 of {n_steps:,} steps were looked at")


def test_a_schedule_that_repeats_shows_its_largest_value() -> None:
    """Evenly spread points may fall on the same phase of every round."""
    rates = Schedule(lambda step: (0.001, 0.01, 0.1, 0.1, 0.01, 0.001)[step % 6], "up_and_down()")
    assert curve("x", rates, 599_995).summary == "first 0.001, last 0.001, largest 0.1 at step 2"


def test_a_schedule_that_follows_the_score_keeps_its_own_memory() -> None:
    rates = plateau(1.0, factor=0.5, patience=1)
    found = curve("learn_rate", rates, 50, eval_frequency=10)
    assert found.values[[0, 19, 20, 30, 40, 49]].tolist() == [1, 1, 0.5, 0.25, 0.125, 0.125]
    assert found.summary.endswith("; it follows the dev score, and is drawn as if that never got better")
    assert rates(49) == 1.0


def check_thinned(found: Curve) -> None:
    values = np.random.default_rng(0).normal(size=50_000)
    thin = found.thinned(100)
    assert len(thin.steps) <= 400
    for span in np.array_split(np.arange(50_000), 100):
        kept = thin.values[(thin.steps >= span[0]) & (thin.steps <= span[-1])]
        assert (kept.min(), kept.max()) == (values[span].min(), values[span].max()), "an extreme is lost"


def test_a_thinned_curve_keeps_the_extremes_of_every_span() -> None:
    values = as_schedule(np.random.default_rng(0).normal(size=50_000).tolist())
    found = curve("x", values, 50_000)
    check_thinned(found)
    assert found.thinned(12_500) is found


def test_a_curve_that_is_only_sampled_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def sampled(curve: Curve, n_spans: int) -> Curve:
        return Curve(curve.name, curve.text, curve.steps[::125], curve.values[::125])

    monkeypatch.setattr(Curve, "thinned", sampled)
    with pytest.raises(AssertionError, match="an extreme is lost"):
        test_a_thinned_curve_keeps_the_extremes_of_every_span()
