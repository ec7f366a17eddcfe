from __future__ import annotations

import numpy as np
import pytest

from trainer_cli.data.encoders.schemes import Guess, constraints, first_break, may_follow, to_bio


@pytest.mark.parametrize(
    ("scheme", "tags", "broken"),
    [
        ("bio", "O B-A I-A I-A B-A B-B O", None),
        ("bio", "I-A", 0),
        ("bio", "B-A I-B", 1),
        ("bio", "B-A O I-A", 2),
        ("bio", "B-A L-A", 1),
        ("bio", "", None),
        ("biluo", "O B-A I-A L-A U-B O", None),
        ("biluo", "S-A B-A E-A", None),
        ("biluo", "B-A O", 1),
        ("biluo", "B-A L-B", 1),
        ("biluo", "L-A", 0),
        ("biluo", "O B-A", 2),
        ("biluo", "U-A I-A", 1),
        ("plain", "I-A NN I-B", None),
    ],
)
def test_where_a_sentence_breaks_its_scheme(scheme, tags, broken):
    assert first_break(tags.split(), scheme) == broken


def test_constraints_of_bio_by_hand():
    begins, follows, ends = constraints(("O", "B-A", "I-A", "I-B"), "bio")
    assert begins.tolist() == [True, True, False, False]
    assert ends.tolist() == [True] * 4
    assert follows.astype(int).tolist() == [[1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 0, 1]]


def test_plain_tags_may_follow_one_another():
    assert np.all(constraints(("NN", "VB"), "plain")[1])
    assert may_follow("NN", None, "plain")


@pytest.mark.parametrize(
    ("sentences", "scheme"),
    [
        (["O B-A I-A", "B-A B-A"], "bio"),
        (["O I-A I-A", "I-A B-A O"], "iob1"),
        (["O I-A I-A", "O B-A O"], "bio"),
        (["O B-A L-A", "O"], "biluo"),
        (["O S-A"], "biluo"),
        (["O O"], "plain"),
        (["O NN"], "plain"),
        (["NN-TL BEDZ", "I-A"], "plain"),
    ],
)
def test_the_scheme_that_tags_seem_to_be_in(sentences, scheme):
    guess = Guess()
    guess.look([tags.split() for tags in sentences])
    assert guess.scheme == scheme


def test_iob1_becomes_bio():
    assert to_bio(["I-A", "I-A", "B-A", "I-B", "O", "I-B"]) == ["B-A", "I-A", "B-A", "B-B", "O", "B-B"]
    assert to_bio(["B-A", "I-A", "O", "B-A", "B-A"]) == ["B-A", "I-A", "O", "B-A", "B-A"]
