"""Values against annotations."""

from __future__ import annotations

import enum
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NewType

import numpy as np
import pytest

from trainer_cli.config.annotations import can_fit, name_type
from trainer_cli.config.build import build
from trainer_cli.config.convert import convert
from trainer_cli.config.document import Document
from trainer_cli.config.mismatch import MismatchError
from trainer_cli.schedules.schedule import Schedule

from .conftest import Colour, Layer


class Level(enum.Enum):
    LOW = 1
    HIGH = 2


Steps = NewType("Steps", int)
T = typing.TypeVar("T")

FITTING: list[tuple[Any, Any, Any]] = [
    (3, int, 3),
    (3.0, int, 3),
    (1e3, int, 1000),
    (3, float, 3.0),
    (0.1, float, 0.1),
    (True, bool, True),
    ("x", str, "x"),
    ("a/b", Path, Path("a/b")),
    (None, type(None), None),
    (None, int | None, None),
    (3, int | None, 3),
    (3, int | float, 3),
    (3.5, int | float, 3.5),
    (3.0, int | float, 3.0),
    (3, float | None, 3.0),
    ("auto", int | Literal["auto"], "auto"),
    (4, int | Literal["auto"], 4),
    (4.0, int | Literal["auto"], 4),
    ("x", str | Path, "x"),
    ("x", Path | str, "x"),
    (True, int | bool, True),
    ([1, 2], list[int], [1, 2]),
    ([1, 2.0], list[int], [1, 2]),
    ([1, 2], list, [1, 2]),
    ([1, 2], list[float], [1.0, 2.0]),
    ([1, 2], Sequence[float], [1.0, 2.0]),
    ([1, 2], Iterable[int], [1, 2]),
    ([1, 2], tuple[int, ...], (1, 2)),
    ([1, "a"], tuple[int, str], (1, "a")),
    ([], tuple[int, ...], ()),
    ([1, 2], tuple, (1, 2)),
    (["a"], set[str], {"a"}),
    (["a"], frozenset[str], frozenset({"a"})),
    ({"a": 1}, dict[str, float], {"a": 1.0}),
    ({"1": 1}, dict[int, int], {1: 1}),
    ({"a": 1}, dict, {"a": 1}),
    ({"a": [1]}, Mapping[str, tuple[int, ...]], {"a": (1,)}),
    ([[1], [2]], list[tuple[int]], [(1,), (2,)]),
    ("red", Colour, Colour.RED),
    ("GREEN", Colour, Colour.GREEN),
    (2, Level, Level.HIGH),
    ("relu", Literal["relu", "tanh"], "relu"),
    (None, Literal["a", None], None),
    (5, Annotated[int, "rows"], 5),
    (5, Steps, 5),
    ({"x": 1}, Any, {"x": 1}),
    ([1], object, [1]),
    ([1], T, [1]),
    ([1], list[T], [1]),  # type: ignore[valid-type]
    (np.float32(0.5), float, 0.5),
    (np.int64(3), int, 3),
    (abs, Callable[[int], int], abs),
]


@pytest.mark.parametrize(("value", "annotation", "expected"), FITTING, ids=str)
def test_a_value_becomes_what_its_place_wants(value: Any, annotation: Any, expected: Any) -> None:
    found = convert(value, annotation)
    assert found == expected
    assert type(found) is type(expected)


