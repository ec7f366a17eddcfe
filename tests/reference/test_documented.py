"""The tables of docs/thinc.md say what is measured."""

import re
from pathlib import Path

import pytest
from differences import TABLES, table

PAGE = (Path(__file__).parent.parent.parent / "docs" / "thinc.md").read_text(encoding="utf-8")
# What another processor may round differently: a few units in the last place of numbers around 1.
ROUNDING = {"float64": 1e-14, "float32": 1e-6, "outputs": 1e-6, "gradients": 1e-6}


def rows(text):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]


def compare(said, measured, titles):
    assert [row[:-2] for row in said] == [row[:-2] for row in measured]
    for told, found in zip(said, measured, strict=True):
        for title, one, other in zip(titles[-2:], told[-2:], found[-2:], strict=True):
            assert (one == "") == (other == ""), told
            if one:
                assert abs(float(one) - float(other)) <= max(ROUNDING[title], 2 * min(float(one), float(other))), told


@pytest.mark.parametrize("titles", TABLES, ids=lambda titles: titles[0].split(",")[0])
def test_the_page_says_what_is_measured(titles):
    heading = re.escape(f"| {' | '.join(titles)} |")
    (said,) = re.findall(rf"^{heading}\n(?:\|.*\n)+", PAGE, re.MULTILINE)
    compare(rows(said), rows(table(titles)), titles)


def test_a_number_that_is_not_so_is_seen():
    titles = ("schedules", "settings", "float64", "float32")
    compare([["`x`", "3", "1e-16", ""]], [["`x`", "3", "4e-15", ""]], titles)
    for wrong in (["`x`", "3", "1e-9", ""], ["`x`", "4", "4e-15", ""], ["`x`", "3", "4e-15", "0"]):
        with pytest.raises(AssertionError):
            compare([wrong], [["`x`", "3", "4e-15", ""]], titles)
