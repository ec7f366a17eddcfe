"""The schedule that follows the dev score."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli import json_text
from trainer_cli.errors import ModelFileError
from trainer_cli.schedules import Schedule, plateau
from trainer_cli.schedules.plateau import Plateau


def run(schedule: Schedule, scores: list[float], every: int = 10, start: int = 0) -> list[float]:
    """The rate after each evaluation; there is one after every 10 updates."""
    rates = []
    for i, score in enumerate(scores, start + 1):
        schedule.observe(score, i * every)
        rates.append(schedule(i * every))
    return rates


def test_it_falls_after_so_many_evaluations_without_a_better_score() -> None:
    rates = run(plateau(1.0, factor=0.5, patience=2), [0.5, 0.6, 0.6, 0.1, 0.2, 0.7, 0.1, 0.1, 0.1, 0.1])
    assert rates == [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125]


def test_it_never_falls_below_min_rate_and_then_remembers_no_more() -> None:
    schedule = plateau(1.0, factor=0.1, patience=1, min_rate=0.05)
    assert run(schedule, [1.0] * 50) == pytest.approx([1.0, 0.1, *[0.05] * 48])
    assert len(schedule.memory.cuts) == 2


def test_scores_that_are_not_finite_are_no_better() -> None:
    rates = run(plateau(1.0, factor=0.5, patience=2), [math.nan, 0.5, math.inf, math.nan, -math.inf, 0.6])
    assert rates == [1.0, 1.0, 1.0, 0.5, 0.5, 0.5]


def test_a_step_of_the_past_has_the_rate_that_it_was_made_with() -> None:
    schedule = plateau(1.0, factor=0.5, patience=1)
    before = [schedule(step) for step in range(20)]
    run(schedule, [0.5, 0.4, 0.3])
    assert [schedule(step) for step in range(20)] == before
    assert [schedule(step) for step in (20, 29, 30)] == [0.5, 0.5, 0.25]


def test_a_step_that_was_observed_is_not_counted_again() -> None:
    schedule = plateau(1.0, factor=0.5, patience=2)
    for step in (10, 20, 20, 20, 10):
        schedule.observe(0.5, step)
    assert (schedule.memory.n_worse, schedule.memory.cuts) == (1, ())


def check_resume(scores: list[float], cut: int) -> None:
    """Killed after any evaluation and taken up from its JSON, the rates are those of a run without a break."""
    whole = plateau(0.3, factor=0.7, patience=2, min_rate=0.01)
    expected = run(whole, scores)
    before, after = (plateau(0.3, factor=0.7, patience=2, min_rate=0.01) for _ in range(2))
    rates = run(before, scores[:cut])
    after.load_state(json_text.decode(json_text.loads(json_text.dumps(json_text.encode(before.to_state())))))
    assert rates + run(after, scores[cut:], start=cut) == expected
    assert after.to_state() == whole.to_state()
    assert [after(step) for step in range(200)] == [whole(step) for step in range(200)]


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4, math.nan]), max_size=12), st.integers(0, 12))
def test_its_memory_survives_json_anywhere(scores: list[float], cut: int) -> None:
    check_resume(scores, cut)


def test_a_memory_without_the_count_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    good = Plateau.to_state
    monkeypatch.setattr(Plateau, "to_state", lambda self: good(self) | {"n_worse": 0})
    with pytest.raises(AssertionError):
        check_resume([0.4, 0.1, 0.1, 0.1], 2)


def test_its_memory_is_plain_json() -> None:
    schedule = plateau(1.0, patience=1)
    run(schedule, [0.25, 0.125])
    assert json.dumps(schedule.to_state()) == '{"best": 0.25, "n_worse": 0, "observed": 20, "cuts": [20]}'


def test_a_copy_remembers_alone() -> None:
    schedule = plateau(1.0, factor=0.5, patience=1)
    twin = copy.deepcopy(schedule)
    run(schedule, [0.5, 0.4])
    assert (schedule(20), twin(20)) == (0.5, 1.0)


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"best": None, "n_worse": 0, "observed": 1},
        {"best": "0.1", "n_worse": 0, "observed": 1, "cuts": []},
        {"best": math.nan, "n_worse": 0, "observed": 1, "cuts": []},
        {"best": 0.1, "n_worse": 0.5, "observed": 1, "cuts": []},
        {"best": 0.1, "n_worse": 0, "observed": 1, "cuts": [20, 10]},
        {"best": 0.1, "n_worse": 0, "observed": 1, "cuts": None},
    ],
)
def test_a_damaged_memory_is_refused(state: dict[str, Any]) -> None:
    with pytest.raises(ModelFileError, match=r"the memory of plateau\(0.1\) is not one of ours"):
        plateau(0.1).load_state(state)


def test_other_schedules_ignore_scores_and_remember_nothing() -> None:
    schedule = Schedule(lambda step: 0.5**step, "halving()")
    schedule.observe(0.1, 3)
    schedule.load_state(schedule.to_state())
    assert not schedule.reads_scores
    assert (schedule(2), schedule.to_state()) == (0.25, {})
