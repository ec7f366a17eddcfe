import csv

import numpy as np
import pytest

from trainer_cli.data.block import Block, Places
from trainer_cli.data.readers.csv import CSVReader
from trainer_cli.errors import DataError
from trainer_cli.profile import profile
from trainer_cli.profile import profile as package  # the function; its module is looked up by name below
from trainer_cli.profile.column import ColumnProfile


class Rows:
    """A reader of blocks made in a test."""

    def __init__(self, *blocks):
        self.given = blocks

    def columns(self):
        return tuple(self.given[0].columns)

    def blocks(self):
        yield from self.given


def facts_of(values, name="x"):
    return profile(Rows(Block({name: values}))).column(name)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2", ""], "whole"),
        (["1", "2.5"], "number"),
        (["02139", "10001"], "code"),
        (["02139", "10001", "1.5"], "number"),
        (["yes", "no", "NA"], "truth"),
        (["t", "f", "y", "n", "on"], "text"),
        (["2024-01-01", "2024-12-31"], "date"),
        (["$1,200", "300"], "amount"),
        (["1"] * 19 + ["big"], "mixed"),
        (["1"] * 5 + ["big"], "text"),
        (["1"] * 5 + ["unknown"], "whole"),
        (["1.5"] * 5 + ["Unknown ", "#N/A", "#DIV/0!"], "number"),
        (["$1,200", "unknown"], "amount"),
        (["a", "b", "unknown"], "text"),
        (["1"] * 19 + ["unknown", "big"], "mixed"),
        (["unknown"] * 9, "text"),
        (["", " ", "null"], "empty"),
        ([["to", "be"], ["or"]], "list"),
        (np.arange(3), "whole"),
        (np.array([0.5, np.nan]), "number"),
        (np.array([True, False]), "whole"),
        (np.array(["2024-01-01", "NaT"], "datetime64[us]"), "date"),
        (np.zeros((2, 5), np.float32), "array"),
        (np.zeros((2, 5, 5), np.uint8), "image"),
    ],
)
def test_each_kind_of_column_is_told(values, kind):
    assert facts_of(values).kind == kind


def test_one_day_above_twelve_tells_the_order_of_all_dates():
    facts = facts_of(["01/02/2023", "2024-01-01", "07/19/2023", ""])
    assert (facts.kind, facts.order, facts.low, facts.high) == ("date", "month first", "01/02/2023", "2024-01-01")
    facts = facts_of(["01/02/2023", "17/02/2023 03:00"])
    assert (facts.kind, facts.order, facts.low, facts.high) == ("date", "day first", "01/02/2023", "17/02/2023 03:00")
    facts = facts_of(["01/02/2023", "02/03/2023"])
    assert (facts.kind, facts.order) == ("date?", None)
    assert facts_of(["31.01.2024"]).order is None


def test_facts_of_numbers_are_those_of_the_rows():
    facts = facts_of(["3", "", "17", "-4", "3", "NA"])
    assert (facts.n, facts.missing, facts.distinct, facts.low, facts.high) == (6, 2, 3, -4, 17)
    assert facts.counts == {"3": 2, "17": 1, "-4": 1}


def test_unknown_beside_numbers_is_a_missing_value_and_else_one_of_many():
    facts = facts_of(["3", "unknown", "17", "Unknown", "3", "NA"])
    assert (facts.kind, facts.missing, facts.distinct, facts.odd) == ("whole", 3, 2, ())
    assert facts.counts == {"3": 2, "17": 1}
    facts = facts_of(["a", "unknown", "NA"])
    assert (facts.missing, facts.distinct) == (1, 2)


def test_facts_of_an_array_are_those_of_the_same_texts():
    numbers = np.array([3, np.nan, 17, -4, 3.5])
    texts = facts_of(["3.0", "", "17.0", "-4.0", "3.5"])
    array = facts_of(numbers)
    assert (array.missing, array.distinct, array.low, array.high) == (1, 4, -4, 17)
    assert (array.kind, array.counts) == (texts.kind, texts.counts)


def test_numbers_missing_in_arrays_are_counted_by_row_and_leave_the_range():
    array = facts_of(np.array([[1, np.nan], [np.nan, np.nan], [-2, 5]]))
    assert (array.kind, array.missing, array.holes, array.low, array.high) == ("array", 1, 2, -2, 5)
    all_holes = facts_of(np.array([[1, np.nan]] * 3))
    assert (all_holes.kind, all_holes.missing, all_holes.holes, all_holes.low) == ("array", 0, 3, 1)


def test_facts_do_not_depend_on_how_rows_come_in_blocks():
    values = [str(i % 7) if i % 5 else "" for i in range(60)]
    whole = ColumnProfile("x")
    whole.add(values)
    parts = ColumnProfile("x")
    for start in range(0, 60, 13):
        parts.add(values[start : start + 13])
    assert parts.facts() == whole.facts()


@pytest.mark.parametrize("first", [0, 1])
def test_a_column_that_numbers_the_rows_is_seen_over_blocks(first):
    numbers = [str(first + i) for i in range(100)]
    one = profile(Rows(Block({"n": numbers[:60]}), Block({"n": numbers[60:]}))).column("n")
    assert one.is_counting
    gap = [*numbers[:99], "200"]
    assert not profile(Rows(Block({"n": gap[:60]}), Block({"n": gap[60:]}))).column("n").is_counting


def test_numbers_that_count_from_elsewhere_are_a_measure():
    assert not facts_of([str(year) for year in range(1950, 2020)]).is_counting


def test_the_first_row_without_a_value_is_named(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,a\n,b\n,c\n")
    assert profile(CSVReader(tmp_path / "a.csv")).column("x").missing_at[0] == (str(tmp_path / "a.csv"), 3)


def test_rows_that_cannot_be_read_are_told_beside_the_facts(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,a\n2\n3,c\n")
    found = profile(CSVReader(tmp_path / "a.csv"))
    assert found.n_rows == 2
    assert "expected 2 values as in the header, got 1" in str(found.error)


def test_a_file_without_rows_is_an_error(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n")
    with pytest.raises(DataError, match="no rows"):
        profile(CSVReader(tmp_path / "a.csv"))


def test_a_long_file_is_looked_at_to_its_end_and_read_to_a_bound(monkeypatch):
    import importlib

    module = importlib.import_module("trainer_cli.profile.profile")
    assert module.profile is package
    blocks = [Block({"x": ["a"] * 100}, Places("a.csv", range(2, 102))) for _ in range(99)]
    blocks.append(Block({"x": ["last"] * 100}))
    monkeypatch.setattr(module, "MAX_ROWS", 1000)
    monkeypatch.setattr(module, "THINNED", 3)
    found = profile(Rows(*blocks))
    assert (found.n_rows, found.is_whole) == (10_000, True)
    assert 3_000 < found.n_seen < 5_000
    assert "last" in found.column("x").counts  # block 99, a third one
    monkeypatch.setattr(module, "MAX_READ", 2_000)
    found = profile(Rows(*blocks))
    assert (found.n_rows, found.is_whole) == (2_100, False)


def test_a_hundred_thousand_texts_are_estimated_in_little_memory(tmp_path):
    with open(tmp_path / "a.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text"])
        rows.writerows([f"text number {i} of many"] for i in range(100_000))
    facts = profile(CSVReader(tmp_path / "a.csv")).column("text")
    assert facts.kind == "text"
    assert facts.distinct * 10 > facts.n * 9
