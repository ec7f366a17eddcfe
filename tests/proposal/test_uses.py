import numpy as np
import pytest

from trainer_cli.profile.column import ColumnProfile
from trainer_cli.proposal.target import Target
from trainer_cli.proposal.uses import use, uses
from trainer_cli.proposal.words import words_of


def facts_of(values, name="x"):
    column = ColumnProfile(name)
    column.add(values)
    return column.facts()


@pytest.mark.parametrize(
    ("name", "values", "role", "why"),
    [
        ("age", ["31", "40", "28"] * 10, "number", ""),
        ("zip", ["02139", "10001"] * 10, "category", "leading zeros"),
        ("ok", ["yes", "no", ""] * 10, "category", ""),
        ("city", ["Oslo", "Rome", "Lima"] * 10, "category", ""),
        ("when", ["2024-01-01", "2024-02-01"] * 10, "date", ""),
        ("review", [f"I liked it {i} times, she did not" for i in range(30)], "text", ""),
        ("name", [f"User{i}" for i in range(30)], "-", "an identifier"),
        ("user_id", [str(i * 7 % 101) for i in range(100)], "-", "an identifier"),
        ("UserId", [str(i * 7 % 101) for i in range(100)], "-", "an identifier"),
        ("population", [str(i * 7 % 101) for i in range(100)], "number", ""),
        ("row", [str(i) for i in range(30)], "-", "it numbers the rows"),
        ("price", [f"${i},000" for i in range(1, 30)], "number", 'written as "$1,000": thousands = ",", units = true'),
        ("debt", [f"({i})" for i in range(1, 30)], "-", 'written as "(1)": write plain numbers'),
        ("size", [*map(str, range(2, 42)), "big"], "-", 'numbers, but for "big"'),
        ("floor", ["1", "2"] * 15 + ["ground"], "category", 'numbers and "ground"'),
        ("day", ["12/31/2024", "11/30/2024"] * 15, "category", 'as it is written, "12/31/2024"'),
        ("day", [f"{m}/{d}/2024" for m in range(1, 7) for d in range(1, 7)], "-", "day or month first?"),
        ("first", [f"name{i}" for i in range(12)], "-", "an identifier"),
        ("gone", [""] * 30, "-", "no row has a value"),
        ("same", ["x"] * 30, "-", "the same value"),
        ("flag", ["x", ""] * 30, "category", ""),
        ("words", [["to", "be"]] * 30, "tokens", ""),
    ],
)
def test_each_column_has_a_use_and_a_reason(name, values, role, why):
    found = use(facts_of(values, name))
    assert found.role == role
    assert why in found.why


def test_a_column_that_gives_the_target_away_is_left_out_but_not_the_only_input():
    y, copy, x = (facts_of(["a", "b"] * 20, name) for name in ("y", "copy", "x"))
    target = Target(y, "classification", "")
    found = uses((y, copy, x), target, {"copy": "a copy of the target"})
    assert [each.role for each in found] == ["target", "-", "category"]
    assert "a copy of the target" in found[1].why
    assert [each.role for each in uses((y, copy), target, {"copy": "a copy of the target"})] == ["target", "category"]


def test_a_word_that_only_holds_id_is_no_identifier():
    assert words_of("PassengerId") == "passenger id"
    assert use(facts_of([str(i * 7 % 101) for i in range(100)], "humidity")).role == "number"
    assert use(facts_of([str(i * 7 % 101) for i in range(100)], "humidity id")).role == "-"


@pytest.mark.parametrize(
    ("columns", "task", "roles"),
    [
        ({"words": [["a", "b"]] * 20, "n": ["1", "2"] * 10}, "tagging", ["tokens", "-"]),
        ({"words": [["a"], ["b"]] * 10, "n": ["1", "2"] * 10}, "classification", ["-", "number"]),
        ({"x": np.zeros((20, 5, 5, 1), np.uint8), "n": ["1", "2"] * 10}, "classification", ["image", "-"]),
        ({"x": np.zeros((20, 5, 5), np.float32), "n": ["1", "2"] * 10}, "classification", ["array", "-"]),
        ({"x": np.zeros((20, 5), np.float32), "n": ["1", "2"] * 10}, "classification", ["number", "number"]),
        ({"x": np.zeros((20, 5), "U3"), "n": ["1", "2"] * 10}, "classification", ["-", "number"]),
    ],
)
def test_a_column_that_the_model_would_not_read_is_not_said_to_be_used(columns, task, roles):
    target = Target(facts_of([["T", "U"]] * 20 if task == "tagging" else ["a", "b"] * 10, "y"), task, "")
    found = uses((*(facts_of(values, name) for name, values in columns.items()), target.facts), target, {})
    assert [each.role for each in found] == [*roles, "target"]
    assert all(each.why for each in found if each.role == "-")
