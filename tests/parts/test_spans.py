"""Scores of spans beside a count by conlleval's rules and seqeval's, and that parts merge to the bit."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from seqeval import metrics as peer

from trainer_cli.arrays import Array, Ragged
from trainer_cli.data.encoders.tags import Tags as TagsEncoder
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.metrics import SpanScores, spans
from trainer_cli.metrics.spans import Spans, Tags
from trainer_cli.registry import registry
from trainer_cli.trained import tell_metrics

BIO = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
BILUO = ("O", *(f"{prefix}-{kind}" for kind in ("PER", "LOC") for prefix in "BILU"))
BIOES = ("O", *(f"{prefix}-{kind}" for kind in ("PER", "LOC") for prefix in "BIES"))
SCHEMES = {"BIO": BIO, "BILUO": BILUO, "BIOES": BIOES, "IOB1": (*BIO[1:], "O")}


def rows(index: int, names: Sequence[str]) -> tuple[list[list[str]], list[list[str]]]:
    """Random tags, true and guessed, most of them alike; many contradict each other."""
    rng = np.random.default_rng(index)
    true = [rng.choice(names, int(rng.integers(1, 12))).tolist() for _ in range(int(rng.integers(1, 8)))]
    return true, [[tag if rng.random() < 0.7 else str(rng.choice(names)) for tag in row] for row in true]


def as_ragged(tags: list[list[str]], names: Sequence[str]) -> Ragged:
    numbers = np.array([names.index(tag) if tag in names else -1 for row in tags for tag in row], np.int64)
    return Ragged(numbers, np.array([len(row) for row in tags], np.int64))


def counted(tags: Sequence[str], *parts: tuple[list[list[str]], list[list[str]], Array | None]) -> Any:
    tally = SpanScores()
    tally.names = tags
    for true, guessed, weights in parts:
        guesses = as_ragged(guessed, tags)
        tally.update(Ragged(np.eye(len(tags))[guesses.data], guesses.lengths), as_ragged(true, tags), weights)
    return tally


def chunks(tags: list[str]) -> set[tuple[int, int, str]]:
    """conlleval's spans, by its questions of each pair of neighbours: does one end, does one begin?"""
    found, begin = set(), None
    previous, kind_before = "O", ""
    for i, tag in enumerate([*tags, "O"]):
        prefix, _, kind = tag.partition("-")
        ends = previous in "BIELSU" and (
            prefix in "BSUO" or previous in "ELSU" or (prefix != "O" and kind != kind_before)
        )
        begins = prefix in "BSU" or (prefix in "IEL" and (previous in "OELSU" or kind != kind_before))
        if ends and begin is not None:
            found.add((begin, i, kind_before))
            begin = None
        if begins:
            begin = i
        previous, kind_before = prefix, kind
    return found


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_thousand_cases_are_counted_as_by_conlleval(scheme: str) -> None:
    names = SCHEMES[scheme]
    for index in range(1000):
        true, guessed = rows(index, names)
        right = n_true = n_found = 0
        for one, other in zip(true, guessed, strict=True):
            wanted, found = chunks(one), chunks(other)
            right, n_true, n_found = right + len(wanted & found), n_true + len(wanted), n_found + len(found)
        parts = counted(names, (true, guessed, None)).parts().values()
        assert [sum(column) for column in zip(*parts, strict=True)] == [right, n_true, n_found]


@pytest.mark.parametrize("scheme", ["BIO", "BIOES", "IOB1"])
def test_three_hundred_cases_are_the_peer_s(scheme: str) -> None:
    names = SCHEMES[scheme]
    for index in range(300):
        true, guessed = rows(index, names)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of rows without spans
            expected = [score(true, guessed) for score in (peer.f1_score, peer.precision_score, peer.recall_score)]
        found = counted(names, (true, guessed, None)).result().values()
        for own, score in zip(found, expected, strict=True):
            assert abs(own - score) < 1e-12 or (math.isnan(own) and score == 0)


def test_spans_by_hand() -> None:
    true = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-LOC", "B-LOC"]]
    guessed = [["B-PER", "I-PER", "O", "O"], ["I-LOC", "B-LOC", "I-LOC"]]
    tally = counted(BIO, (true, guessed, None))
    assert tally.parts() == {"PER": (1, 1, 1), "LOC": (0, 3, 2)}
    assert tally.result() == {"f_score": 2 / 7, "precision": 1 / 3, "recall": 1 / 4}


