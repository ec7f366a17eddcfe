from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli.data.faults import Faults, FaultsError, printable, refused, within
from trainer_cli.errors import DataError, Problem


def at(line: int, message: str = "odd") -> Problem:
    return Problem(message, "f.csv", line)


@given(st.lists(st.lists(st.integers(1, 100), unique=True), max_size=4))
def test_the_first_ten_of_all_sources_are_kept_and_all_are_counted(sources):
    faults, everything = Faults(), []
    for i, lines in enumerate(sources):
        source = Faults()
        source.add(*(at(line, f"source {i}") for line in sorted(lines)))
        everything += lines
        if source:
            faults.add_error(source.error())
    assert [problem.line for problem in faults.first] == sorted(everything)[:10]
    assert (faults.total, bool(faults)) == (len(everything), bool(everything))


def test_a_mistake_that_each_block_repeats_counts_once():
    faults = Faults()
    for _ in range(3):
        faults.add(Problem("the column is missing", "f.csv", 1, "a"))
    with pytest.raises(FaultsError) as caught:
        faults.check()
    assert (str(caught.value), caught.value.total) == ("f.csv:1: a: the column is missing", 1)


def test_more_than_three_alike_mistakes_are_one_line_that_names_the_first_places():
    few, many = (FaultsError([at(line) for line in range(2, 2 + n)], n) for n in (3, 4))
    assert str(few) == "f.csv:2: odd\nf.csv:3: odd\nf.csv:4: odd"
    assert str(many) == "f.csv:2: odd; the same in lines 3, 4, 5, 4 mistakes in all"
    assert len(many.problems) == 4


def test_mistakes_are_told_one_by_one_where_one_differs_or_those_not_shown_may_differ():
    first = [at(line) for line in range(2, 12)]
    assert len(str(FaultsError([*first[:9], at(11, "other")], 10)).splitlines()) == 10
    assert len(str(FaultsError([*first[:9], Problem("odd", "g.csv", 11)], 10)).splitlines()) == 10
    assert len(str(FaultsError(first, 30)).splitlines()) == 11
    assert str(FaultsError(first, 30, are_alike=True)).endswith("lines 3, 4, 5, 6, 7 and 24 more, 30 mistakes in all")


def test_gathered_errors_are_alike_only_if_each_is():
    for rest, n_lines in ((True, 1), (False, 11)):
        faults = Faults()
        faults.add_error(FaultsError([at(line) for line in range(2, 12)], 30, are_alike=rest))
        faults.add(at(99))
        assert len(str(faults.error()).splitlines()) == n_lines


def test_watching_ends_where_a_stream_fails_and_attempting_gives_none():
    def stream():
        yield 1
        raise DataError("broken")

    faults = Faults()
    assert list(faults.watch(stream())) == [1]
    assert faults.attempt(lambda value: value + 1, 1) == 2
    assert faults.attempt(lambda value: refuse(value), "path") is None
    assert [str(problem) for problem in faults.first] == ["broken", "path: odd"]


def refuse(argument: str) -> None:
    raise refused(argument, "odd")


def test_other_errors_go_through():
    with pytest.raises(ZeroDivisionError):
        Faults().attempt(lambda value: value / 0, 1)


def test_within_names_the_section_of_an_argument_once():
    with pytest.raises(DataError) as caught, within("data"), within("train"):
        refuse("path")
    assert [problem.where for problem in caught.value.problems] == ["train.path"]


def test_within_leaves_mistakes_in_files_alone():
    with pytest.raises(DataError) as caught, within("data.train"):
        raise DataError(problems=[Problem("odd", "f.csv", 3, "a"), Problem("no rows")])
    assert str(caught.value) == "f.csv:3: a: odd\nno rows"
    with pytest.raises(DataError, match=r"^just words$"), within("data.train"):
        raise DataError("just words")


@given(st.text())
def test_what_is_shown_cannot_drive_a_terminal(text):
    assert printable(text).isprintable()
