from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli.data.encoders.notation import NOTATIONS, Notation, fitting, notation_of
from trainer_cli.data.encoders.numbers import Numbers
from trainer_cli.errors import DataError, ModelFileError

GERMAN = Notation(",", ".", units=True)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.234,5", "1234.5"),
        ("-12", "-12"),
        ("1234,5", "1234.5"),
        ("1.234.567", "1234567"),
        (" 1.200 \u20ac ", "1200"),
        ("-\u20ac 3,25", "-3.25"),
        ("12%", "12"),
        ("1,5e3", "1.5e3"),
    ],
)
def test_a_number_of_the_notation_is_read(text, number):
    assert GERMAN.translated(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "1,234.5",
        "1.23",
        "12.34,5",
        "1.2345",
        "0.123",
        "$5%",
        "5 $ x",
        "1 234",
        "",
        ",5",
        "\u0663",
        "5 EUR",
        "1,2,3",
        "--1",
    ],
)
def test_what_is_not_of_the_notation_is_no_number(text):
    assert GERMAN.translated(text) is None


def test_signs_are_taken_where_they_are_asked_for():
    assert Notation(",", ".").translated("5 %") is None
    assert Notation(units=True).translated("$5") == "5"


@given(st.integers(-(10**12), 10**12), st.integers(0, 99), st.sampled_from(NOTATIONS))
def test_what_is_written_in_a_notation_is_read_in_it(whole, hundredths, notation):
    mark = notation.thousands or "#"
    written = f"{whole:,}".replace(",", mark if notation.thousands else "") + f"{notation.decimal}{hundredths:02}"
    assert float(notation.translated(written) or "nan") == float(f"{whole}.{hundredths:02}")


def test_what_fits_several_is_told_in_order():
    assert [each.said() for each in fitting("1,234") if not each.units] == [
        'thousands = ","',
        'decimal = ","',
        'decimal = ",", thousands = "."',
        'decimal = ",", thousands = " "',
        """decimal = ",", thousands = "'\"""",
    ]
    assert fitting("about 5") == ()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"decimal": ";"}, """decimal: decimal is "." or ",", got ';'"""),
        ({"thousands": "_"}, """thousands: thousands is one of ",", ".", " ", "'", got '_'"""),
        ({"thousands": "."}, 'thousands: thousands and decimal are both ".": say which of them is another'),
    ],
)
def test_a_notation_that_is_none_is_refused(arguments, message):
    with pytest.raises(DataError) as caught:
        notation_of(**{"decimal": None, "thousands": None, "units": None, **arguments})
    assert str(caught.value) == message
    with pytest.raises(DataError, match=message.split(":")[0]):
        Numbers(columns=["a"], **arguments)


def fitted(block, **arguments):
    encoder = Numbers(**arguments)
    encoder.choose(tuple(block.columns))
    encoder.fit(block)
    encoder.finish_fit()
    return encoder


def test_features_and_targets_are_read_in_their_notation(block):
    texts = block(a=["1.000,5", "NA", "3.000,5 %"], y=["1 000,0", "2 000", "3 000"])
    features = fitted(texts, columns=["a"], decimal=",", thousands=".", units=True)
    assert features.encode(texts).tolist() == [[-1, 0], [0, 1], [1, 0]]
    target = fitted(texts, column="y", decimal=",", thousands=" ")
    assert (target.mean.tolist(), target.decode(np.zeros((1, 1)))) == ([2000.0], [2000.0])
    again = Numbers.from_state(*features.to_state())
    assert again.encode(texts).tolist() == features.encode(texts).tolist()
    assert Numbers.from_state(*target.to_state()).notation == Notation(",", " ")


def test_a_cell_of_another_notation_is_told_with_the_setting(block):
    with pytest.raises(DataError) as caught:
        fitted(block(a=["1,5", "1.5", "2"]), columns=["a"], decimal=",")
    assert str(caught.value) == 'data.csv:3: a: expected a number as decimal = "," says, got "1.5"'


@pytest.mark.parametrize("damage", [{"decimal": ";"}, {"thousands": 3}, {"units": "yes"}, {"decimal": [","]}])
def test_a_damaged_notation_is_refused(block, damage):
    state, arrays = fitted(block(a=["1,5", "2"]), columns=["a"], decimal=",").to_state()
    with pytest.raises(ModelFileError, match="the encoder's notation is damaged"):
        Numbers.from_state({**state, **damage}, arrays)
