"""Which trials are tried: at random from everywhere and no one twice, or all of a grid."""

import itertools
import math

import numpy as np
import pytest

from trainer_cli.errors import ArgumentError
from trainer_cli.sweep.search import ListedSearch, drawn, grid_search, random_search, written
from trainer_cli.sweep.space import Choice, Range, at, grid, size

SPACE = [Range("a.x", 1e-4, 1e-1, log=True), Range("a.n", 1, 6, whole=True), Choice("a.c", ("u", "v", [1]))]


def first(n, space=SPACE, seed=0):
    return list(itertools.islice(drawn(space, seed), n))


def test_the_same_seed_draws_the_same_trials_and_another_others():
    assert first(20) == first(20)
    assert first(20) != first(20, seed=1)


def test_more_trials_change_none_and_neither_does_another_key():
    assert first(30)[:10] == first(10)
    alone = first(10, SPACE[:1])
    assert [each["a.x"] for each in first(10)] == [each["a.x"] for each in alone]


def test_a_trial_is_asked_for_by_its_number_in_any_order():
    search = random_search(SPACE, 0)
    assert search.suggest(3) == first(3)[2]
    assert search.suggest(1) == first(1)[0]


def test_a_logarithmic_range_is_drawn_evenly_in_the_logarithm():
    logs = [math.log10(each["a.x"]) for each in first(2000, SPACE[:1])]
    counts, _ = np.histogram(logs, bins=3, range=(-4, -1))
    assert all(abs(count - 2000 / 3) < 100 for count in counts)  # 5 deviations of a third of 2000


def test_an_even_range_is_not_even_in_the_logarithm():
    values = [each["x"] for each in first(2000, [Range("x", 0.0, 1.0)])]
    counts, _ = np.histogram(values, bins=4, range=(0, 1))
    assert all(abs(count - 500) < 100 for count in counts)


@pytest.mark.parametrize("log", [False, True])
def test_whole_numbers_reach_both_ends_and_stay_within(log):
    each = Range("n", 1, 4, log=log, whole=True)
    found = [each.at(share) for share in np.linspace(0, 1, 1001)[:-1]]
    assert set(found) == {1, 2, 3, 4}
    assert all(type(value) is int for value in found)


def test_whole_numbers_are_equally_likely():
    each = Range("n", 1, 4, whole=True)
    found = [each.at(share) for share in np.arange(1000) / 1000]
    assert [found.count(value) for value in (1, 2, 3, 4)] == [250] * 4


def test_a_float_range_never_leaves_its_ends():
    each = Range("x", 0.1, 0.3, log=True)
    assert each.at(0.0) == 0.1
    assert 0.1 <= each.at(np.nextafter(1, 0)) <= 0.3


def test_a_finite_space_is_tried_whole_and_no_trial_twice():
    found = first(1000, SPACE[1:])
    assert len(found) == size(SPACE[1:]) == 18
    assert sorted(map(written, found)) == sorted(map(written, grid(SPACE[1:])))


def test_a_rare_value_is_found_in_the_end():
    space = [Range("n", 1, 500, log=True, whole=True)]
    found = [each["n"] for each in first(600, space)]
    assert sorted(found) == list(range(1, 501))


def test_a_grid_is_in_the_order_of_its_keys():
    search = grid_search([Choice("a.p", (1, 2)), Range("a.q", 3, 4, whole=True)])
    found = [search.suggest(number) for number in range(1, 6)]
    expected = [{"a.p": p, "a.q": q} for p, q in ((1, 3), (1, 4), (2, 3), (2, 4))]
    assert found == [*expected, None]


@pytest.mark.parametrize("high", [10**9, 10**30])
def test_a_range_of_any_number_of_whole_numbers_is_tried(high):
    """None of them is made before its turn: for the first of them there would be no room."""
    space = [Range("a.n", 1, high, whole=True), Range("a.m", 1, high, whole=True)]
    assert size(space) == float(high) ** 2
    assert len(first(3, space)) == 3
    assert list(itertools.islice(grid(space), 2)) == [{"a.n": 1, "a.m": 1}, {"a.n": 1, "a.m": 2}]
    assert grid_search(space[:1]).suggest(2) == {"a.n": 2}


def test_a_grid_has_an_end():
    with pytest.raises(
        ArgumentError, match=r"no end of them: a\.x\. Say how many: a\.x=0\.0001\.\.0\.1:5, or list them"
    ):
        grid_search(SPACE)


def test_a_search_that_draws_as_trials_end_would_depend_on_the_workers():
    """The check of equal trials sees it: what is asked for last comes first."""
    asked = []

    class Careless(ListedSearch):
        def suggest(self, number):
            asked.append(number)
            return super().suggest(len(asked))

    search = Careless(drawn(SPACE, 0))
    assert [search.suggest(3), search.suggest(1)] != [first(3)[2], first(1)[0]]


def test_shares_become_values_by_name():
    assert at([Choice("a.p", (1, 2)), Range("a.q", 0.0, 1.0)], [0.9, 0.25]) == {"a.p": 2, "a.q": 0.25}
