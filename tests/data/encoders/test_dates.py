from __future__ import annotations

import datetime
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli.data.block import Block
from trainer_cli.data.encoders import dates
from trainer_cli.data.encoders.dates import Dates, circles, in_days
from trainer_cli.data.encoders.datetimes import moment
from trainer_cli.errors import DataError, ModelFileError

DAY = datetime.datetime(2024, 1, 31)
TIMED = datetime.datetime(2024, 1, 31, 14, 30)


def fitted(*blocks: Block, **arguments: object) -> Dates:
    encoder = Dates(list(blocks[0].columns), **arguments)
    encoder.choose(tuple(blocks[0].columns))
    for block in blocks:
        encoder.fit(block)
    encoder.finish_fit()
    return encoder


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-31", DAY),
        (" 2024-1-31 ", DAY),
        ("20240131", DAY),
        ("2024/01/31", DAY),
        ("2024.01.31", DAY),
        ("31.01.2024", DAY),
        ("31 Jan 2024", DAY),
        ("31-JAN-2024", DAY),
        ("January 31, 2024", DAY),
        ("Jan. 31 2024", DAY),
        ("2024-01", datetime.datetime(2024, 1, 1)),
        ("2024-01-31T14:30", TIMED),
        ("2024-01-31 14:30:00.000", TIMED),
        ("2024-01-31T14:30:00Z", TIMED),
        ("2024-01-31 14:30:00+02:00", TIMED),
        ("31.1.2024 14:30", TIMED),
        ("2024-01-31 2:30 PM", TIMED),
        ("31 Jan 2024 02:30:00 p.m.", TIMED),
        ("2024/01/31 2:30pm", TIMED),
        ("2024-01-31 12:00 AM", DAY),
        ("2024-01-31 12:30 PM", datetime.datetime(2024, 1, 31, 12, 30)),
        ("2024-01-31 2:30 am", datetime.datetime(2024, 1, 31, 2, 30)),
        ("2024-01-31 14:30 PM", None),
        ("2024-01-31 0:30 AM", None),
        ("1/2/2024", None),
        ("1.2.24", None),
        ("2024-02-30", None),
        ("2024-01-31 25:00", None),
        ("32 Jan 2024", None),
        ("31 Foo 2024", None),
        ("٢٠٢٤-٠١-٣١", None),
        ("tomorrow", None),
        ("2024", None),
        ("", None),
    ],
)
def test_a_text_is_read_in_one_way_or_not_at_all(text, expected):
    assert moment(text) == expected


@given(st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31)))
def test_what_python_writes_is_read(value):
    assert moment(value.isoformat()) == value
    assert moment(f"{value:%d} {value:%B} {value.year:04d}") == datetime.datetime(value.year, value.month, value.day)


def test_days_and_years_are_standardised_by_hand(block):
    rows = block(d=["2023-01-01", "2023-01-03", "2025-01-02"])
    found = fitted(rows).encode(rows)
    days = np.array([0.0, 2.0, 732.0])
    np.testing.assert_allclose(found[:, 0], (days - days.mean()) / days.std(), rtol=1e-6)
    np.testing.assert_allclose(found[:, 1], np.array([-1, -1, 2]) / math.sqrt(2), rtol=1e-6)
    assert (found.shape, found.dtype) == ((3, 6), np.float32)


def test_month_week_and_hour_go_in_circles_by_hand():
    days = np.array([in_days(datetime.datetime(2024, 7, 1, 6)), in_days(datetime.datetime(2024, 1, 1))])  # Mondays
    found = np.stack(circles(days, is_timed=True), axis=1)
    np.testing.assert_allclose(found, [[0, -1, 0, 1, 1, 0], [0, 1, 0, 1, 0, 1]], atol=1e-12)


@given(st.dates(datetime.date(1800, 1, 1), datetime.date(2200, 1, 1)))
def test_places_in_year_and_week_are_those_of_the_calendar(day):
    days = np.array([in_days(datetime.datetime(day.year, day.month, day.day))])
    sin_month, cos_month, sin_week, cos_week = np.concatenate(circles(days, is_timed=False))
    year = math.atan2(sin_month, cos_month) / (2 * math.pi) % 1
    assert int(year * 12 + 1e-9) + 1 == day.month
    assert round(math.atan2(sin_week, cos_week) / (2 * math.pi) * 7) % 7 == day.weekday()


def test_hours_are_there_where_training_has_a_time_of_day(block):
    rows = block(a=["2024-01-01", "2024-01-02"], b=["2024-01-01 06:00", "2024-01-02"])
    found = fitted(rows).encode(rows)
    assert found.shape == (2, 6 + 8)
    np.testing.assert_allclose(found[:, 12:], [[1, 0], [0, 1]], atol=1e-6)


def test_a_missing_date_is_zero_with_a_flag(block):
    encoder = fitted(block(d=["2024-01-01", "NA", "2024-05-02"]))
    assert encoder.width == 7
    assert encoder.encode(block(d=[""])).tolist() == [[0, 0, 0, 0, 0, 0, 1]]
    assert fitted(block(d=["2024-01-01", "2024-05-02"])).encode(block(d=["?"])).tolist() == [[0] * 6]
    with pytest.raises(DataError, match=r'data.csv:3: d: the date is missing; missing = "mean" takes it'):
        fitted(block(d=["2024-01-01", ""]), missing="error")


def test_a_year_that_is_constant_is_zero_and_far_dates_are_cut(block):
    encoder = fitted(block(d=["2024-01-01", "2024-01-03"]))
    found = encoder.encode(block(d=["2124-01-01", "2024-01-03"]))
    assert found[:, :2].tolist() == [[10, 0], [1, 0]]
    assert fitted(block(d=["2024-01-01", "2024-01-03"]), clip=0).encode(block(d=["2024-01-12"]))[0, 0] == 10


