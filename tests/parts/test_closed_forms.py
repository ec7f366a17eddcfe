"""Schedules without a counterpart in the reference, against formulas written another way and values by hand."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli import schedules
from trainer_cli.errors import ArgumentError
from trainer_cli.schedules import Schedule

STEPS = range(130)


def half_cosine(p: float) -> float:
    """From 1 at p = 0 to 0 at p = 1."""
    return math.cos(math.pi * p / 2) ** 2


def cosine_form(step: int) -> float:
    if step < 10:
        return 0.2 * step / 10
    return 0.02 + 0.18 * half_cosine(min(1.0, (step - 10) / 90))


def one_cycle_form(step: int) -> float:
    low, high, end = 0.2 / 25, 0.2, 0.2 / 25 / 1e4
    if step <= 30:
        return low + (high - low) * (1 - half_cosine(step / 30))
    return end + (high - end) * half_cosine(min(1.0, (step - 30) / 70))


def warmup_stable_decay_form(step: int) -> float:
    return min(0.2 * step / 10, 0.2, max(0.05, 0.05 + 0.15 * (100 - step) / 40))


def polynomial_form(step: int) -> float:
    if step < 10:
        return 0.2 * step / 10
    return 0.05 + 0.15 * math.exp(3 * math.log((100 - step) / 90)) if step < 100 else 0.05


def piecewise_form(step: int) -> float:
    return 0.1 + 0.4 * (step >= 20) - 0.3 * (step >= 50)


FORMS: dict[str, tuple[Schedule, Callable[[int], float]]] = {
    "cosine": (schedules.cosine(0.2, 100, warmup_steps=10, min_rate=0.02), cosine_form),
    "one_cycle": (schedules.one_cycle(0.2, 100), one_cycle_form),
    "warmup_stable_decay": (
        schedules.warmup_stable_decay(0.2, 10, 40, 100, min_rate=0.05),
        warmup_stable_decay_form,
    ),
    "polynomial": (schedules.polynomial(0.2, 100, power=3, warmup_steps=10, min_rate=0.05), polynomial_form),
    "piecewise": (schedules.piecewise([20, 50], [0.1, 0.5, 0.2]), piecewise_form),
}


def check_form(schedule: Schedule, form: Callable[[int], float]) -> None:
    assert [schedule(step) for step in STEPS] == pytest.approx([form(step) for step in STEPS], rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("name", FORMS)
def test_the_values_are_the_formula_s(name: str) -> None:
    check_form(*FORMS[name])


@pytest.mark.parametrize("name", FORMS)
def test_a_schedule_that_is_one_step_late_is_found_out(name: str) -> None:
    schedule, form = FORMS[name]
    with pytest.raises(AssertionError):
        check_form(Schedule(lambda step: schedule(max(0, step - 1)), "late()"), form)


def test_cosine_restarts_at_the_full_rate_in_periods_that_grow() -> None:
    rates = schedules.cosine(1.0, 710, warmup_steps=10, restarts=2, growth=2.0)
    for start, period in ((10, 100), (110, 200), (310, 400)):
        assert rates(start) == 1.0
        assert rates(start + period // 2) == pytest.approx(0.5)
        assert rates(start + period // 4) == pytest.approx((1 + math.sqrt(0.5)) / 2)
        assert rates(start + period - 1) < 1e-3
    assert (rates(710), rates(2**40)) == (0.0, 0.0)


@given(st.integers(0, 50), st.integers(1, 2000), st.floats(1.0, 1.5))
def test_every_period_of_a_cosine_begins_at_the_top_and_they_fill_the_run(n: int, steps: int, growth: float) -> None:
    try:
        rates = schedules.cosine(1.0, steps, restarts=n, growth=growth if n else 1.0)
    except ValueError:
        return  # more periods than steps
    values = [rates(step) for step in range(steps + 1)]
    assert values.count(1.0) == n + 1
    assert values[-1] == 0.0
    assert all(later < earlier for earlier, later in itertools.pairwise(values) if later != 1.0)


@pytest.mark.parametrize("growth", [1.0 + 1e-15, 1.0 + 1e-9])
def test_a_growth_near_1_is_a_growth_of_1(growth: float) -> None:
    one, other = (schedules.cosine(1.0, 1000, restarts=3, growth=g) for g in (1.0, growth))
    assert [one(step) for step in range(1001)] == [other(step) for step in range(1001)]


@pytest.mark.parametrize(
    ("schedule", "first", "last"),
    [
        (schedules.cosine(0.1, 50, warmup_steps=50), 0.0, 0.0),
        (schedules.cosine(0.1, 0), 0.0, 0.0),
        (schedules.one_cycle(0.1, 50, cut_frac=0.0), 0.1, 0.1 / 25 / 1e4),
        (schedules.one_cycle(0.1, 50, cut_frac=1.0), 0.1 / 25, 0.1 / 25 / 1e4),
        (schedules.warmup_stable_decay(0.1, 0, 0, 50), 0.1, 0.0),
        (schedules.warmup_stable_decay(0.1, 25, 25, 50, min_rate=0.1), 0.0, 0.1),
        (schedules.polynomial(0.1, 50, min_rate=0.1), 0.1, 0.1),
        (schedules.piecewise([], [0.3]), 0.3, 0.3),
    ],
)
def test_the_limits_of_the_arguments_are_no_special_cases(schedule: Schedule, first: float, last: float) -> None:
    assert (schedule(0), schedule(50), schedule(2**40)) == pytest.approx((first, last, last))


def test_a_polynomial_of_power_1_with_warm_up_is_warmup_linear() -> None:
    one, other = schedules.polynomial(0.1, 90, warmup_steps=7), schedules.warmup_linear(0.1, 7, 90)
    assert [one(step) for step in STEPS] == pytest.approx([other(step) for step in STEPS], rel=1e-12, abs=1e-15)


def test_a_run_that_only_warms_up_ends_at_the_floor() -> None:
    made = [of(1.0, 4, warmup_steps=4) for of in (schedules.polynomial, schedules.cosine)]
    for schedule in (*made, schedules.warmup_linear(1.0, 4, 4)):
        assert [schedule(step) for step in range(6)] == [0.0, 0.25, 0.5, 0.75, 0.0, 0.0]


def test_as_many_periods_as_steps() -> None:
    schedule = schedules.cosine(1.0, 2, restarts=1)
    assert [schedule(step) for step in range(4)] == [1.0, 1.0, 0.0, 0.0]


def test_a_fall_of_less_than_a_step_begins_below_the_top() -> None:
    """The reference's: what is left of the steps over the length of the fall, which is 1 at least."""
    schedule = schedules.warmup_linear(1.0, 2, 2.5)
    assert [schedule(step) for step in range(4)] == [0.0, 0.5, 0.5, 0.0]


def test_a_decay_of_one_step_is_one_step() -> None:
    schedule = schedules.warmup_stable_decay(1.0, 0, 1, 3)
    assert [schedule(step) for step in range(5)] == [1.0, 1.0, 1.0, 0.0, 0.0]


def test_an_end_above_the_start_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"final_ratio must be at least 1, got 0\.5"):
        schedules.one_cycle(0.1, 10, final_ratio=0.5)


@pytest.mark.parametrize(
    ("total_steps", "share", "n_steps"), [(100, 0.05, 5), (7, 0.05, 0), (50, 0.5, 25), (9, 1.0, 9)]
)
def test_a_share_of_warm_up_is_so_many_steps(total_steps, share, n_steps):
    one = schedules.cosine(0.1, total_steps, warmup=share)
    other = schedules.cosine(0.1, total_steps, warmup_steps=n_steps)
    assert [one(step) for step in range(total_steps + 2)] == [other(step) for step in range(total_steps + 2)]
