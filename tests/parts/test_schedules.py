"""What all schedules promise, the numbers and names of the reference's seven, and what is refused."""

from __future__ import annotations

import copy
import inspect
import itertools
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli import schedules
from trainer_cli.config.annotations import can_fit
from trainer_cli.config.registry import registry as config_registry
from trainer_cli.errors import ArgumentError
from trainer_cli.registry import registry
from trainer_cli.schedules import Schedule

CASES = json.loads((Path(__file__).parent.parent / "reference" / "schedules.json").read_text(encoding="utf-8"))
NAMES = {
    "compounding": "(start, stop, compound, *, t=0.0)",
    "constant": "(rate)",
    "constant_then": "(rate, steps, schedule)",
    "cyclic_triangular": "(min_lr, max_lr, period)",
    "decaying": "(base_rate, decay, *, t=0)",
    "slanted_triangular": "(max_rate, num_steps, *, cut_frac=0.1, ratio=32, decay=1.0, t=0.0)",
    "warmup_linear": "(initial_rate, warmup_steps, total_steps)",
}
EXAMPLES: dict[str, Callable[[], Schedule]] = {
    "compounding": lambda: schedules.compounding(1.0, 16.0, 1.001),
    "constant": lambda: schedules.constant(0.1),
    "constant_then": lambda: schedules.constant_then(0.1, 3, [0.2, 0.3]),
    "cyclic_triangular": lambda: schedules.cyclic_triangular(0.1, 1.0, 7),
    "decaying": lambda: schedules.decaying(0.1, 0.01),
    "slanted_triangular": lambda: schedules.slanted_triangular(0.1, 200),
    "warmup_linear": lambda: schedules.warmup_linear(0.01, 10, 100),
    "cosine": lambda: schedules.cosine(0.1, 200, warmup_steps=5, min_rate=0.01, restarts=2, growth=2.0),
    "one_cycle": lambda: schedules.one_cycle(0.1, 200),
    "piecewise": lambda: schedules.piecewise([3, 8], [0.1, 0.2, 0.05]),
    "plateau": lambda: observed(schedules.plateau(0.1, factor=0.5, patience=2), [1.0, 0.0, 0.0, 0.0, 0.0]),
    "polynomial": lambda: schedules.polynomial(0.1, 200, power=1.5, warmup_steps=20),
    "warmup_stable_decay": lambda: schedules.warmup_stable_decay(0.1, 20, 50, 200),
}


def observed(schedule: Schedule, scores: list[float]) -> Schedule:
    """The schedule after a score at every third step."""
    for i, score in enumerate(scores):
        schedule.observe(score, 3 * (i + 1))
    return schedule


def build(name: str, args: list[Any], kwargs: dict[str, Any]) -> Schedule:
    built = [build(arg[0], arg[1:], {}) if isinstance(arg, list) else arg for arg in args]
    schedule: Schedule = getattr(schedules, name)(*built, **kwargs)
    return schedule


def check_reference(case: dict[str, Any], schedule: Callable[[int], float]) -> None:
    for step, expected in zip(case["steps"], case["values"], strict=True):
        assert schedule(step) == pytest.approx(expected, rel=1e-12, abs=1e-12)
    total = math.fsum(schedule(step) for step in range(case["n_steps"]))
    assert total == pytest.approx(case["sum"], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['name']}{case['args']}{case['kwargs'] or ''}")
def test_the_values_are_the_reference_s_over_ten_thousand_steps(case: dict[str, Any]) -> None:
    check_reference(case, build(case["name"], case["args"], case["kwargs"]))


def test_a_relative_slip_of_1e_10_is_seen() -> None:
    for case in CASES:
        schedule = build(case["name"], case["args"], case["kwargs"])
        with pytest.raises(AssertionError):
            check_reference(case, lambda step, schedule=schedule: schedule(step) * (1 + 1e-10))


def test_the_reference_covers_every_schedule() -> None:
    assert {case["name"] for case in CASES} == set(NAMES)


def test_the_examples_are_all_that_is_built_in() -> None:
    built_in = {name for name in registry.schedules.names() if registry.schedules.is_built_in(name)}
    assert {f"{name}.v1" for name in EXAMPLES} == built_in
    assert all(registry.schedules.get(f"{name}.v1") is getattr(schedules, name) for name in EXAMPLES)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_registered_with_the_reference_s_arguments_and_defaults(name: str) -> None:
    function = registry.schedules.get(f"{name}.v1")
    assert function is getattr(schedules, name)
    bare = inspect.signature(function)
    parameters = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in bare.parameters.values()]
    assert str(inspect.Signature(parameters)) == NAMES[name]


