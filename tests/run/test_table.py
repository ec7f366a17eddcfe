import math

import pytest

from trainer_cli.table import Column, columns, line_width, score_text


def test_a_wide_table_has_everything():
    titles = [column.title for column in columns(["accuracy", "f_score"], None)]
    assert titles == ["EPOCH", "STEP", "TRAIN LOSS", "DEV LOSS", "ACCURACY", "F_SCORE", "RATE", "BATCH", "SECONDS"]


@pytest.mark.parametrize(
    ("width", "titles"),
    [
        (60, ["EPOCH", "STEP", "TRAIN LOSS", "DEV LOSS", "ACCURACY", "F_SCORE"]),
        (50, ["EPOCH", "STEP", "TRAIN LOSS", "DEV LOSS", "ACCURACY"]),
        (40, ["STEP", "TRAIN LOSS", "DEV LOSS", "ACCURACY"]),
        (30, ["STEP", "DEV LOSS", "ACCURACY"]),
        (20, ["STEP", "ACCURACY"]),
        (1, ["STEP", "ACCURACY"]),
    ],
)
def test_a_narrow_table_keeps_the_step_and_the_first_score(width, titles):
    assert [column.title for column in columns(["accuracy", "f_score"], width)] == titles


def test_no_line_is_wider_than_the_terminal_where_columns_can_go():
    assert all(line_width(columns(["accuracy"], width)) <= width for width in range(20, 200))


def test_without_scores_the_loss_stays():
    assert [column.title for column in columns([], 1)] == ["STEP", "DEV LOSS"]


@pytest.mark.parametrize(
    ("value", "cell"),
    [(0.5, "  0.5000"), (None, "       -"), (math.nan, "       -"), (4.99e-7, "4.99e-07"), (0.0, "  0.0000")],
)
def test_a_small_loss_is_not_shown_as_nothing(value, cell):
    assert Column("loss", "LOSS", 8).cell({"loss": value}) == cell


@pytest.mark.parametrize(
    "value", [0.001, 0.00099, 999.99999, 1000.0, 99999.994, 999999.96, 9999999.0, 9999999.9, 1e7, 2e99, math.inf]
)
def test_a_score_of_any_size_keeps_its_column(value):
    text = score_text(value)
    assert len(text) <= 8
    assert float(text) == pytest.approx(value, rel=0.005)
