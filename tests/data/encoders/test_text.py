from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli.arrays import Ragged
from trainer_cli.data import encoder as encoders
from trainer_cli.data.block import Block
from trainer_cli.data.encoders import ngrams
from trainer_cli.data.encoders.ngrams import by_row, distinct, runs
from trainer_cli.data.encoders.text import Text
from trainer_cli.errors import ArgumentError, DataError, ModelFileError

TEXTS = ["the cat sat", "The dog sat!", "", "the cat, the dog"]


def fitted(texts: list[str] = TEXTS, **settings) -> Text:
    encoder = Text(**settings)
    encoder.choose(("text",))
    encoder.fit(Block({"text": texts[:2]}))
    encoder.fit(Block({"text": texts[2:]}))
    encoder.finish_fit()
    return encoder


def encoded(encoder: Text, *texts: str) -> list[list[int]]:
    found = encoder.encode(Block({"text": list(texts)}))
    assert isinstance(found, Ragged)
    assert found.data.dtype == np.int64
    return [row.tolist() for row in np.split(found.data, found.starts()[1:-1])]


def test_words_of_two_texts_have_ids_and_others_are_0():
    encoder = fitted()
    (the, cat, sat), (_, dog, *_), empty, last = encoded(encoder, *TEXTS)
    assert sorted([the, cat, sat, dog]) == [1, 2, 3, 4]
    assert (encoder.n_ids, empty, last) == (5, [], [the, cat, 0, the, dog])
    assert encoded(encoder, "a THE sat") == [[0, the, sat]]


def test_every_word_has_an_id_with_a_min_count_of_1_and_case_counts_if_asked():
    assert fitted(min_count=1).n_ids == 7  # the cat sat dog ! , and 0
    assert fitted(min_count=1, lower=False).n_ids == 8


def test_pairs_of_words_come_after_the_words_and_do_not_cross_texts():
    encoder = fitted(["a b c", "a b", "x", "c a b"], word_ngrams=3, min_count=2)
    row, other = encoded(encoder, "c a b", "a c b")
    assert (len(row), len(set(row))) == (4, 4)  # c, a, b and the pair a b
    assert len(other) == 3
    assert encoded(encoder, "a", "b") == [row[1:2], row[2:3]]
    assert fitted(["a b c", "a b c"], word_ngrams=3).n_ids == 7


def test_pieces_of_words_are_found_in_words_never_seen():
    encoder = fitted(["walking", "walked"], char_ngrams=[3, 4])
    (row,) = encoded(encoder, "walks")
    assert row[0] == 0
    assert len(set(row)) == 1 + len(["<wa", "wal", "alk", "<wal", "walk"])


def test_long_texts_are_cut():
    assert [len(row) for row in encoded(fitted(max_length=2), "the cat sat", "the", "")] == [2, 1, 0]


