"""Times as people write them."""

import pytest

from trainer_cli.errors import ArgumentError
from trainer_cli.sweep.budget import asked_at, forced_at, seconds_of, shown


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("1h", 3600), ("0.5h", 1800)]
)
def test_a_time_is_read(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1", "10 minutes", "m", "1e3", "30m1h", "nan", "inf"])
def test_what_is_no_time_is_told(text):
    with pytest.raises(ArgumentError, match="--budget takes a time such as 90s, 10m or 1h30m, got"):
        seconds_of(text)


@pytest.mark.parametrize("budget", [1, 10, 60, 600, 36000])
def test_trials_are_asked_in_time_and_forced_within_a_twentieth(budget):
    assert 0.95 * budget < asked_at(budget) < budget < forced_at(budget) < 1.05 * budget


def test_times_are_shown_in_two_units_at_most():
    assert [shown(seconds) for seconds in (0.04, 59.94, 60, 3600, 3725)] == [
        "0.0 s",
        "59.9 s",
        "1 min",
        "1 h",
        "1 h 2 min",
    ]
