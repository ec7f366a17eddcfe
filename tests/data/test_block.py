from __future__ import annotations

import numpy as np
import pytest

from trainer_cli.data.block import Block, Places, listing
from trainer_cli.errors import DataError


def test_places_are_lines_or_rows():
    lined = Block({"a": ["x", "y"]}, Places("f.csv", np.array([2, 5])), start=7)
    assert lined.place(1) == ("f.csv", 5)
    assert str(lined.problem(1, "a", "odd")) == "f.csv:5: a: odd"
    bare = Block({"a": ["x", "y"]}, Places("f.npz"), start=7)
    assert bare.place(1) == ("f.npz", 0)
    assert str(bare.problem(1, "a", "odd")) == "f.npz: a[8]: odd"


def test_without_hides_columns(block):
    rows = block(a=["1"], b=["2"])
    assert dict(rows.without(["b", "c"]).columns) == {"a": ["1"]}
    assert rows.without(["b"]).place(0) == rows.place(0)


def test_columns_of_a_block_have_one_length_and_a_known_kind():
    with pytest.raises(DataError, match=r"must have the same length, got \{'a': 1, 'b': 2\}"):
        Block({"a": ["1"], "b": ["1", "2"]}, Places("f"))
    for odd in ([1.0, 2.0], ("a", "b")):
        with pytest.raises(DataError, match=r"a column is a list of texts or a numpy array, .* got a as"):
            Block({"a": odd}, Places("f"))


def test_a_column_of_tokens_has_a_list_of_texts_a_row(block):
    rows = block(tokens=[["a", "b"], [], ["c"]], text=["x", "y", "z"])
    assert rows.tokens("tokens") == [["a", "b"], [], ["c"]]
    assert rows.values("text") == ["x", "y", "z"]
    with pytest.raises(DataError, match=r"data.csv:1: tokens: the column has a list of texts in each row"):
        rows.values("tokens")
    with pytest.raises(DataError, match=r"data.csv:1: text: expected a list of texts in each row, got text"):
        rows.tokens("text")
    with pytest.raises(DataError, match=r"n: expected a list of texts in each row, got float64 \(2,\)"):
        Block({"n": np.zeros(2)}).tokens("n")


@pytest.mark.parametrize("odd", [[["a"], "b"], [["a"], 1], [[], [1]], [("a",)]])
def test_a_row_of_tokens_that_is_no_list_of_texts_is_refused(odd):
    with pytest.raises(DataError, match="or has a list of texts a row, got tokens as list"):
        Block({"tokens": odd})


def test_a_listing_of_many_names_is_cut():
    assert listing(["a", "b"]) == '"a", "b"'
    assert listing([str(i) for i in range(15)]).endswith('"11" and 3 more')


@pytest.mark.parametrize("texts", [np.array(["a", "bc"]), np.array(["a", "bc"], object)])
def test_arrays_of_texts_are_lists(texts):
    assert Block({"x": texts}).columns == {"x": ["a", "bc"]}
    assert Block({"x": np.array([1, "a"], object)}).columns["x"].dtype == object