REFUSED: list[tuple[Any, Any, str]] = [
    ("0.00l1", float, 'expected a number, got the text "0.00l1". Did you mean 0.001?'),
    ("3", int, 'expected a whole number, got the text "3". Did you mean 3, without the quotes?'),
    ("many", int, 'expected a whole number, got the text "many"'),
    (3.5, int, "expected a whole number, got 3.5"),
    (True, int, "expected a whole number, got true"),
    (True, float, "expected a number, got true"),
    (1, bool, "expected true or false, got 1"),
    ("true", bool, 'expected true or false, got the text "true"'),
    (3, str, 'expected a text, got 3. Did you mean "3", in quotes?'),
    (None, int, "expected a whole number, got null"),
    (3, Path, "expected a path, got 3"),
    ("aut", int | Literal["auto"], 'expected a whole number or "auto", got the text "aut". Did you mean "auto"?'),
    ("x", float | None, 'expected a number or null, got the text "x"'),
    ("rad", Colour, 'expected "red" or "green", got the text "rad". Did you mean "red"?'),
    (True, Literal[1, 2], "expected 1 or 2, got true"),
    (1.0, Literal[1, 2], "expected 1 or 2, got 1.0"),
    ([1, "2"], list[int], '[1]: expected a whole number, got the text "2". Did you mean 2, without the quotes?'),
    ([1, "a"], list[int] | None, '[1]: expected a whole number, got the text "a"'),
    ([1], tuple[int, int], "expected a list of 2 whole numbers, got the list [1]"),
    ([1, 1], set[int], "expected each value once, got the list [1, 1]"),
    ([[1]], set[Any], "a set cannot hold lists or sections, got a list"),
    ("ab", list[str], 'expected a list of texts, got the text "ab"'),
    ("ab", Sequence[str], 'expected a list of texts, got the text "ab"'),
    ([1], dict[str, int], "expected a section or {...}, got the list [1]"),
    ({"a": "b"}, dict[str, float], '.a: expected a number, got the text "b"'),
    ({"a": 1}, int, "expected a whole number, got a section"),
    (3, Layer, "expected a Layer, got 3"),
    ("abs", Callable[[int], int], 'expected a function, got the text "abs"'),
    ("x", float | Schedule, 'expected a number or a Schedule, got the text "x"'),
    (float("nan"), float, "expected a finite number, got nan"),
    ([0.1, "x"], float | Schedule, "schedule [0.1, x] must give finite numbers, got 'x' at step 1"),
]


@pytest.mark.parametrize(("value", "annotation", "message"), REFUSED, ids=str)
def test_a_value_that_does_not_fit_says_what_was_expected(value: Any, annotation: Any, message: str) -> None:
    with pytest.raises(MismatchError) as err:
        convert(value, annotation)
    assert ": ".join(part for part in (err.value.where, str(err.value)) if part) == message


def test_an_annotation_that_is_a_text_of_something_unknown_takes_anything() -> None:
    assert convert(3, "Unknown") == 3


@pytest.mark.parametrize("value", [[0.1, 0.2], (0.1, 0.2), iter([0.1, 0.2])])
def test_a_list_or_iterator_becomes_a_schedule_with_a_position_of_its_own(value: Any) -> None:
    planned = convert(value, float | Schedule)
    one = build(planned, Document())
    assert [one(step) for step in range(3)] == [0.1, 0.2, 0.2]
    if isinstance(value, list):
        other = build(planned, Document())
        next(one)
        assert (one.position, other.position) == (1, 0)


def test_a_number_where_only_a_schedule_fits_is_a_constant_one() -> None:
    assert build(convert(3, Schedule), Document())(7) == 3.0
    assert convert(3, float | Schedule) == 3.0


@pytest.mark.parametrize(
    ("returns", "annotation", "fits"),
    [
        (Schedule, float | Schedule, True),
        (Schedule, float, False),
        (Schedule, int | None, False),
        (Any, float, True),
        (int, float, True),
        (str, float, False),
        (str, Path, True),
        (Layer, Layer, True),
        (object, Layer, True),
        (Layer, Schedule, False),
        (Iterable[float], float | Schedule, True),
        (typing.Iterator[float], Schedule, True),
        (typing.Iterator[float], float, False),
        (list[int], tuple[int, ...], True),
        (dict[str, int], Layer, False),
        (Layer, Callable[[int], int], True),
        (Layer | None, Layer, True),
        (None, Layer, False),
        (bool, int, True),
        (Layer, typing.Protocol, True),
    ],
)
def test_what_a_function_returns_is_compared_with_where_it_goes(returns: Any, annotation: Any, fits: bool) -> None:
    assert can_fit(returns, annotation) is fits


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        (list[int], "a list of whole numbers"),
        (tuple[float, float], "a list of 2 numbers"),
        (tuple[int, str], "a list of 2"),
        (int | None, "a whole number or null"),
        (Layer | Schedule, "a Layer or a Schedule"),
        (dict[str, int], "a section or {...}"),
    ],
)
def test_types_are_named_in_words(annotation: Any, name: str) -> None:
    assert name_type(annotation) == name
