"""One value of a config."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_cli.config.scalars import BadValueError, Template, Variable
from trainer_cli.config.values import parse, parse_argument
from trainer_cli.config.writer import RESERVED, dump

TEXTS = st.text().filter(lambda text: RESERVED not in text)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64) + 1, 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20)


@settings(max_examples=60)
@given(JSON)
def test_every_json_value_reads_back_to_itself(value: object) -> None:
    found = parse(dump(value))
    assert found == value
    assert json.dumps(found) == json.dumps(value)


@settings(max_examples=100)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_kept_to_the_bit(value: float) -> None:
    assert math.copysign(1, parse(dump(value))) == math.copysign(1, value)
    assert parse(dump(value)).hex() == value.hex()


@settings(max_examples=200)
@given(st.text())
def test_any_text_is_a_value_or_one_mistake(raw: str) -> None:
    for read in (parse, parse_argument):
        try:
            found: object = read(raw)
        except BadValueError as err:
            found = err
        if isinstance(found, BadValueError):
            assert "\n" not in str(found)
            assert 0 <= found.offset <= len(raw)


@pytest.mark.parametrize(
    "raw", ["data/train.csv", "./x", "../x", "/a/b", "~/x", "word", "a_b-c", "s3://bucket/x", "data/*.csv", "é"]
)
def test_words_that_can_be_nothing_else_are_texts(raw: str) -> None:
    assert parse(raw) == raw


@pytest.mark.parametrize(
    ("raw", "value"), [("True", True), ("False", False), ("None", None), ("1e3", 1000.0), ("-0", 0), ('"$$"', "$")]
)
def test_other_spellings(raw: str, value: object) -> None:
    assert parse(raw) == value
    assert type(parse(raw)) is type(value)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("", 'has no value. Write null for nothing, "" for an empty text'),
        ("1_000", "expected a number or a quoted text, got 1_000. Did you mean 1000?"),
        (".5", "expected a number or a quoted text, got .5. Did you mean 0.5?"),
        ("5.", "expected a number or a quoted text, got 5.. Did you mean 5.0?"),
        ("+5", "expected a number or a quoted text, got +5. Did you mean 5?"),
        ("007", "expected a number or a quoted text, got 007. Did you mean 7?"),
        ("0,5", "expected a number or a quoted text, got 0,5. Did you mean 0.5?"),
        ("0.00l1", "expected a number or a quoted text, got 0.00l1. Did you mean 0.001?"),
        ("1 # note", "expected a number, got 1 # note. Did you mean 1? A comment needs a line of its own"),
        ("2024-01-01", 'expected a number or a quoted text, got 2024-01-01. Did you mean "2024-01-01"?'),
        ("'sq'", 'a text stands in double quotes. Did you mean "sq"?'),
        ("two words", 'expected JSON or one unquoted word, got two words. Did you mean "two words"?'),
        ("word # note", "a comment needs a line of its own, got word # note"),
        ("a,b", 'expected JSON or one unquoted word, got a,b. Did you mean "a,b"?'),
        ("NaN", "expected a finite number, got NaN"),
        ("-Infinity", "expected a finite number, got -Infinity"),
        ("TRUE", 'TRUE is no value. Did you mean true, or the text "TRUE"?'),
        ("none", 'none is no value. Did you mean null, or the text "none"?'),
        ("1e999", "1e999 is too large for a number: it would become infinite"),
        ("1e-999", "1e-999 is too small for a number: it would become 0"),
        ("1" * 30, f"{'1' * 30} is too large: whole numbers go up to 18446744073709551615"),
        ("[1, 2", "expected , or ], got the end"),
        ("[1 2]", "expected , or ], got 2]"),
        ("[1,]", "a comma stands before ]: take it away"),
        ("[1, , 2]", "expected a value, got , 2]"),
        ("[1] # note", "a comment needs a line of its own, got # note"),
        ("[1] 2", "expected the value to end, got 2"),
        ("[nan]", "expected a finite number, got nan"),
        ("[True]", "True is no value. Did you mean true?"),
        ("[word]", 'a text inside brackets stands in double quotes. Did you mean "word"?'),
        ('{"x": }', "expected a value, got }"),
        ("{x: 1}", "expected a key in double quotes, got x: 1}"),
        ('{"x" 1}', 'expected : after "x", got 1}'),
        ('{"x": 1, "x": 2}', 'the key "x" appears twice'),
        ('{"${a.b}": 1}', "a key cannot hold a variable"),
        ('"open', "a text is not closed: its second double quote is missing on this line"),
        (r'"C:\new\data"', "a backslash in a text is written \\\\"),
        (r'"\ud800"', "a text holds half a character (a lone surrogate)"),
        ('"5$"', "a variable is written ${section.key}, the sign itself $$, got 5$"),
        ("${a b}", "a variable is written ${section.key}, got ${a b}"),
        ("${a..b}", "a variable is written ${section.key}, got ${a..b}"),
        ("${name}_v2", 'a text with variables stands in double quotes. Did you mean "${name}_v2"?'),
        ("[" * 65 + "]" * 65, "brackets are nested deeper than 64"),
    ],
)
def test_a_value_that_is_none_says_what_is_wrong(raw: str, message: str) -> None:
    with pytest.raises(BadValueError) as err:
        parse(raw)
    assert str(err.value) == message


def test_variables_stand_for_values_and_in_texts() -> None:
    assert parse("${a.b}") == Variable("a.b", 0)
    assert parse("${a:b}") == Variable("a.b", 0)
    assert parse('["${a}", ${b}]') == [Template((Variable("a", 2),), 1), Variable("b", 9)]
    assert parse('"x$$${a.b}/y"') == Template(("x", "$", Variable("a.b", 4), "/y"), 0)
    assert parse("${paths.root}/x.csv") == Template((Variable("paths.root", 0), "/x.csv"), 0)


def test_64_brackets_are_read() -> None:
    assert json.dumps(parse("[" * 64 + "]" * 64)) == "[" * 64 + "]" * 64


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("my data/train 1.csv", "my data/train 1.csv"),
        ("3d/x.csv", "3d/x.csv"),
        ("01.csv", "01.csv"),
        ("", ""),
        ("null", None),
        ("true", True),
        ("-1", -1),
        ('{"a": [1]}', {"a": [1]}),
        ("don't", "don't"),
    ],
)
def test_an_override_may_be_a_text_without_quotes(raw: str, value: object) -> None:
    assert parse_argument(raw) == value


@pytest.mark.parametrize("raw", ["NaN", "inf", "1e999", "1_000", ".5", "0.00l1", "[1, 2", '{"a": }', '"open', "${a"])
def test_an_override_that_is_a_broken_value_is_refused(raw: str) -> None:
    with pytest.raises(BadValueError):
        parse_argument(raw)