def test_tfidf_is_that_of_scikit_learn():
    from sklearn.feature_extraction.text import TfidfVectorizer

    from trainer_cli.data.encoders.words import words

    texts = ["good good film", "bad film", "a good day , a bad day", "film film film day"]
    peer = TfidfVectorizer(tokenizer=words, token_pattern=None, ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    expected = peer.fit_transform(texts).toarray()
    ids, weights = fitted(texts, word_ngrams=2, weights="tfidf").encode(Block({"text": texts}))
    assert (ids.lengths.tolist(), weights.data.dtype) == (weights.lengths.tolist(), np.float32)
    found = np.zeros((len(texts), expected.shape[1] + 1))
    found[np.repeat(np.arange(len(texts)), ids.lengths), ids.data] = weights.data
    assert not found[:, 0].any()
    order = np.lexsort(expected), np.lexsort(found[:, 1:])
    np.testing.assert_allclose(found[:, 1:][:, order[1]], expected[:, order[0]], rtol=1e-6)


def test_words_and_pieces_of_words_have_weights_of_one_length_each():
    ids, weights = fitted(
        ["walking dogs", "walked dog", "walks"], char_ngrams=[3, 4], weights="tfidf", min_count=1
    ).encode(Block({"text": ["walking dog", "dog"]}))
    np.testing.assert_allclose(np.add.reduceat(weights.data**2, ids.starts()[:-1]), [2, 2], rtol=1e-6)


def test_a_text_without_known_words_is_an_empty_row_of_weights():
    ids, weights = fitted(weights="tfidf").encode(Block({"text": ["", "unseen", "the"]}))
    assert (ids.lengths.tolist(), weights.data.tolist()) == ([0, 0, 1], [1.0])


def slow_runs(rows: list[list[int]], n: int) -> list[set[tuple[int, tuple[int, ...]]]]:
    return [
        {(i, tuple(row[k : k + size])) for i, row in enumerate(rows) for k in range(len(row) - size + 1)}
        for size in range(1, n + 1)
    ]


def check_runs(rows: list[list[int]], n: int) -> None:
    """As many different hashes in each row as there are different runs, and the same run the same hash."""
    flat = np.array([word for row in rows for word in row], np.uint64)
    where = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    found = runs(flat, where, n)
    assert len(found) == n
    for (hashes, in_rows), expected in zip(found, slow_runs(rows, n), strict=True):
        pairs = set(zip(in_rows.tolist(), hashes.tolist(), strict=True))
        assert len(pairs) == len(expected)
        assert len({hash_ for _, hash_ in pairs}) == len({run for _, run in expected})


@given(st.lists(st.lists(st.integers(1, 2**40), max_size=5), min_size=1, max_size=5), st.integers(1, 4))
def test_runs_of_words_are_those_within_rows(rows, n):
    check_runs(rows, n)


def test_runs_that_cross_rows_would_be_found(monkeypatch):
    monkeypatch.setattr(ngrams, "FACTOR", np.uint64(1))  # sums do not know the order
    with pytest.raises(AssertionError):
        check_runs([[1, 2], [2, 1]], 2)


def test_ids_by_row_and_distinct():
    ids, rows = np.array([5, 3, 5, 5, 1]), np.array([0, 2, 0, 2, 0])
    order, lengths = by_row(rows, 4)
    assert (ids[order].tolist(), lengths.tolist()) == ([5, 5, 1, 3, 5], [3, 0, 2, 0])
    assert [part.tolist() for part in distinct(ids, rows, 6)] == [[1, 5, 3, 5], [0, 0, 2, 2], [1, 2, 1, 1]]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_length": -1}, "max_length must be a whole number from 0 to 2,147,483,648, got -1"),
        ({"word_ngrams": 0}, "word_ngrams must be a whole number from 1 to 100, got 0"),
        ({"min_count": 0}, "min_count must be a whole number from 1"),
        ({"buckets": 0}, "buckets must be a whole number from 1 to 67,108,864, got 0"),
        ({"char_ngrams": [3]}, r"char_ngrams must be \[shortest, longest\], two numbers from 1 to 100, got \[3\]"),
        ({"char_ngrams": [5, 3]}, r"got \[5, 3\]"),
        ({"weights": "idf"}, 'weights must be "none" or "tfidf", got \'idf\''),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(ArgumentError, match=f"text.v1: .*{message}"):
        Text(**settings)


def test_columns_of_text():
    encoder = Text()
    encoder.choose(("id", "text"))
    assert encoder.reads == ("text",)
    encoder.choose(("review",))
    assert encoder.reads == ("review",)
    with pytest.raises(
        DataError, match=r'column: name the column of texts, as column = "..."; the columns are "a", "b"'
    ):
        encoder.choose(("a", "b"))
    with pytest.raises(DataError, match=r'column: no column is called "txt". Did you mean "text"'):
        Text("txt").choose(("text",))


def test_numbers_are_no_text(block):
    encoder = Text("a")
    encoder.choose(("a",))
    with pytest.raises(DataError, match=r"data.csv: a: expected text, got float64; columns.v1 takes numbers"):
        encoder.fit(block(a=np.zeros(2)))


def test_texts_without_a_common_word_are_told():
    with pytest.raises(DataError, match="min_count: no word is in 2 training texts or more: lower it"):
        fitted(["a", "b", "c", "d"])


@pytest.mark.parametrize("weights", ["none", "tfidf"])
def test_a_saved_encoder_comes_back(weights):
    encoder = fitted(word_ngrams=2, char_ngrams=[2, 3], lower=False, max_length=9, weights=weights)
    states, arrays = encoders.pack({"features": ("text.v1", encoder)})
    again = encoders.unpack(states, arrays)["features"]
    for found, expected in zip(*(parts(each.encode(Block({"text": TEXTS}))) for each in (again, encoder)), strict=True):
        np.testing.assert_array_equal(found.data, expected.data)
        np.testing.assert_array_equal(found.lengths, expected.lengths)
    assert again.n_ids == encoder.n_ids


def parts(rows: Ragged | tuple[Ragged, Ragged]) -> tuple[Ragged, ...]:
    return rows if isinstance(rows, tuple) else (rows,)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("buckets", 1 << 40),
        ("buckets", "many"),
        ("word_ngrams", 0),
        ("char_ngrams", "x"),
        ("column", None),
        ("weights", "x"),
    ],
)
def test_a_damaged_state_is_refused(key, value):
    state, arrays = fitted(weights="tfidf").to_state()
    with pytest.raises(ModelFileError, match=key):
        Text.from_state({**state, key: value}, arrays)


def test_damaged_arrays_and_settings_are_refused():
    state, arrays = fitted(weights="tfidf").to_state()
    for kept in (arrays["kept"][::-1], arrays["kept"] - 2**40, arrays["kept"] + 2**40, arrays["kept"].astype(float)):
        with pytest.raises(ModelFileError, match="kept must be different buckets in their order"):
            Text.from_state(state, {**arrays, "kept": kept})
    with pytest.raises(ModelFileError, match="idf"):
        Text.from_state(state, {**arrays, "idf": arrays["idf"][:-1]})
    with pytest.raises(ModelFileError, match="settings"):
        Text.from_state({**state, "more": 1}, arrays)
