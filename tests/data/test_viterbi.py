from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest

from trainer_cli.arrays import Array, Ragged
from trainer_cli.data import viterbi
from trainer_cli.data.encoders.schemes import Scheme, constraints, first_break
from trainer_cli.data.viterbi import best_tags

BIO = ("O", "B-A", "I-A", "B-B", "I-B")
BILUO = ("O", "B-A", "I-A", "L-A", "U-A")


def probabilities(lengths: list[int], n: int, seed: int = 0) -> Ragged:
    raw = np.random.default_rng(seed).gamma(0.3, size=(sum(lengths), n))
    return Ragged(raw / raw.sum(axis=1, keepdims=True), np.array(lengths))


def best_of_all(rows: Array, begins: Array, follows: Array, ends: Array) -> tuple[int, ...]:
    """Every sequence tried."""
    n = rows.shape[1]
    scores = np.log(np.maximum(rows, viterbi.LEAST))
    allowed = [
        tags
        for tags in itertools.product(range(n), repeat=len(rows))
        if begins[tags[0]] and ends[tags[-1]] and all(follows[pair] for pair in itertools.pairwise(tags))
    ]
    return max(allowed, key=lambda tags: sum(scores[range(len(rows)), tags]))


def check_all(names: tuple[str, ...], scheme: Scheme) -> None:
    lengths = [3, 1, 5, 0, 4, 1, 2]
    given, rules = probabilities(lengths, len(names)), constraints(names, scheme)
    found = np.split(best_tags(given, *rules), given.starts()[1:-1])
    for tags, rows in zip(found, np.split(given.data, given.starts()[1:-1]), strict=True):
        assert tuple(tags.tolist()) == (best_of_all(rows, *rules) if len(rows) else ())


@pytest.mark.parametrize(("names", "scheme"), [(BIO, "bio"), (BILUO, "biluo"), (BIO, "plain")])
def test_the_best_sequence_is_that_of_all(names: tuple[str, ...], scheme: Scheme) -> None:
    check_all(names, scheme)


def test_a_search_that_forgets_how_a_sentence_ends_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    back = viterbi._back
    monkeypatch.setattr(viterbi, "_back", lambda best, *rest: back(np.roll(best, 1, axis=1), *rest))
    with pytest.raises(AssertionError):
        check_all(BILUO, "biluo")


def test_only_sequences_that_keep_the_scheme_come_out() -> None:
    given = probabilities([9] * 50, len(BILUO), seed=3)
    for tags in best_tags(given, *constraints(BILUO, "biluo")).reshape(50, 9):
        assert first_break([BILUO[tag] for tag in tags], "biluo") is None


def test_where_nothing_keeps_the_rules_a_sequence_comes_all_the_same() -> None:
    names = ("B-A", "L-A")
    given = Ragged(np.array([[0.6, 0.4]]), np.array([1]))
    assert best_tags(given, *constraints(names, "biluo")).tolist() == [0]


def test_probabilities_of_zero_and_one_are_taken() -> None:
    given = Ragged(np.array([[0, 0, 1], [0, 0, 1]], np.float32), np.array([2]))
    assert best_tags(given, *constraints(("O", "B-A", "I-A"), "bio")).tolist() == [1, 2]


def test_no_rows_have_no_tags() -> None:
    assert best_tags(probabilities([], 5), *constraints(BIO, "bio")).tolist() == []


def test_one_long_sentence_among_many_short_ones_costs_what_its_tokens_do() -> None:
    given, rules = probabilities([2000] + [1] * 1000, 5), constraints(BIO, "bio")
    tracemalloc.start()
    best_tags(given, *rules)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * given.data.nbytes  # a place for each sentence at each step would be 300 times as much