def test_arrays_of_dates_are_taken(block):
    texts = ["2024-01-31 14:30", "2023-05-01", ""]
    array = np.array(["2024-01-31T14:30", "2023-05-01", "NaT"], "datetime64[ms]")
    expected = fitted(block(d=texts))
    np.testing.assert_array_equal(fitted(block(d=array)).encode(block(d=array)), expected.encode(block(d=texts)))


EXAMPLE = "expected a date such as 2024-01-31 or 2024-01-31 14:30, got"
EITHER = 'order = "day first" or "month first" says which number is the day'


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["2024-01-01", "x"], f'data.csv:3: d: {EXAMPLE} "x"'),
        (["01/02/2024", ""], f'data.csv:2: d: {EXAMPLE} "01/02/2024"; {EITHER}'),
        (["1.2.24", ""], f'data.csv:2: d: {EXAMPLE} "1.2.24"; of which century is it?'),
        (["2024-02-30"], f'data.csv:2: d: {EXAMPLE} "2024-02-30"'),
        (
            ["x", ""] * 20,
            "data.csv:1: d: the column holds text, not dates: categories.v1 or numbers.v1 may take it",
        ),
        (np.array([1, 2]), "data.csv: d: expected dates, one a row, got int64 (2,); numbers.v1 takes numbers"),
        (["", "NA"], "columns: column d has no date in any training row: leave it out"),
    ],
)
def test_what_is_no_date_is_told_with_its_line(block, values, message):
    with pytest.raises(DataError) as caught:
        fitted(block(d=values))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "day_first", "month_first"),
    [
        ("01/02/2024", (2024, 2, 1), (2024, 1, 2)),
        ("1-2-2024", (2024, 2, 1), (2024, 1, 2)),
        ("31/01/2024", (2024, 1, 31), None),
        ("01/31/2024 14:30", None, (2024, 1, 31, 14, 30)),
        ("1/2-2024", None, None),
        ("01/02/24", None, None),
        ("2024-01-02", (2024, 1, 2), (2024, 1, 2)),
        ("01.02.2024", (2024, 2, 1), (2024, 2, 1)),  # with dots the day comes first everywhere
    ],
)
def test_an_order_says_which_number_is_the_day(text, day_first, month_first):
    expected = [found and datetime.datetime(*found) for found in (day_first, month_first)]
    assert [moment(text, "day first"), moment(text, "month first")] == expected


def test_dates_of_an_order_are_those_of_the_same_days_and_its_state_keeps_it(block):
    plain, ours = block(d=["2024-02-01", "2024-03-13"]), block(d=["01/02/2024", "13/03/2024"])
    expected = fitted(plain).encode(plain)
    encoder = fitted(ours, order="day first")
    np.testing.assert_array_equal(encoder.encode(ours), expected)
    np.testing.assert_array_equal(Dates.from_state(*encoder.to_state()).encode(ours), expected)
    other = block(d=["01/02/2024", "12/03/2024"])
    assert not np.allclose(fitted(other, order="month first").encode(other), expected, atol=1e-3)
    with pytest.raises(DataError, match='got "13/03/2024"; it is none with the month first'):
        fitted(ours, order="month first")


def test_a_state_without_an_order_is_taken_and_a_damaged_one_refused(block):
    state, arrays = fitted(block(d=["2024-02-01", "2024-03-13"])).to_state()
    assert Dates.from_state(state, arrays).order is None
    with pytest.raises(ModelFileError, match="order"):
        Dates.from_state({**state, "order": "year first"}, arrays)


def test_wrong_arguments_are_named():
    with pytest.raises(DataError, match="clip: clip must be a number of deviations, 0 for no limit, got -1"):
        Dates(["d"], clip=-1)
    with pytest.raises(DataError, match='columns: no column is called "e"'):
        Dates(["e"]).choose(("d",))


def test_a_week_that_begins_on_another_day_would_be_noticed(block, monkeypatch):
    days = np.array([in_days(datetime.datetime(2024, 7, 1))])
    right = circles(days, is_timed=False)
    monkeypatch.setattr(dates, "as_dates", lambda days: np.floor(days + 1).astype("datetime64[D]"))
    assert not np.allclose(circles(days, is_timed=False), right, atol=1e-3)


def test_state_brings_back_every_bit(block):
    rows = block(d=["2024-01-01", "", "2023-05-02 10:00"], e=["2001-01-01", "2002-02-02", "2003-03-03"])
    encoder = fitted(rows)
    other = Dates.from_state(*encoder.to_state())
    assert other.encode(rows).tobytes() == encoder.encode(rows).tobytes()
    assert (other.to_state()[0], other.width) == (encoder.to_state()[0], encoder.width)


@pytest.mark.parametrize(
    ("state", "arrays"),
    [
        ({"columns": None}, {}),
        ({"timed": [2]}, {}),
        ({"flagged": [-1]}, {}),
        ({"missing": ""}, {}),
        ({"clip": None}, {}),
        ({}, {"mean": np.zeros(2)}),
        ({}, {"scale": -np.ones(4)}),
    ],
)
def test_a_damaged_state_is_refused(block, state, arrays):
    good = fitted(block(d=["2024-01-01", ""], e=["2001-01-01", "2002-02-02"])).to_state()
    Dates.from_state(*good)
    with pytest.raises(ModelFileError, match="the encoder's"):
        Dates.from_state({**good[0], **state}, {**good[1], **arrays})