def test_slanted_triangular_hand_calculated() -> None:
    # 10 steps, cut at 5: p = 1/5, 2/5, 3/5, 4/5, 1, then down by 1/5; rate = (1 + p * 1) / 2
    rates = schedules.slanted_triangular(1.0, 10, cut_frac=0.5, ratio=2)
    assert [rates(step) for step in range(10)] == pytest.approx([0.6, 0.7, 0.8, 0.9, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5])


def test_warmup_linear_is_zero_from_the_end_on() -> None:
    rates = schedules.warmup_linear(0.01, 10, 100)
    assert (rates(10), rates(100), rates(2**40)) == (0.01, 0.0, 0.0)


@pytest.mark.parametrize("stop", [16.0, 0.5])
def test_compounding_stays_at_stop_for_ever(stop: float) -> None:
    compound = 1.5 if stop > 1 else 0.75
    sizes = schedules.compounding(1.0, stop, compound)
    assert [sizes(step) for step in (0, 1, 50, 10_000, 2**40)] == [1.0, compound, stop, stop, stop]


def test_compounding_zero_stays_zero() -> None:
    assert schedules.compounding(0.0, 1.0, 2.0)(10_000) == 0.0


def test_an_inner_schedule_starts_at_its_own_step_0_and_is_not_moved() -> None:
    inner = schedules.decaying(1.0, 1.0)
    next(inner)
    rates = schedules.constant_then(0.3, 2, inner)
    assert [next(rates) for _ in range(4)] == [0.3, 0.3, 1.0, 0.5]
    assert inner.position == 1


def check_pure(schedule: Schedule) -> None:
    """The value at a step depends on neither the order of asking nor on what was drawn in between."""
    steps = [0, 7, 3, 2**40, 11, 3]
    first = [schedule(step) for step in steps]
    drawn = list(itertools.islice(schedule, 12))
    assert [schedule(step) for step in reversed(steps)] == first[::-1]
    assert drawn == [schedule(step) for step in range(12)]
    assert schedule.position == 12
    assert all(math.isfinite(value) for value in first)


@pytest.mark.parametrize("name", EXAMPLES)
def test_drawing_and_asking_give_the_same_values(name: str) -> None:
    check_pure(EXAMPLES[name]())


def test_a_schedule_with_hidden_state_is_found_out() -> None:
    calls = itertools.count()
    with pytest.raises(AssertionError):
        check_pure(Schedule(lambda step: 0.9 ** next(calls), "forgetful()"))