def test_a_span_ends_with_its_row() -> None:
    tags = Tags.of(BIO)
    found = Spans.of(np.array([1, 2, 2, 2, 0]), tags, np.array([2, 0, 3, 0]))
    assert (found.starts.tolist(), found.ends.tolist(), found.rows.tolist()) == ([0, 2], [2, 4], [0, 2])
    assert len(Spans.of(np.zeros(0, np.int64), tags, np.zeros(3, np.int64)).starts) == 0


def test_spans_that_go_on_across_rows_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Spans.of
    monkeypatch.setattr(Spans, "of", lambda numbers, tags, lengths: real(numbers, tags, np.array([len(numbers)])))
    monkeypatch.setattr(spans, "as_weights", lambda name, weights, n: np.ones(1))
    with pytest.raises(AssertionError):
        test_a_thousand_cases_are_counted_as_by_conlleval("BIO")


def test_weights_are_of_rows() -> None:
    true, guessed = [["B-PER", "B-PER"], ["B-LOC"]], [["B-PER", "O"], ["B-PER"]]
    found = counted(BIO, (true, guessed, np.array([0.5, 2.0]))).result()
    assert found == {"f_score": 2 * 0.5 / (3 + 2.5), "precision": 0.5 / 2.5, "recall": 0.5 / 3}


def test_parts_merge_to_the_bit_in_any_order_and_split() -> None:
    for index in range(30):
        true, guessed = rows(index, BIO)
        weights = np.random.default_rng(index).random(len(true))
        whole = counted(BIO, (true, guessed, weights)).result()
        cut = index % (len(true) + 1)
        parts = [counted(BIO, (true[part], guessed[part], weights[part])) for part in (slice(cut), slice(cut, None))]
        for first, second in (parts, parts[::-1]):
            merged = counted(BIO)
            merged.merge(first)
            merged.merge(second)
            np.testing.assert_equal(merged.result(), whole)


def test_tags_that_training_never_had_are_a_span_that_is_missed() -> None:
    tally = counted(BIO, ([["B-NEW", "I-NEW", "O", "B-PER"]], [["B-PER", "I-PER", "O", "B-PER"]], None))
    assert tally.parts() == {"PER": (1, 1, 2), "LOC": (0, 0, 0), spans.UNKNOWN: (0, 1, 0)}


def test_nothing_to_count_is_no_number() -> None:
    assert all(math.isnan(score) for score in SpanScores().result().values())
    assert all(math.isnan(score) for score in counted(BIO, ([["O"]], [["O"]], None)).result().values())


def test_it_is_registered_and_counts_rows_of_tokens() -> None:
    assert registry.metrics.get("spans.v1") is SpanScores
    assert SpanScores.ragged
    assert SpanScores.higher_is_better


def test_what_does_not_fit_is_refused() -> None:
    P, lengths = np.full((3, 2), 0.5), np.array([3])
    tally = SpanScores()
    with pytest.raises(ArgumentError, match="spans: names must be the 2 tags in the order of the guesses' columns"):
        tally.update(Ragged(P, lengths), Ragged(np.zeros(3, np.int64), lengths))
    tally.names = ("O", "NOUN")
    with pytest.raises(ArgumentError, match=r"spans: tags are O, or one of B I L U .* got 'NOUN'"):
        tally.update(Ragged(P, lengths), Ragged(np.zeros(3, np.int64), lengths))
    with pytest.raises(ShapeError, match=r"spans: guesses and truths must be ragged rows of tokens, .* got ndarray"):
        tally.update(P, np.zeros(3, np.int64))
    with pytest.raises(ShapeError, match="spans: guesses and truths must be rows of the same lengths"):
        tally.update(Ragged(P, lengths), Ragged(np.zeros(3, np.int64), np.array([1, 2])))


def test_the_spans_of_a_run_are_those_of_the_best_sequence_that_the_scheme_allows() -> None:
    """By token the likeliest is O I-x, which is no BIO; of the sequences that are, B-x I-x is the likeliest."""
    state = {"column": "t", "names": ["B-x", "I-x", "O"], "scheme": "bio", "unknown": "error"}
    encoder = TagsEncoder.from_state(state, {})
    tally = SpanScores()
    tell_metrics({"spans": tally}, encoder)
    P = Ragged(np.array([[0.4, 0.1, 0.5], [0.1, 0.8, 0.1]]), np.array([2]))
    tally.update(P, Ragged(np.array([0, 1]), np.array([2])))
    assert tally.result()["f_score"] == 1
    alone = SpanScores()
    alone.names = encoder.names
    alone.update(P, Ragged(np.array([0, 1]), np.array([2])))
    assert alone.result()["f_score"] == 0
