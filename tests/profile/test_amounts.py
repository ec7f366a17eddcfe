from __future__ import annotations

import pytest

from trainer_cli.data.encoders.notation import Notation
from trainer_cli.profile.column import ColumnProfile


def facts_of(*blocks):
    column = ColumnProfile("a")
    for block in blocks:
        column.add(block)
    return column.facts()


@pytest.mark.parametrize(
    ("texts", "notation", "span"),
    [
        (["$1,200", "300", "$7"], Notation(thousands=",", units=True), (7, 1200)),
        (["1,5", "2", "-3,25"], Notation(","), (-3.25, 2)),
        (["1.000", "2,5", ""], Notation(",", "."), (2.5, 1000)),
        (["12 %", "7.5 %", "3"], Notation(units=True), (3, 12)),
        (["1 200,5", "3"], Notation(",", " "), (3, 1200.5)),
        (["1,234", "5"], Notation(thousands=","), (5, 1234)),  # or a fraction: the first that fits is meant
    ],
)
def test_amounts_are_numbers_in_the_notation_that_all_fit(texts, notation, span):
    facts = facts_of(texts)
    assert (facts.kind, facts.notation, facts.is_numeric) == ("amount", notation, True)
    assert (facts.low, facts.high) == span
    assert facts_of(texts[1:], texts[:1]).notation == notation  # in any order, over several blocks


@pytest.mark.parametrize("texts", [["(300)", "5"], ["1,5", "1.5"], ["5 EUR", "1"], ["1.5", "2,000.5", "1,5"]])
def test_amounts_of_no_one_notation_are_no_numbers(texts):
    facts = facts_of(texts)
    assert (facts.kind, facts.notation, facts.is_numeric) == ("amount", None, False)


def test_plain_numbers_need_no_notation():
    assert facts_of(["1.5", "2"]).notation is None