@given(
    st.sampled_from(sorted(EXAMPLES)),
    st.integers(0, 2**40) | st.integers(0, 300),
)
def test_every_step_has_a_finite_value_that_a_moved_copy_draws(name: str, step: int) -> None:
    schedule = EXAMPLES[name]()
    schedule.position = step
    value = next(schedule)
    assert math.isfinite(value)
    assert value == EXAMPLES[name]()(step)
    assert schedule.position == step + 1


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_deep_copy_has_a_position_of_its_own(name: str) -> None:
    schedule = EXAMPLES[name]()
    next(schedule)
    twin = copy.deepcopy(schedule)
    next(twin)
    assert (schedule.position, twin.position) == (1, 2)
    assert schedule(5) == twin(5)


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        (schedules.constant(0.01), "constant(0.01)"),
        (schedules.constant_then(0.1, 5, schedules.constant(1)), "constant_then(0.1, 5, constant(1))"),
        (schedules.decaying(0.1, 0.5), "decaying(0.1, 0.5)"),
        (schedules.decaying(0.1, 0.5, t=3), "decaying(0.1, 0.5, t=3)"),
        (schedules.compounding(1, 16, 1.001), "compounding(1, 16, 1.001)"),
        (schedules.warmup_linear(0.01, 100, 2000), "warmup_linear(0.01, 100, 2000)"),
        (schedules.slanted_triangular(0.1, 500, ratio=10), "slanted_triangular(0.1, 500, ratio=10)"),
        (schedules.cyclic_triangular(0.1, 1.0, 20), "cyclic_triangular(0.1, 1.0, 20)"),
        (schedules.cosine(0.1, 500), "cosine(0.1, 500)"),
        (schedules.cosine(0.1, 500, restarts=2, min_rate=0.01), "cosine(0.1, 500, min_rate=0.01, restarts=2)"),
        (schedules.one_cycle(0.1, 500, ratio=10), "one_cycle(0.1, 500, ratio=10)"),
        (schedules.piecewise([5], [0.1, 0.2]), "piecewise([5], [0.1, 0.2])"),
        (schedules.plateau(0.1, patience=3), "plateau(0.1, patience=3)"),
        (schedules.polynomial(0.1, 500, power=2), "polynomial(0.1, 500, power=2)"),
        (schedules.warmup_stable_decay(0.1, 5, 10, 50), "warmup_stable_decay(0.1, 5, 10, 50)"),
    ],
)
def test_a_schedule_reads_as_it_is_written(schedule: Schedule, text: str) -> None:
    assert repr(schedule) == text


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: schedules.constant(math.nan), r"constant: rate must be a finite number, got nan"),
        (lambda: schedules.constant(True), r"constant: rate must be a finite number, got True"),
        (lambda: schedules.constant("0.1"), r"constant: rate must be a finite number, got '0.1'"),  # type: ignore[arg-type]
        (lambda: schedules.constant_then(0.1, -1, 0.2), r"constant_then: steps must be at least 0, got -1"),
        (lambda: schedules.constant_then(0.1, 1.5, 0.2), r"steps must be a whole number, got 1.5"),  # type: ignore[arg-type]
        (lambda: schedules.constant_then(0.1, 1, []), r"schedule \[\] has no values"),
        (lambda: schedules.decaying(0.1, -0.1), r"decaying: decay must be at least 0, got -0.1"),
        (lambda: schedules.decaying(0.1, 0.5, t=-2), r"1 \+ decay \* t must be above 0, got decay 0.5 and t -2"),
        (lambda: schedules.compounding(1.0, math.inf, 2.0), r"compounding: stop must be a finite number, got inf"),
        (lambda: schedules.compounding(1.0, 2.0, 0.0), r"compound must be above 0, got 0.0"),
        (lambda: schedules.compounding(1.0, 2.0, 0.5), r"compound 0.5 leads away from stop 2.0 when start is 1.0"),
        (lambda: schedules.compounding(2.0, 1.0, 1.5), r"compound 1.5 leads away from stop 1.0 when start is 2.0"),
        (lambda: schedules.compounding(8.0, 8.0, 0.5), r"compound 0.5 leads away from stop 8.0"),
        (lambda: schedules.warmup_linear(0.1, -1, 10), r"warmup_linear: warmup_steps must be at least 0, got -1"),
        (lambda: schedules.warmup_linear(0.1, 11, 10), r"warmup_steps must be at most total_steps, got 11 and 10"),
        (lambda: schedules.slanted_triangular(0.1, 9), r"num_steps \* cut_frac be at least 1, got 0.1 and 9 steps"),
        (lambda: schedules.slanted_triangular(0.1, 9, cut_frac=1.0), r"cut_frac must lie between 0 and 1"),
        (lambda: schedules.slanted_triangular(0.1, 90, ratio=0), r"ratio must be at least 1, got 0"),
        (lambda: schedules.slanted_triangular(0.1, 90, t=-1), r"slanted_triangular: t must be at least 0, got -1"),
        (lambda: schedules.cyclic_triangular(0.1, 1.0, 0), r"cyclic_triangular: period must be at least 1, got 0"),
        (lambda: schedules.cosine(math.nan, 10), r"cosine: initial_rate must be a finite number, got nan"),
        (lambda: schedules.cosine(-0.1, 10), r"cosine: initial_rate must be at least 0, got -0.1"),
        (lambda: schedules.cosine(0.1, -10), r"cosine: total_steps must be at least 0, got -10"),
        (
            lambda: schedules.cosine(0.1, 10, warmup_steps=11),
            r"warmup_steps must be at most total_steps, got 11 and 10",
        ),
        (lambda: schedules.cosine(0.1, 10, warmup_steps=11), r"lower it, or give warmup, a share of total_steps"),
        (lambda: schedules.cosine(0.1, 10, warmup=1.5), r"warmup is a share of total_steps, at most 1, got 1.5"),
        (lambda: schedules.cosine(0.1, 10, warmup=-0.5), r"cosine: warmup must be at least 0, got -0.5"),
        (lambda: schedules.cosine(0.1, 10, warmup=0.5, warmup_steps=2), r"not both, got 2 and 0.5"),
        (lambda: schedules.cosine(0.1, 10, warmup_steps=-1), r"cosine: warmup_steps must be at least 0, got -1"),
        (lambda: schedules.cosine(0.1, 10, min_rate=0.2), r"min_rate must be at most initial_rate, got 0.2 and 0.1"),
        (
            lambda: schedules.cosine(0.1, 10, restarts=10),
            r"each of 11 periods must have a step, got 10 steps after the",
        ),
        (lambda: schedules.cosine(0.1, 10, restarts=10**12), r"each of 1000000000001 periods must have a step"),
        (lambda: schedules.cosine(0.1, 10, restarts=5, growth=9), r"6 periods must have a step.* and growth 9"),
        (lambda: schedules.cosine(0.1, 10, restarts=1, growth=0.5), r"cosine: growth must be at least 1, got 0.5"),
        (lambda: schedules.cosine(0.1, 10, growth=2), r"cosine: growth has no effect without restarts, got 2"),
        (lambda: schedules.cosine(0.1, 10, restarts=1.5), r"cosine: restarts must be a whole number, got 1.5"),  # type: ignore[arg-type]
        (lambda: schedules.one_cycle(0.1, -1), r"one_cycle: total_steps must be at least 0, got -1"),
        (lambda: schedules.one_cycle(0.1, 10, cut_frac=1.1), r"one_cycle: cut_frac must lie between 0 and 1, got 1.1"),
        (lambda: schedules.one_cycle(0.1, 10, ratio=0.5), r"one_cycle: ratio must be at least 1, got 0.5"),
        (lambda: schedules.one_cycle(0.1, 10, final_ratio=math.inf), r"final_ratio must be a finite number, got inf"),
        (lambda: schedules.warmup_stable_decay(0.1, 6, 5, 10), r"must be at most total_steps, got 6 \+ 5 and 10"),
        (lambda: schedules.warmup_stable_decay(0.1, -1, 5, 10), r"warmup_steps must be at least 0, got -1"),
        (lambda: schedules.polynomial(0.1, 10, power=0), r"polynomial: power must be above 0, got 0"),
        (lambda: schedules.polynomial(0.1, 10, power=math.nan), r"polynomial: power must be a finite number, got nan"),
        (lambda: schedules.polynomial(0.1, 10, warmup_steps=20), r"warmup_steps must be at most total_steps, got 20"),
        (lambda: schedules.piecewise([5], [0.1]), r"one rate more than boundaries, got 1 rates and 1 boundaries"),
        (lambda: schedules.piecewise([5, 5], [1, 2, 3]), r"boundaries must grow and begin above 0, got \[5, 5\]"),
        (lambda: schedules.piecewise([0], [1, 2]), r"boundaries must grow and begin above 0, got \[0\]"),
        (lambda: schedules.piecewise([-5], [1, 2]), r"piecewise: boundaries\[0\] must be at least 0, got -5"),
        (lambda: schedules.piecewise([5], [1, math.nan]), r"piecewise: rates\[1\] must be a finite number, got nan"),
        (lambda: schedules.plateau(0.1, factor=1.0), r"plateau: factor must lie between 0 and 1, got 1.0"),
        (lambda: schedules.plateau(0.1, patience=0), r"plateau: patience must be at least 1 evaluation, got 0"),
        (lambda: schedules.plateau(0.1, min_rate=0.2), r"min_rate must be at most initial_rate, got 0.2 and 0.1"),
        (
            lambda: schedules.constant_then(0.1, 5, schedules.plateau(0.1)),
            r"constant_then: plateau\(0.1\) follows the dev score, which does not reach a schedule in another",
        ),
    ],
)
def test_a_bad_argument_is_refused_at_construction(make: Callable[[], Schedule], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        make()


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"@schedules": "cosine.v1", "initial_rate": 0.2, "total_steps": 100, "restarts": 1}, "cosine(0.2, 100, "),
        ({"@schedules": "one_cycle.v1", "max_rate": 0.2, "total_steps": 100}, "one_cycle(0.2, 100)"),
        ({"@schedules": "piecewise.v1", "boundaries": [5], "rates": [1, 0.5]}, "piecewise([5], [1.0, 0.5])"),
        ({"@schedules": "plateau.v1", "initial_rate": 1, "patience": 3}, "plateau(1.0, patience=3)"),
        ({"@schedules": "polynomial.v1", "initial_rate": 0.2, "total_steps": 100}, "polynomial(0.2, 100)"),
    ],
    ids=lambda value: value["@schedules"] if isinstance(value, dict) else "",
)
def test_a_schedule_comes_from_a_config_wherever_one_may_stand(block: dict[str, Any], expected: str) -> None:
    resolved = config_registry.resolve({"learn_rate": block})["learn_rate"]
    assert repr(resolved).startswith(expected)
    assert can_fit(
        inspect.signature(registry.schedules.get(block["@schedules"]), eval_str=True).return_annotation, Schedule
    )
