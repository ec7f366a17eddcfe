from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli.data.block import Block
from trainer_cli.data.encoders.categories import Categories
from trainer_cli.data.encoders.vocabulary import Tally
from trainer_cli.errors import DataError, ModelFileError


def fitted(*blocks: Block, **arguments: object) -> Categories:
    encoder = Categories(list(blocks[0].columns), **arguments)
    encoder.choose(tuple(blocks[0].columns))
    for block in blocks:
        encoder.fit(block)
    encoder.finish_fit()
    return encoder


def test_flags_stand_side_by_side_by_hand(block):
    rows = block(a=["x", "y", "x", "y"], b=["p", "p", "", ""])
    encoder = fitted(rows)
    assert encoder.values == (("x", "y"), ("", "p"))
    assert encoder.encode(rows).tolist() == [[1, 0, 0, 1], [0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 1, 0]]
    assert (encoder.width, encoder.sizes, encoder.encode(rows).dtype) == (4, (3, 3), np.float32)


def test_numbers_for_an_embedding_begin_at_one_by_hand(block):
    rows = block(a=["x", "y", "x", "y"], b=["10", "9", "10", "9"])
    encoder = fitted(rows, encoding="embedding")
    assert encoder.encode(rows).tolist() == [[1, 2], [2, 1], [1, 2], [2, 1]]
    assert (encoder.width, encoder.sizes, encoder.encode(rows).dtype) == (2, (3, 3), np.int64)


def test_rare_and_unseen_values_are_unknown(block):
    rows = block(a=["x", "x", "once", "y", "y"])
    others = block(a=["once", "never", "x"])
    assert fitted(rows).encode(others).tolist() == [[0, 0], [0, 0], [1, 0]]
    assert fitted(rows, encoding="embedding").encode(others).tolist() == [[0], [0], [1]]
    assert fitted(rows, min_count=1).encode(others).tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 0]]


def test_the_most_frequent_values_are_kept_and_of_equal_ones_the_first(block):
    rows = block(a=["c"] * 3 + ["b", "a", "d"] * 2)
    assert fitted(rows, max_values=2).values == (("a", "c"),)
    assert fitted(rows, max_values=3).values == (("a", "b", "c"),)


def test_auto_is_one_hot_up_to_max_one_hot_values(block):
    rows = block(a=list("abcd") * 2, b=list("abbb") * 2)
    assert fitted(rows, max_one_hot=4).encoding == "one-hot"
    assert fitted(rows, max_one_hot=3).encoding == "embedding"
    many = [str(i % 33) for i in range(66)]
    assert fitted(block(a=many)).encoding == "embedding"
    assert fitted(block(a=many[:32] * 2)).encoding == "one-hot"


def test_texts_are_taken_without_the_spaces_around_them(block):
    assert fitted(block(a=["x", " x", "y", "y "])).values == (("x", "y"),)


def test_a_truth_value_is_known_in_each_spelling_unless_that_is_a_value_of_its_own(block):
    encoder = fitted(block(a=["True", "False", "True", "False"]), encoding="embedding")
    other = block(a=["true", "TRUE", "FALSE", "tRUE"])
    assert encoder.encode(other).ravel().tolist() == [2, 2, 1, 0]
    back = Categories.from_state(*encoder.to_state())
    assert back.encode(other).tolist() == encoder.encode(other).tolist()
    assert encoder.encode(block(a=np.array([True, False]))).ravel().tolist() == [2, 1]
    both = fitted(block(a=["True", "true"] * 2), encoding="embedding")
    assert both.encode(block(a=["true", "True", "TRUE"])).ravel().tolist() == [2, 1, 1]


@pytest.mark.parametrize("encoding", ["one-hot", "embedding"])
def test_rows_with_a_known_value_are_counted_column_by_column(block, encoding):
    encoder = fitted(block(a=["x", "y"] * 2, b=["p", "q"] * 2), encoding=encoding)
    rows = encoder.encode(block(a=["x", "nix", "y"], b=["nix"] * 3))
    assert encoder.known(rows) == {"a": 2, "b": 0}


