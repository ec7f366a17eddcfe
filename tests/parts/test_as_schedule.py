"""What may stand for a hyper-parameter, and generators of a user's own."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from trainer_cli.errors import ArgumentError
from trainer_cli.registry import registry
from trainer_cli.schedules import Schedule, as_schedule
from trainer_cli.schedules.schedule import Drawn


def up_and_down(values: list[float]) -> Iterator[float]:
    while True:
        yield from values
        yield from reversed(values)


def countdown(start: int) -> Iterator[float]:
    yield from range(start, 0, -1)


def first(schedule: Schedule, n: int) -> list[float]:
    return [schedule(step) for step in range(n)]


def test_a_schedule_is_returned_as_it_is() -> None:
    schedule = as_schedule(0.1)
    assert as_schedule(schedule) is schedule


@pytest.mark.parametrize("number", [3, 0.25, np.float32(0.25), np.int64(7)])
def test_a_number_is_constant(number: float) -> None:
    schedule = as_schedule(number)
    assert first(schedule, 3) == [float(number)] * 3
    assert type(schedule(0)) is float
    assert repr(schedule) == str(number)


@pytest.mark.parametrize("values", [[0.1, 0.2, 0.3], (0.1, 0.2, 0.3), np.array([0.1, 0.2, 0.3])])
def test_a_list_gives_its_values_in_turn_and_holds_the_last(values: Any) -> None:
    schedule = as_schedule(values)
    assert [next(schedule) for _ in range(5)] == [0.1, 0.2, 0.3, 0.3, 0.3]
    assert schedule(2**40) == 0.3


def test_a_generator_is_drawn_as_on_the_seed_page() -> None:
    schedule = as_schedule(up_and_down([0.001, 0.01, 0.1]))
    expected = [0.001, 0.01, 0.1, 0.1, 0.01, 0.001, 0.001, 0.01]
    assert list(itertools.islice(schedule, 8)) == expected
    assert repr(schedule) == "up_and_down()"


def test_a_registered_generator_function_works_through_its_name() -> None:
    registry.schedules("test_up_and_down.v1")(up_and_down)
    schedule = as_schedule(registry.get("schedules", "test_up_and_down.v1")(values=[1.0, 2.0]))
    assert first(schedule, 5) == [1.0, 2.0, 2.0, 1.0, 1.0]


def check_repeatable(schedule: Schedule) -> None:
    later, earlier = schedule(5), schedule(2)
    assert [next(schedule) for _ in range(6)] == first(schedule, 6)
    assert (schedule(5), schedule(2)) == (later, earlier)


def test_a_generator_s_values_are_remembered() -> None:
    check_repeatable(as_schedule(up_and_down([1.0, 2.0, 3.0])))


def test_a_generator_that_is_not_remembered_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = up_and_down([1.0, 2.0, 3.0])
    monkeypatch.setattr(Drawn, "__call__", lambda self, step: next(stream))
    with pytest.raises(AssertionError):
        check_repeatable(as_schedule(stream))


def test_a_generator_is_drawn_no_further_than_asked() -> None:
    drawn: list[int] = []

    def spy() -> Iterator[float]:
        for value in itertools.count():
            drawn.append(value)
            yield value

    schedule = as_schedule(spy())
    assert drawn == []
    schedule(2)
    assert drawn == [0, 1, 2]


def test_a_generator_holds_its_last_value_when_it_ends() -> None:
    schedule = as_schedule(countdown(3))
    assert list(itertools.islice(schedule, 6)) == [3.0, 2.0, 1.0, 1.0, 1.0, 1.0]
    assert schedule(2**40) == 1.0


def test_a_position_can_be_set_back_and_forth() -> None:
    schedule = as_schedule(countdown(9))
    schedule.position = 4
    assert next(schedule) == 5.0
    schedule.position = 1
    assert next(schedule) == 8.0


def test_a_resumed_generator_continues_after_a_million_draws() -> None:
    schedule = as_schedule(float(i % 1000) for i in itertools.count())
    schedule.position = 1_000_001
    assert next(schedule) == 1.0


def test_copies_of_a_generator_s_schedule_agree_and_move_alone() -> None:
    schedule = as_schedule(up_and_down([1.0, 2.0, 3.0]))
    next(schedule)
    twin = copy.deepcopy(schedule)
    assert [next(twin) for _ in range(4)] == [2.0, 3.0, 3.0, 2.0]
    assert (schedule.position, twin.position) == (1, 5)
    assert next(schedule) == 2.0


def test_all_who_hold_a_schedule_share_its_position() -> None:
    schedule = as_schedule([1.0, 2.0, 3.0])
    one, other = as_schedule(schedule), as_schedule(schedule)
    assert (next(one), next(other), next(one)) == (1.0, 2.0, 3.0)


def test_a_long_list_is_shown_by_its_beginning() -> None:
    assert repr(as_schedule([1, 2, 3])) == "[1, 2, 3]"
    assert repr(as_schedule(list(range(100)))) == "[0, 1, 2, 3, 4, 5, ...]"


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), "0.1", None, True, [1.0]])
def test_a_value_that_is_no_number_names_function_step_and_value(bad: object) -> None:
    def faulty() -> Iterator[Any]:
        yield 0.5
        yield bad
        yield 0.25

    schedule = as_schedule(faulty())
    assert schedule(0) == 0.5
    for step in (1, 2, 1):  # it stays an error: the next value must not slip into the gap
        with pytest.raises(ArgumentError, match=r"schedule faulty\(\) must give finite numbers, got .* at step 1$"):
            schedule(step)
    assert schedule(0) == 0.5


def test_an_exception_in_a_generator_names_it_and_the_step() -> None:
    schedule = as_schedule(1 / value for value in (2.0, 0.0))
    assert schedule(0) == 0.5
    for _ in range(2):
        with pytest.raises(ArgumentError, match=r"schedule <genexpr>\(\) failed at step 1: ZeroDivisionError"):
            schedule(1)


def test_a_generator_without_values_is_refused_when_asked() -> None:
    schedule = as_schedule(countdown(0))
    for _ in range(2):
        with pytest.raises(ArgumentError, match=r"schedule countdown\(\) has no values"):
            schedule(0)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), r"expected a finite number, a list of numbers or a schedule, got nan"),
        (10**400, r"expected a finite number"),
        ("0.01", r"expected a finite number, a list of numbers or a schedule, got '0.01'"),
        (True, r"got True"),
        (None, r"got None"),
        ({"rate": 1.0}, r"got \{'rate': 1.0\}"),
        (countdown, r"got <function countdown.*\. Call the function to get its generator"),
        ([], r"schedule \[\] has no values"),
        ([0.1, "x"], r"schedule \[0.1, x\] must give finite numbers, got 'x' at step 1"),
        ([0.1, float("inf")], r"got inf at step 1"),
    ],
)
def test_what_is_no_hyper_parameter_is_refused(value: object, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        as_schedule(value)


@pytest.mark.parametrize(
    ("step", "message"), [(-1, "a step is counted from 0, got -1"), (1.5, "a step is a whole number, got 1.5")]
)
def test_a_step_is_a_whole_number_from_0(step: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        as_schedule(0.1)(step)


def test_a_numpy_integer_is_a_step() -> None:
    assert as_schedule([1.0, 2.0])(np.int64(1)) == 2.0  # type: ignore[arg-type]


def test_a_formula_that_gives_no_number_is_named() -> None:
    with pytest.raises(ArgumentError, match=r"schedule broken\(\) must give finite numbers, got nan at step 3"):
        Schedule(lambda step: float("nan"), "broken()")(3)


def test_the_first_thing_that_is_wrong_is_told_however_many_are_drawn_at_once() -> None:
    def faulty() -> Iterator[Any]:
        yield from (1.0, 2, "three")
        raise OSError("a later one")

    schedule = as_schedule(faulty())
    for step in (1000, 2, 1000):
        with pytest.raises(
            ArgumentError, match=r"schedule faulty\(\) must give finite numbers, got 'three' at step 2$"
        ):
            schedule(step)
    assert first(schedule, 2) == [1.0, 2.0]


def test_what_came_before_an_exception_is_kept() -> None:
    def faulty() -> Iterator[float]:
        yield from (1.0, 2.0)
        raise OSError("no more")

    schedule = as_schedule(faulty())
    with pytest.raises(ArgumentError, match=r"schedule faulty\(\) failed at step 2: OSError: no more") as caught:
        schedule(1000)
    assert isinstance(caught.value.__cause__, OSError)
    assert first(schedule, 2) == [1.0, 2.0]


def test_more_values_than_are_drawn_at_once_stay_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer_cli.schedules.schedule.MOST_AT_ONCE", 7)
    assert as_schedule(iter(range(100)))(52) == 52.0
    assert as_schedule(list(range(100)))(99) == 99.0
    assert as_schedule(iter(range(14)))(1000) == 13.0


def test_a_wrong_value_in_a_tuple_is_found_at_once() -> None:
    with pytest.raises(ArgumentError, match="must give finite numbers, got 'x' at step 1"):
        as_schedule((1.0, "x"))


def test_a_set_has_no_order_and_is_refused() -> None:
    with pytest.raises(ArgumentError, match="expected a finite number, a list of numbers or a schedule, got "):
        as_schedule({1.0, 2.0})
