import random

import pytest

from trainer_cli.data.block import Block
from trainer_cli.profile import profile
from trainer_cli.profile.leaks import class_leak, leaks, number_leak

GENERATOR = random.Random(0)
CLASSES = [GENERATOR.choice("abc") for _ in range(300)]
NUMBERS = [f"{GENERATOR.gauss(0, 1):.6f}" for _ in range(300)]


class Rows:
    def __init__(self, **columns):
        self.block = Block(columns)

    def columns(self):
        return tuple(self.block.columns)

    def blocks(self):
        for start in range(0, len(self.block), 100):
            yield Block({name: values[start : start + 100] for name, values in self.block.columns.items()})


def spoilt(values, n, other):
    """The values, `n` of them another."""
    return [other if i < n else value for i, value in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (CLASSES, "a copy"),
        ([{"a": "0", "b": "1", "c": "2"}[each] for each in CLASSES], "one target alone"),
        ([f"{each}{i % 5}" for i, each in enumerate(CLASSES)], "one target alone"),
    ],
)
def test_a_column_that_determines_the_class_is_a_leak(values, why):
    assert why in class_leak(values, CLASSES)


@pytest.mark.parametrize(
    "values",
    [
        spoilt(CLASSES, 5, "b"),  # nearly a copy: a good feature
        [str(i) for i in range(300)],  # all differ: determines anything
        ["same"] * 300,
        [str(i // 2) for i in range(300)],
    ],
)
def test_a_column_that_leaves_a_doubt_is_none(values):
    assert class_leak(values, CLASSES) == ""


def test_a_rare_class_that_a_category_happens_to_hold_is_chance():
    truths = ["no"] * 297 + ["yes"] * 3
    assert class_leak([str(i // 3) for i in range(300)], truths) == ""


def test_a_column_filled_in_after_the_fact_is_a_leak():
    truths = ["left" if each == "a" else "stayed" for each in CLASSES]
    reasons = [f"reason {i}" if truth == "left" else "" for i, truth in enumerate(truths)]
    assert "filled in" in class_leak(reasons, truths)
    assert class_leak(spoilt(reasons, 20, "reason"), truths) == ""


@pytest.mark.parametrize("turn", [lambda y: 2 * y + 3, lambda y: -y, lambda y: y**3, lambda y: y / 3])
def test_a_column_that_rises_or_falls_with_a_number_is_a_leak(turn):
    values = [repr(turn(float(each))) for each in NUMBERS]
    assert number_leak(values, NUMBERS)
    assert number_leak(spoilt(values, 2, values[100]), NUMBERS) == ""


def test_a_noisy_copy_of_a_number_is_a_feature():
    values = [repr(float(each) + GENERATOR.gauss(0, 0.01)) for each in NUMBERS]
    assert number_leak(values, NUMBERS) == ""


def test_a_column_whose_ranges_are_the_classes_is_a_leak_if_its_name_tells_them():
    ratings = NUMBERS[:200]
    truths = ["good" if float(rating) > 0.3 else "bad" for rating in ratings]
    assert class_leak(ratings, truths, is_told=True) == "its ranges tell the target"
    assert class_leak(ratings, truths) == ""
    other = "bad" if truths[0] == "good" else "good"
    assert class_leak(ratings, spoilt(truths, 1, other), is_told=True) == ""


def test_a_measure_that_parts_the_classes_is_a_good_feature_and_codes_are_a_leak():
    kinds = ["setosa"] * 50 + ["versicolor"] * 50
    width = [f"{0.1 + i % 6 / 10:.1f}" for i in range(50)] + [f"{1 + i % 9 / 10:.1f}" for i in range(50)]
    assert class_leak(width, kinds) == ""
    shuffled = [str(2 * (i % 9) + (kind == "setosa")) for i, kind in enumerate(kinds)]
    assert class_leak(shuffled, kinds) == "each of its values comes with one target alone"
    assert class_leak([str(int(kind == "setosa")) for kind in kinds], kinds) != ""


def test_what_parts_the_classes_is_suspect_and_a_leak_under_a_telling_name():
    truths = ["good" if float(each) > 0.3 else "bad" for each in NUMBERS]
    rows = Rows(label=truths, petal=NUMBERS, rating=NUMBERS, label_raw=NUMBERS)
    found = leaks(rows, profile(rows), "label", of_numbers=False)
    assert (list(found.possible), list(found.certain)) == (["petal"], ["rating", "label_raw"])


def test_decimal_commas_do_not_hide_a_measure_or_a_copy():
    commas = [each.replace(".", ",") for each in NUMBERS]
    rows = Rows(y=NUMBERS, copy=commas, twice=[f"{2 * float(each):.6f}".replace(".", ",") for each in NUMBERS])
    assert list(leaks(rows, profile(rows), "y", of_numbers=True).certain) == ["copy", "twice"]


def test_a_column_that_tells_the_range_of_a_number_is_a_leak():
    bands = ["high" if float(each) > 0.5 else "low" for each in NUMBERS]
    assert number_leak(bands, NUMBERS) == "each of its values is a range of the target"
    assert number_leak(spoilt(bands, 1, "low" if bands[0] == "high" else "high"), NUMBERS) == ""


def test_two_kinds_of_things_that_differ_in_a_number_do_not_tell_it():
    lengths = [f"{1 + i % 9 / 10:.1f}" for i in range(50)] + [f"{3 + i % 21 / 10:.1f}" for i in range(50)]
    assert number_leak(["setosa"] * 50 + ["versicolor"] * 50, lengths) == ""
    assert number_leak(["short"] * 50 + ["long"] * 50, [f"{i / 10}" for i in range(100)]) != ""


def test_ranges_of_few_rows_are_no_leak():
    assert class_leak(["1.5", "2.5", "3.5", "4.5"] * 2, ["a", "a", "b", "b"] * 2, is_told=True) == ""


def test_leaks_are_found_in_a_data_set_whose_classes_are_sorted():
    rows = Rows(y=sorted(CLASSES), copy=sorted(CLASSES), x=NUMBERS, words=[["a"]] * 300)
    assert list(leaks(rows, profile(rows), "y", of_numbers=False).certain) == ["copy"]