def test_numbers_of_arrays_are_the_texts_of_a_table(block):
    encoder = fitted(block(a=np.array([3, 3, 12, 12]), b=np.array([1.0, 1.0, np.nan, np.nan])), encoding="embedding")
    assert encoder.values == (("3", "12"), ("", "1"))
    assert encoder.encode(block(a=["12", "03"], b=["1", ""])).tolist() == [[2, 2], [0, 1]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"min_count": 0}, "min_count: min_count must be 1 or more, got 0"),
        ({"max_values": 0}, "max_values: max_values must be 1 or more, got 0"),
        ({"max_one_hot": 0}, 'max_one_hot: max_one_hot must be 1 or more, got 0: encoding = "embedding" uses none'),
        ({"max_one_hot": 9, "encoding": "one-hot"}, 'max_one_hot: max_one_hot is for encoding = "auto"'),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(DataError) as caught:
        Categories(["a"], **arguments)
    assert str(caught.value).startswith(message)


def test_wrong_columns_and_values_are_told(block):
    with pytest.raises(DataError, match=r'columns: no column is called "kinds"\. Did you mean "kind"\?'):
        Categories(["kinds"]).choose(("a", "kind"))
    with pytest.raises(DataError, match=r"columns: no value of column a comes 2 times \(min_count\) .*, leave it out"):
        fitted(block(a=["x", "y"]))
    with pytest.raises(
        DataError, match=r"data.csv: a: categories are texts or numbers, one a row; got float64 \(2, 2\)"
    ):
        fitted(block(a=np.zeros((2, 2))))
    with pytest.raises(DataError, match=r'data.csv:1: a: the column is missing. Did you mean "A"\?'):
        fitted(block(a=["x", "x"])).encode(block(A=["x"]))


def test_state_brings_back_the_encoding(block):
    rows = block(a=["x", "y", "", "y", "x", ""], b=["nan", "nan", "0x1.8p1", "0x1.8p1", "'", "'"])
    for encoding in ("one-hot", "embedding"):
        encoder = fitted(rows, encoding=encoding)
        other = Categories.from_state(*encoder.to_state())
        assert other.encode(rows).tobytes() == encoder.encode(rows).tobytes()
        assert (other.to_state(), other.sizes, other.width) == (encoder.to_state(), encoder.sizes, encoder.width)


@pytest.mark.parametrize(
    "state",
    [
        {"columns": []},
        {"values": None},
        {"values": [["x"]]},
        {"values": [["x"], []]},
        {"values": [["x"], ["y", "y"]]},
        {"values": [["x"], [1]]},
        {"encoding": "auto"},
        {"encoding": None},
    ],
)
def test_a_damaged_state_is_refused(state):
    good = {"columns": ["a", "b"], "values": [["x"], ["y"]], "encoding": "one-hot"}
    Categories.from_state(good, {})
    with pytest.raises(ModelFileError, match="the encoder's"):
        Categories.from_state({**good, **state}, {})


# Counting


@given(st.lists(st.sampled_from("abcdefgh"), max_size=60), st.integers(1, 4), st.integers(1, 7))
def test_a_frequent_text_stays_with_a_count_that_is_hardly_too_low(texts, room, size):
    tally, exact = Tally(room), Counter(texts)
    for start in range(0, len(texts), size):
        tally.add(texts[start : start + size])
    off = len(texts) / (room + 1)
    assert len(tally.counts) <= 2 * room
    for text, n in exact.items():
        assert n - off <= tally.counts[text] <= n


@given(st.lists(st.sampled_from("abcdefgh"), max_size=60))
def test_counts_of_few_different_texts_are_exact(texts):
    tally = Tally(4)
    for text in texts:
        tally.add([text])
    assert tally.counts == Counter(texts)


def test_a_tally_of_all_different_texts_stays_small():
    tally = Tally(100)
    for start in range(0, 100_000, 1000):
        tally.add([*map(str, range(start, start + 1000)), *["often"] * 20])
    assert len(tally.counts) <= 200
    assert tally.most_frequent(1, 2) == ("often",)
