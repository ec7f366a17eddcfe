from dataclasses import replace

import pytest

from trainer_cli.errors import ArgumentError, DataError
from trainer_cli.profile.column import ColumnProfile
from trainer_cli.proposal.target import check, choose


def facts_of(name, values):
    column = ColumnProfile(name)
    column.add(values)
    return column.facts([("a.csv", 3), ("a.csv", 6)])


NUMBERS = facts_of("x", [str(i / 7) for i in range(60)])
WHOLE = facts_of("n", [str(i * 3 % 101) for i in range(60)])
CLASSES = facts_of("kind", ["a", "b", "c"] * 20)
TEXTS = facts_of("text", [f"this is text number {i}" for i in range(60)])


@pytest.mark.parametrize(
    ("columns", "name", "task"),
    [
        ((NUMBERS, CLASSES), "kind", "classification"),
        ((CLASSES, NUMBERS, WHOLE), "n", "regression"),
        ((TEXTS, NUMBERS), "x", "regression"),
        ((TEXTS, WHOLE), "n", "regression"),
        ((facts_of("Label", ["0", "1"] * 30), CLASSES), "Label", "classification"),
        ((facts_of("label", ["2.5", "1"] * 30), CLASSES), "label", "regression"),
    ],
)
def test_the_plain_target_is_taken(columns, name, task):
    found = choose(columns, None, "auto")
    assert (found.facts.name, found.task) == (name, task)
    assert found.why.startswith(task)


def few(name):
    return facts_of(name, ["2", "3", "4", "2", "5"] * 12)


def many(name):
    return facts_of(name, [str(1000 + i * 37 % 53) for i in range(60)])


@pytest.mark.parametrize("task", ["auto", "regression"])
@pytest.mark.parametrize(
    "header",
    [
        "rooms,area_m2,district,built,price_eur",
        "bedrooms,sqft,city,price",
        "cylinders,horsepower,origin,mpg",
        "store,weekday,promo,sales",
        "rooms,area_m2,district,miete",
    ],
)
def test_numbers_at_the_end_are_the_target_and_not_few_at_the_beginning(header, task):
    first, *between, last = header.split(",")
    found = choose((few(first), *map(many, between), many(last)), None, task)
    assert (found.facts.name, found.task, found.is_guess) == (last, "regression", True)


def test_classes_at_the_beginning_are_the_target_where_the_end_is_none():
    kind = facts_of("kind", ["a", "b", "c"] * 20)
    found = choose((kind, NUMBERS, TEXTS), None, "auto")
    assert (found.facts.name, found.is_guess) == ("kind", True)
    assert choose((kind, NUMBERS, many("year")), None, "auto").facts.name == "kind"
    assert choose((kind, NUMBERS, NUMBERS), None, "classification").facts.name == "kind"
    with pytest.raises(DataError, match="name it with --target"):
        choose((few("rooms"), NUMBERS, TEXTS), None, "auto")


def test_whatever_was_not_named_is_a_guess():
    assert not choose((NUMBERS, CLASSES), "kind", "auto").is_guess
    assert choose((facts_of("species", ["a", "b"] * 30), NUMBERS), None, "auto").is_guess
    assert choose((NUMBERS, CLASSES), None, "auto").is_guess


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ("x,y,class", "class"),
        ("y,width,class", "class"),
        ("label,target", "target"),
        ("x,y,rooms,price", "price"),
        ("y,rooms,price", "price"),
        ("x,y,area", "area"),
        ("x,y", "y"),
        ("y,x1,x2", "y"),
        ("x1,Y,x2", "Y"),
    ],
)
def test_y_is_the_target_where_no_other_name_says_more_and_it_is_no_coordinate(header, target):
    columns = [CLASSES if name == "class" else many(name) for name in header.split(",")]
    columns = [replace(facts, name=name) for facts, name in zip(columns, header.split(","), strict=True)]
    assert choose(columns, None, "auto").facts.name == target


def test_a_dropped_column_is_no_target():
    assert choose((NUMBERS, many("a"), many("price")), None, "auto", ["price"]).facts.name == "a"
    with pytest.raises(ArgumentError, match='--drop "x": it is the target'):
        choose((NUMBERS, WHOLE), "x", "auto", ["x"])
    with pytest.raises(ArgumentError, match="--drop leaves no column"):
        choose((NUMBERS,), None, "auto", ["x"])


def counts(name="visits", most=14):
    """Whole numbers from 0 to 14, those in the middle the most frequent."""
    return facts_of(name, [str(i) for i in range(most + 1) for _ in range(1 + min(i, most - i))])


def test_counts_are_numbers_and_what_may_be_either_says_so():
    found = choose((NUMBERS, counts()), None, "auto")
    assert (found.task, found.other) == ("regression", "classification")
    few = choose((NUMBERS, counts(most=7)), None, "auto")
    assert (few.task, few.other) == ("classification", "regression")
    even = choose((NUMBERS, facts_of("speaker", [str(i % 15) for i in range(90)])), None, "auto")
    assert (even.task, even.other) == ("classification", "regression")
    named = choose((NUMBERS, counts("class")), None, "auto")
    assert (named.task, named.other) == ("classification", "")
    assert choose((NUMBERS, facts_of("ok", ["0", "1"] * 30)), None, "auto").other == ""
    assert choose((NUMBERS, counts()), "visits", "regression").other == ""


def test_in_doubt_the_columns_are_named():
    with pytest.raises(DataError, match='name it with --target; there are "x", "text"'):
        choose((NUMBERS, TEXTS), None, "auto")


def test_a_task_that_is_asked_for_is_taken():
    assert choose((NUMBERS, WHOLE), "n", "classification").task == "classification"


