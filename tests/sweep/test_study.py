"""Optuna's searches: what they suggest depends on what was told, never on the clock, and comes back after a kill."""

import sys
import warnings

import pytest

from trainer_cli.errors import ArgumentError
from trainer_cli.sweep.search import random_search, written
from trainer_cli.sweep.space import Choice, Range

pytest.importorskip("optuna")
from trainer_cli.sweep.study import StudySearch

SPACE = [Range("a.x", 0.0, 1.0), Range("a.n", 1, 9, whole=True), Choice("a.c", ([1], "u", None))]


def tpe(space=SPACE, seed=0, n_workers=1):
    return StudySearch(space, seed, inner=None, prune=None, n_workers=n_workers)


def value_of(params):
    """Best at 0.3."""
    return -((params["a.x"] - 0.3) ** 2)


def told(search, n, start=1, value=value_of):
    found = []
    for number in range(start, start + n):
        params = search.suggest(number)
        found.append(params)
        search.close(number, value(params), "finished")
    return found


def test_tpe_suggests_the_same_after_the_same():
    assert told(tpe(), 15) == told(tpe(), 15)
    assert told(tpe(), 5) != told(tpe(seed=1), 5)


def test_tpe_comes_closer_than_chance():
    found = told(tpe(), 40)
    late = [abs(params["a.x"] - 0.3) for params in found[20:]]
    drawn = [abs(random_search(SPACE, 0).suggest(number)["a.x"] - 0.3) for number in range(1, 21)]
    assert sum(late) < 0.75 * sum(drawn)


def test_tpe_goes_on_after_a_kill_as_if_there_had_been_none():
    whole = told(tpe(), 14)
    search = tpe()
    for number, params in enumerate(whole[:9], 1):
        search.adopt(number, params)
        search.close(number, value_of(params), "finished")
    assert told(search, 5, start=10) == whole[9:]


def test_no_trial_is_suggested_twice_and_a_small_space_has_an_end():
    space = [Choice("a.x", (0.1, 0.3, 0.9)), Choice("a.c", ("u", "v"))]
    search = tpe(space)
    found = told(search, 6)
    assert len({written(params) for params in found}) == 6
    assert search.suggest(7) is None


@pytest.mark.parametrize("state", ["failed", "diverged", "killed"])
def test_trials_without_a_score_do_no_harm(state):
    search = tpe()
    for number in range(1, 15):
        assert search.suggest(number) is not None
        search.close(number, None, state)


def test_trials_at_once_are_not_all_alike():
    search = tpe(n_workers=4)
    found = [search.suggest(number) for number in range(1, 5)]
    assert len({written(params) for params in found}) == 4


def test_random_trials_are_the_same_with_pruning():
    search = StudySearch(SPACE, 0, inner=random_search(SPACE, 0), prune="asha", n_workers=1)
    assert told(search, 6) == [random_search(SPACE, 0).suggest(number) for number in range(1, 7)]


def asha():
    return StudySearch(SPACE, 0, inner=random_search(SPACE, 0), prune="asha", n_workers=1)


def raced(search, scores, steps=(7, 14, 21, 28)):
    """Trials one after the other, each always as good as its score; after which update each was ended."""
    found = []
    for number, score in enumerate(scores, 1):
        if search.suggest(number) is None:
            raise AssertionError
        end = next((step for step in steps if search.report(number, step, score)), None)
        search.close(number, score, "finished" if end is None else "pruned")
        found.append(end)
    return found


def test_asha_ends_what_is_behind_and_keeps_the_best():
    ends = raced(asha(), [0.5, 0.1, 0.2, 0.9, 0.3, 0.95])
    assert ends == [None, 7, 7, None, 7, None]


def test_median_pruning_begins_after_some_trials():
    search = StudySearch(SPACE, 0, inner=random_search(SPACE, 0), prune="median", n_workers=1)
    ends = raced(search, [0.5, 0.4, 0.6, 0.5, 0.7, 0.1, 0.9])
    assert ends[:5] == [None] * 5
    assert ends[5:] == [7, None]


def test_pruning_remembers_the_trials_of_earlier_calls():
    search = asha()
    search.adopt(1, random_search(SPACE, 0).suggest(1))
    for step in (7, 14):
        search.report(1, step, 0.9)
    search.close(1, 0.9, "finished")
    search.suggest(2)
    assert search.report(2, 7, 0.1)


def test_an_evaluation_is_heard_once():
    search = asha()
    raced(search, [0.5])
    search.suggest(2)
    search.report(2, 7, 0.6)
    assert not search.report(2, 7, -1.0)


def test_nothing_is_said_of_experiments():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told(tpe(n_workers=3), 12)


def test_without_optuna_the_remedy_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ArgumentError, match=r"needs optuna.*pip install 'trainer-cli\[sweep\]'"):
        tpe()


@pytest.mark.parametrize(
    ("prune", "scores", "expected"),
    [
        ("asha", [None, -5.0, None, 0.9], [None, None, 7, None]),
        ("median", [0.5, 0.4, 0.6, 0.5, 0.7, None, 0.9], [None] * 5 + [7, None]),
    ],
)
def test_a_score_that_is_no_finite_number_is_worse_than_any(prune, scores, expected):
    search = StudySearch(SPACE, 0, inner=random_search(SPACE, 0), prune=prune, n_workers=1)
    assert raced(search, scores) == expected


def test_a_median_is_taken_of_trials_some_of_which_had_no_finite_score_at_first():
    search = StudySearch(SPACE, 0, inner=random_search(SPACE, 0), prune="median", n_workers=1)
    ends = []
    for number, first in enumerate([None, None, None, 0.5, 0.5, 0.5, None], 1):
        search.suggest(number)
        ends.append(search.report(number, 7, first))
        search.close(number, 0.6, "pruned" if ends[-1] else "finished")
    assert ends == [False] * 6 + [True]


def test_tpe_learns_from_pruned_trials_without_a_score():
    search = StudySearch(SPACE, 0, inner=None, prune="median", n_workers=1)
    for number in range(1, 16):
        params = search.suggest(number)
        search.report(number, 7, None if number % 3 else value_of(params))
        search.close(number, None if number % 3 else value_of(params), "pruned" if number % 2 else "finished")
