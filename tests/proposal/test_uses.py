import numpy as np
import pytest

from trainer_cli.data.block import Block
from trainer_cli.data.encoders.numbers import Numbers
from trainer_cli.errors import ArgumentError, DataError
from trainer_cli.profile.column import ColumnProfile
from trainer_cli.profile.words import words_of
from trainer_cli.proposal.models import design
from trainer_cli.proposal.recipe import recipe, tag_recipe
from trainer_cli.proposal.target import Target
from trainer_cli.proposal.uses import Choice, use, uses


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
        ("day", ["12/31/2024", "11/30/2024"] * 15, "date", "month first"),
        ("day", [f"{i % 28 + 1}-3-2024 14:30" for i in range(56)], "date", "day first"),
        ("day", ["2024-01-31", "12/31/2024", "Mar 10, 2022"] * 15, "date", "month first"),
        ("day", ["12/11/2024", "11/10/2024"] * 15, "category", 'as it is written, "12/11/2024"'),
        (
            "day",
            [f"{m}/{d}/2024" for m in range(1, 7) for d in range(1, 7)],
            "-",
            'dates.v1 with order = "month first"',
        ),
        (
            "day",
            ["31/12/2024"] + [f"{m}/{d}/2024" for m in range(1, 6) for d in range(9, 15)],
            "-",
            "the day comes first in",
        ),
        ("day", [f"{m}/{d}/24" for m in range(1, 6) for d in range(9, 15)], "-", "of which century?"),
        ("day", [f"{m}/{d}/2024" for m in range(1, 6) for d in range(27, 33)], "-", "is no date"),
        (
            "day",
            ["2024-01-31", *(f"{m}/{d}/2024" for m in range(1, 6) for d in range(1, 7))],
            "-",
            'written as "1/1/2024"',
        ),
        ("first", [f"name{i}" for i in range(12)], "-", "an identifier"),
        ("Objekt-Nr.", [str(100_000 + i) for i in range(80)], "-", "it numbers the rows from 100000 on"),
        ("thing", [str(50_001 + i * 7 % 80) for i in range(80)], "-", "it numbers the rows from 50001 on"),
        ("thing", [str(2 + 2 * i) for i in range(80)], "-", "it numbers the rows from 2 on, 2 by 2"),
        ("thing", np.arange(300, 380), "-", "it numbers the rows from 300 on"),
        ("thing", [str(20 + 5 * i) for i in range(12)], "number", ""),  # few: measured so
        ("order_no", [str(50_001 + i) for i in range(12)], "-", "it numbers the rows"),
        ("year", [str(1940 + i) for i in range(80)], "number", ""),
        ("time", [str(i) for i in range(80)], "number", ""),
        ("thing", [str(50_001 + i + (i > 40)) for i in range(80)], "number", ""),  # one is left out
        ("phone", [str(5_550_000 + i * i * 37) for i in range(80)], "-", "an identifier"),
        ("phone", [f"+47 {i:03} {i * 37 % 997:03}" for i in range(80)], "-", "an identifier"),
        ("contact", [f"(555) {i:03} {i * 37 % 997:03}" for i in range(80)], "-", "an identifier"),
        ("num_pages", [str(i * i + 37) for i in range(80)], "number", ""),
        ("number of rooms", [str(i * i + 37) for i in range(80)], "number", ""),
        ("invoice number", [str(i * i + 37) for i in range(80)], "-", "an identifier"),
        ("number", [str(i % 7) for i in range(80)], "number", ""),
        ("far", [f"{i}.25e299" for i in range(30)], "-", "too large to standardise"),
        ("far", [f"-{i}.25e160" for i in range(30)], "-", "too large to standardise"),
        ("far", np.linspace(0, 1e200, 60).reshape(30, 2), "-", "too large to standardise"),
        ("far", [f"{i * i}.25e147" for i in range(30)], "number", ""),
        ("holes", np.where(np.arange(60) % 2, np.nan, np.arange(60.0)).reshape(30, 2), "number", ""),
        ("holes", np.full((30, 2, 2), np.nan), "-", "no row has a value"),
        ("holes", np.where(np.arange(120) % 9, 1.0, np.nan).reshape(30, 2, 2), "-", "numbers are missing in 14 rows"),
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


def test_numbers_as_large_as_are_used_can_be_standardised():
    encoder = Numbers("far")
    encoder.choose(("far",))
    encoder.fit(Block({"far": [f"{sign}1e150" for sign in ("", "-")] * 2000}))
    encoder.finish_fit()
    assert np.isfinite(encoder.scale).all()