def test_a_name_that_is_not_there_is_told_with_the_nearest():
    with pytest.raises(ArgumentError, match=r'no column is called "kin"\. Did you mean "kind"\?'):
        choose((NUMBERS, CLASSES), "kin", "auto")
    with pytest.raises(ArgumentError, match="--task is one of auto"):
        choose((NUMBERS, CLASSES), "kind", "regresion")


@pytest.mark.parametrize(
    ("values", "task", "said"),
    [
        (
            ["a", "a", ""] * 20,
            "auto",
            "a.csv:3: y: 20 of 60 rows have no value to learn from (lines 3, 6, ...): train on a copy",
        ),
        (["a"] * 60, "auto", "same value in every row"),
        (["a", "b"] * 30, "regression", "regression takes numbers"),
        ([f"{i}.5e290" for i in range(60)], "auto", "too large to standardise: write them in a larger unit"),
        ([str(i / 7) for i in range(2000)], "classification", "in 2,000 rows: these are no classes; --task regression"),
        ([f"n{i}" for i in range(2000)], "classification", "in 2,000 rows: these are no classes; name another with"),
    ],
)
def test_what_nothing_can_be_learnt_from_is_refused(values, task, said):
    with pytest.raises(DataError) as caught:
        check(choose((facts_of("y", values),), "y", task))
    assert said in str(caught.value)


def test_gaps_in_a_target_are_left_out_and_not_refused():
    gaps = choose((facts_of("y", ["a", "b", ""] * 20),), "y", "auto")
    check(gaps)
    assert (gaps.has_gaps, gaps.share_present) == (True, 2 / 3)
    numbers = choose((facts_of("y", [str(i / 7) for i in range(90)] + ["NA"] * 10),), "y", "auto")
    check(numbers)
    assert (numbers.has_gaps, numbers.share_present) == (True, 0.9)
    assert not choose((CLASSES,), "kind", "auto").has_gaps
    with pytest.raises(DataError, match="9 rows that have a target are too few"):
        check(choose((facts_of("y", ["a", "b", "a"] * 3 + [""] * 3),), "y", "auto"))


def test_a_sound_target_is_not_refused():
    check(choose((CLASSES,), "kind", "auto"))
    check(choose((NUMBERS,), "x", "auto"))


def test_a_list_a_row_is_tags_beside_tokens_of_its_length_and_labels_else():
    tokens = facts_of("words", [["to", "be"], ["or", "not", "to"]] * 10)
    tags = facts_of("pos", [["P", "V"], ["C", "A", "P"]] * 10)
    assert choose((tokens, tags), "pos", "auto").task == "tagging"
    assert choose((tags, facts_of("words", [["to"], ["or", "not"]] * 10)), "pos", "auto").task == "multilabel"


@pytest.mark.parametrize(
    ("values", "separator"),
    [
        (["a|b", "a", "b|c", "c|a"] * 15, "|"),
        (["a; b", "a", "b; c", "c; a"] * 15, ";"),
        (["Oslo, Norway", "Rome, Italy", "Lima, Peru"] * 20, None),  # as many parts as texts
        (["a", "b", "c"] * 20, None),
        ([f"one, two and the rest of text number {i}" for i in range(60)], None),
    ],
)
def test_labels_in_one_text_are_told_by_what_stands_between_them(values, separator):
    found = choose((facts_of("tags", values),), "tags", "auto")
    assert found.separator == separator
    assert (found.task == "multilabel") == (separator is not None)


def test_a_task_that_the_likely_target_is_not_for_is_told_what_would_do():
    with pytest.raises(DataError) as caught:
        choose((NUMBERS, CLASSES), None, "tagging")
    assert "name another with --target; no column would do" in str(caught.value)
    label = facts_of("label", ["a", "b"] * 30)
    with pytest.raises(DataError) as caught:
        choose((NUMBERS, label), None, "regression")
    assert str(caught.value) == (
        '--task regression predicts numbers, and the likely target, "label" (by its name), is none for that: '
        f'name another with --target; "{NUMBERS.name}" would do'
    )
    assert choose((NUMBERS, label), NUMBERS.name, "regression").facts is NUMBERS


def target_of(*columns, task="auto"):
    found = choose(columns, None, task)
    return found.facts.name, found.why


PREDICTION = facts_of("prediction", ["a", "b", "b"] * 20)
SCORE = facts_of("score", [str(0.5 + i / 200) for i in range(60)])
PRICE = facts_of("price", [str(100 + i / 3) for i in range(60)])


def test_what_predict_adds_to_the_columns_is_no_guess_for_the_target():
    name, why = target_of(NUMBERS, CLASSES, PREDICTION, SCORE)
    assert name == "kind"
    assert why == (
        'classification: the last column but for what a model has predicted, "prediction" and "score", 3 classes'
    )
    label = facts_of("label", ["a", "b", "c"] * 20)
    assert target_of(NUMBERS, label, PREDICTION, SCORE) == ("label", "classification: by its name, 3 classes")
    predicted = facts_of("prediction", [str(101 + i / 3) for i in range(60)])
    assert target_of(NUMBERS, PRICE, predicted)[0] == "price"


def test_a_column_called_prediction_is_a_target_where_no_model_seems_to_have_added_it():
    assert target_of(NUMBERS, PREDICTION)[0] == "prediction"
    assert target_of(NUMBERS, PREDICTION, PRICE)[0] == "price"
    assert choose((NUMBERS, CLASSES, PREDICTION, SCORE), "prediction", "auto").facts.name == "prediction"
    assert target_of(PREDICTION, SCORE)[0] == "score"
