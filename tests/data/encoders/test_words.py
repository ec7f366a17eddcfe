from __future__ import annotations

import doctest

import pytest

from trainer_cli.data.encoders import words as module
from trainer_cli.data.encoders.words import Remembered, pieces, shape, word_hash, words


def test_examples_give_what_they_show():
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        (" \n\t ", []),
        ("It's 3.50\u20ac, isn\u2019t it?", ["It's", "3", ".", "50", "\u20ac", ",", "isn\u2019t", "it", "?"]),
        ("'quoted' rock'n'roll'", ["'", "quoted", "'", "rock'n'roll", "'"]),
        (
            "\u0939\u093f\u0928\u094d\u0926\u0940 na\u0131\u0308ve",
            ["\u0939\u093f\u0928\u094d\u0926\u0940", "na\u0131\u0308ve"],
        ),
        ("good\U0001f600\U0001f600", ["good", "\U0001f600", "\U0001f600"]),
        ("\u4f60\u597d\u3002\u4e16\u754c\uff01", ["\u4f60\u597d", "\u3002", "\u4e16\u754c", "\uff01"]),
        ("snake_case a\u00a0b", ["snake_case", "a", "b"]),
    ],
)
def test_words_of_many_scripts(text, found):
    assert words(text) == found


def test_nothing_but_space_is_lost():
    text = "Any text: x^2 + (y - 1) <br/> \u2014 \u00bfqu\u00e9? \ud800"
    assert "".join(words(text)) == "".join(text.split())


def test_hashes_are_the_same_in_every_process():
    assert (word_hash("word"), word_hash("\ud800")) == (5388385342621995557, 3748893510854247457)


def test_pieces_of_a_word_by_hand():
    grams = ["<t", "to", "o>", "<to", "to>"]
    assert pieces("to", 2, 9) == tuple(module.crc32(gram.encode()) for gram in grams)
    assert pieces("", 3, 3) == ()


@pytest.mark.parametrize(
    ("word", "found"), [("", ""), ("AAAAAAA", "XXXX"), ("aaaaB12345c", "xxxxXddddx"), ("\u4f60\u597d", "xx")]
)
def test_shapes(word, found):
    assert shape(word) == found


def test_what_is_remembered_is_asked_once(monkeypatch):
    asked = []
    remembered = Remembered(lambda word: asked.append(word) or len(word))
    assert [remembered[word] for word in ("a", "bb", "a")] == [1, 2, 1]
    assert asked == ["a", "bb"]
    monkeypatch.setattr(module, "MOST_KEPT", 2)
    assert [remembered[word] for word in ("ccc", "ccc")] == [3, 3]
    assert len(remembered) == 2
