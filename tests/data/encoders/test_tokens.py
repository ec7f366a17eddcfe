from __future__ import annotations

import numpy as np
import pytest

from trainer_cli.data import encoder as encoders
from trainer_cli.data.block import Block
from trainer_cli.data.encoders import tokens as module
from trainer_cli.data.encoders.tokens import Tokens, attribute
from trainer_cli.errors import DataError


def made(*columns: str, column: str | None = None) -> Tokens:
    encoder = Tokens(column)
    encoder.choose(columns)
    return encoder


def encode(*rows: list[str]) -> np.ndarray:
    found = made("tokens").encode(Block({"tokens": list(rows)}))
    assert found.lengths.tolist() == [len(row) for row in rows]
    return found.data


def test_each_word_has_four_hashes():
    found = encode(["Apollo", "apollo"], [], ["Athena"])
    assert (found.shape, found.dtype) == ((3, 4), np.int64)
    assert (found >= 0).all()
    same = lambda a, b: (found[a] == found[b]).tolist()  # noqa: E731
    assert same(0, 1) == [True, False, True, False]  # NORM, PREFIX, SUFFIX, SHAPE
    assert same(0, 2) == [False, True, False, True]


def test_attributes_of_one_text_do_not_meet():
    assert len(set(encode(["x"])[0].tolist())) == 4


def test_attributes_are_chosen_by_name():
    block = Block({"tokens": [["Walked", "walking", "WALKED", "a"]]})
    encoder = Tokens("tokens", ["ORTH", "LOWER", "PREFIX2", "PREFIX", "SUFFIX2", "SUFFIX", "SUFFIX3", "SHAPE"])
    encoder.choose(("tokens",))
    found = encoder.encode(block).data
    assert found.shape == (4, 8) == (4, encoder.width)
    equal = [(found[0] == found[row]).tolist() for row in (1, 2)]
    assert equal[0] == [False, False, False, False, False, False, False, False]
    assert equal[1] == [False, True, False, True, False, False, False, False]
    (lower,) = np.flatnonzero(found[2] == encode(["walked"])[0, 0])
    assert lower == 1
    np.testing.assert_array_equal(found[:, 5], found[:, 6])
    np.testing.assert_array_equal(found[:, [3, 5, 7]], encode(["Walked", "walking", "WALKED", "a"])[:, 1:])
    assert attribute("SUFFIX2", "Walked") == "\0sed"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], r"attributes: expected names among NORM, .*, got \[\]"),
        ("NORM", r"attributes: expected names among NORM, .*, got 'NORM'"),
        (["NORMS"], r"attributes: expected names among NORM, .*, got 'NORMS'. Did you mean NORM\?"),
        (["PREFIX0"], r"got 'PREFIX0'"),
        (["NORM", "NORM"], r"attributes: each name must be there once, got NORM, NORM"),
        ([1], r"got 1"),
    ],
)
def test_attributes_that_are_none_are_refused(names, message):
    with pytest.raises(DataError, match=message):
        Tokens("tokens", names)


def test_a_text_is_split_as_text_v1_does():
    words = made("text").encode(Block({"text": ["Don't panic!", ""]}))
    assert words.lengths.tolist() == [3, 0]
    np.testing.assert_array_equal(words.data, encode(["Don't", "panic", "!"]))


def test_words_are_remembered_within_limits(monkeypatch):
    encoder = made("tokens")
    rows = [["a", "b"], ["c", "d", "a"], ["b", "e"]]
    expected = [encoder.encode(Block({"tokens": [row]})).data for row in rows]
    monkeypatch.setattr(module, "MOST_KEPT", 3)
    limited = made("tokens")
    for row, found in zip(rows, expected, strict=True):
        np.testing.assert_array_equal(limited.encode(Block({"tokens": [row]})).data, found)


def test_columns_of_tokens():
    assert made("tags", "words").reads == ("words",)
    assert made("sentence").reads == ("sentence",)
    with pytest.raises(
        DataError, match=r'column: name the column of tokens, as column = "..."; the columns are "a", "b"'
    ):
        made("a", "b")
    with pytest.raises(DataError, match=r'column: no column is called "tokns". Did you mean "tokens"'):
        made("tokens", column="tokns")
    with pytest.raises(DataError, match=r"tokens: expected tokens or text; columns.v1 takes numbers"):
        made("tokens").fit(Block({"tokens": np.zeros(2)}))


@pytest.mark.parametrize("attributes", [None, ["SUFFIX4", "ORTH"]])
def test_a_saved_encoder_comes_back(attributes):
    first = Tokens("tokens", attributes)
    first.choose(("tokens",))
    states, arrays = encoders.pack({"features": ("tokens.v1", first)})
    again = encoders.unpack(states, arrays)["features"]
    block = Block({"tokens": [["some", "words"]]})
    np.testing.assert_array_equal(again.encode(block).data, first.encode(block).data)
    assert again.width == first.width == len(attributes or "four")
