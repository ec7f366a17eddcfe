"""The picture of a sweep: a panel a key, a point a trial, the same bytes each time."""

from pathlib import Path

import pytest

from trainer_cli.sweep.record import Plan, Record
from trainer_cli.sweep.space import Choice, Range
from trainer_cli.sweep.trial import Trial

pytest.importorskip("matplotlib")
from trainer_cli.sweep.scatter import draw, placed

SPACE = [Range("a.rate", 1e-4, 1.0, log=True), Choice("a.$kind$", ([1], "re lu", None)), Range("a.n", 1, 9, whole=True)]


def trial(number, state="finished", score=0.5):
    params = {"a.rate": 10.0**-number, "a.$kind$": SPACE[1].values[number % 3], "a.n": number}
    return Trial(number, params, state, score=score)


def record(*trials):
    return Record(Path("out"), Plan((), "random"), metric="accuracy", trials={each.trial: each for each in trials})


ALL = [trial(1), trial(2, "pruned", 0.2), trial(3, "diverged", 0.3), trial(4, "failed", None), trial(5, score=0.9)]


def test_each_key_has_a_panel_and_each_state_a_name():
    text = draw(record(*ALL), SPACE, "svg").decode()
    for name in ("a.rate", "a.n", "accuracy", "finished", "pruned", "diverged", "best", "re lu", "4 trials"):
        assert name in text


def test_the_same_trials_give_the_same_bytes():
    assert draw(record(*ALL), SPACE, "svg") == draw(record(*ALL), SPACE, "svg")
    assert draw(record(*ALL), SPACE, "svg") != draw(record(*ALL[:3]), SPACE, "svg")


def test_a_png_is_one():
    assert draw(record(*ALL), SPACE[:1], "png").startswith(b"\x89PNG")


def test_values_of_a_choice_stand_in_its_order():
    assert placed(SPACE[1], ALL[:3]) == ([1, 2, 0], ["[1]", "re lu", "null"])
    assert placed(SPACE[2], ALL[:3]) == ([1, 2, 3], [])