def test_a_column_that_gives_the_target_away_is_left_out_but_not_the_only_input():
    y, copy, x = (facts_of(["a", "b"] * 20, name) for name in ("y", "copy", "x"))
    target = Target(y, "classification", "")
    found = uses((y, copy, x), target, {"copy": "a copy of the target"})
    assert [each.role for each in found] == ["target", "-", "category"]
    assert "a copy of the target" in found[1].why
    assert [each.role for each in uses((y, copy), target, {"copy": "a copy of the target"})] == ["target", "category"]


def test_what_goes_up_evenly_is_an_input_where_there_is_no_other():
    load, y = facts_of([str(i * 25) for i in range(1, 81)], "force"), facts_of(["a", "b"] * 40, "y")
    target = Target(y, "classification", "")
    assert [each.role for each in uses((load, y), target, {})] == ["number", "target"]
    other = facts_of([str(i % 7) for i in range(80)], "other")
    assert [each.role for each in uses((load, y, other), target, {})] == ["-", "target", "number"]


def test_a_column_is_kept_or_dropped_as_one_says():
    y, copy, x, number, name = (
        facts_of(values, name)
        for name, values in {
            "y": ["a", "b"] * 40,
            "copy": ["0", "1"] * 40,
            "x": [str(i % 7) for i in range(80)],
            "row": [str(i) for i in range(80)],
            "name": [f"n{i}" for i in range(80)],
        }.items()
    )
    columns, target = (y, copy, x, number, name), Target(y, "classification", "")

    def roles(*, keep=(), drop=()):
        found = uses(columns, target, {"copy": "a copy of the target"}, Choice(tuple(keep), tuple(drop)))
        assert [each.facts for each in found] == list(columns)
        return [each.role for each in found[1:]]

    assert roles() == ["-", "number", "-", "-"]
    assert roles(keep=["copy", "row", "name"]) == ["number", "number", "number", "text"]
    assert roles(keep=["copy"], drop=["x"]) == ["number", "-", "-", "-"]
    with pytest.raises(ArgumentError, match='--keep "y": it is the target'):
        roles(keep=["y"])


def test_what_cannot_be_kept_or_is_not_there_is_told():
    y, same = facts_of(["a", "b"] * 40, "y"), facts_of(["1"] * 80, "same")
    with pytest.raises(ArgumentError, match='--keep "same": the same value in every row'):
        uses((y, same), Target(y, "classification", ""), {}, Choice(("same",)))
    with pytest.raises(ArgumentError, match=r'--drop: no column is called "sam"\. Did you mean "same"\?'):
        Choice(drop=("sam",)).check(["y", "same"])
    with pytest.raises(ArgumentError, match='--keep and --drop both name the column "same"'):
        Choice(("same",), ("same",)).check(["y", "same"])


def test_of_many_texts_those_that_are_to_be_kept_are_read():
    texts = [facts_of([f"this is text {i} of {name}" for i in range(80)], name) for name in "abcd"]
    target = Target(facts_of(["a", "b"] * 40, "y"), "classification", "")
    roles = [each.role for each in uses((*texts, target.facts), target, {}, Choice(("d",)))]
    assert roles == ["text", "text", "-", "text", "target"]


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


@pytest.mark.parametrize(("n_rows", "size"), [(9_999, (64, 2)), (10_000, (104, 4))])
def test_a_tagger_has_a_table_for_each_attribute_of_a_word_and_is_large_where_sentences_are_many(n_rows, size):
    target = Target(facts_of([["T", "U"]] * 20, "y"), "tagging", "")
    found = uses((facts_of([["a", "b"]] * 20, "words"), target.facts), target, {})
    made = design(found, target, tag_recipe(n_rows))
    (features,), (model,) = made.features, made.model
    assert len(features.values["attributes"]) == len(model.values["rows"]) == 8
    assert (model.values["width"], model.values["depth"]) == size


def test_where_no_column_is_left_the_first_are_named():
    same = [facts_of(["1"] * 80, f"c{i}") for i in range(30)]
    target = Target(facts_of(["a", "b"] * 40, "y"), "classification", "")
    with pytest.raises(DataError, match=r"c9: the same value in every row; and 20 more\)"):
        design(uses((*same, target.facts), target, {}), target, recipe(80))
