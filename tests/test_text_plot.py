"""Curves in characters: the picture itself, its labels, and that nothing is missed or too wide."""

from __future__ import annotations

import numpy as np
import pytest

from trainer_cli import text_plot
from trainer_cli.arrays import Array
from trainer_cli.curve import Curve, curve
from trainer_cli.schedules import Schedule, as_schedule
from trainer_cli.text_plot import plot

STAIRS = curve("rate", as_schedule([0.0] * 10 + [1.0] * 10 + [0.5]), 30)
BOTH = pytest.mark.parametrize("unicode", [True, False])


def test_stairs_in_ascii() -> None:
    assert plot(STAIRS, 35, unicode=False).picture == [
        "  1 +          :'''''''''.",
        "    |          :         :",
        "    |          :         :",
        "    |          :         :",
        "0.5 +          :         :.........",
        "    |          :",
        "    |          :",
        "    |          :",
        "  0 +..........'",
        "    +------------------------------",
        "     0            step           29",
    ]


def test_stairs_in_braille() -> None:
    assert plot(STAIRS, 35, unicode=True).picture == [
        "  1 ┤          ⡏⠉⠉⠉⠉⠉⠉⠉⠉⠉⡆",
        "    │          ⡇         ⡇",
        "    │          ⡇         ⡇",
        "    │          ⡇         ⡇",
        "0.5 ┤          ⡇         ⠓⠒⠒⠒⠒⠒⠒⠒⠒⠒",
        "    │          ⡇",
        "    │          ⡇",
        "    │          ⡇",
        "  0 ┤⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⠇",
        "    └──────────────────────────────",
        "     0            step           29",
    ]


@BOTH
@pytest.mark.parametrize("width", [40, 60, 100])
def test_no_line_is_wider_than_asked(width: int, unicode: bool) -> None:
    steep = Schedule(lambda step: -1.234e-7 * 1.01**step, "steep(" + "1, " * 60 + ")")
    panel = plot(curve("optimizer.learn_rate", steep, 1_234_567 // 1000), width, unicode=unicode)
    lines = [*panel.title, *panel.picture, *panel.summary]
    assert max(map(len, lines)) == width
    assert unicode or "".join(lines).isascii()


@BOTH
def test_a_constant_is_one_line_with_one_label(unicode: bool) -> None:
    picture = plot(curve("rate", as_schedule(0.3), 100), 50, unicode=unicode).picture
    assert [line[:3] for line in picture[:9]] == ["   "] * 4 + ["0.3"] + ["   "] * 4
    assert sum(len(line) > 5 for line in picture[:9]) == 1


@BOTH
def test_one_step_fills_the_width(unicode: bool) -> None:
    panel = plot(curve("rate", as_schedule(0.3), 1), 50, unicode=unicode)
    assert len(panel.picture[4]) == 50
    assert panel.picture[-1].strip() == "0 step"


@BOTH
def test_the_largest_floats_can_be_drawn(unicode: bool) -> None:
    picture = plot(curve("rate", as_schedule([-1.7e308, 1.7e308]), 2), 50, unicode=unicode).picture
    assert [picture[row].split()[0] for row in (0, 4, 8)] == ["1.7e+308", "0", "-1.7e+308"]


def check_that_every_value_is_seen() -> None:
    values = np.zeros(50_000)
    values[31_415] = 1.0
    grid = text_plot.dots(Curve("rate", "spike()", np.arange(50_000), values), 60, unicode=True)
    assert grid[0].any(), "the spike is missed"
    assert grid.any(axis=0).all()


def test_a_single_step_among_thousands_is_seen() -> None:
    check_that_every_value_is_seen()


def test_a_plot_of_samples_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    levels = text_plot.levels

    def sampled(values: Array, n_rows: int) -> Array:
        found = levels(values, n_rows)
        return np.repeat(found[::500], 500)

    monkeypatch.setattr(text_plot, "levels", sampled)
    with pytest.raises(AssertionError, match="the spike is missed"):
        check_that_every_value_is_seen()
