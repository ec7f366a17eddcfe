from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli.data.block import Block
from trainer_cli.data.encoders.multilabel import LEFT_OUT, Multilabel
from trainer_cli.errors import DataError, ModelFileError, ShapeError


def fitted(*blocks: Block, **arguments: str) -> Multilabel:
    encoder = Multilabel("tags", **arguments)
    encoder.choose(tuple(blocks[0].columns))
    for block in blocks:
        encoder.fit(block)
    encoder.finish_fit()
    return encoder


def test_labels_become_flags_in_the_order_of_code_points(block):
    encoder = fitted(block(tags=["b;a", ""]), block(tags=[" B ; b;"]))
    assert encoder.names == ("B", "a", "b")
    assert (encoder.counts, encoder.width, encoder.reads) == ((1, 1, 2), 3, ("tags",))
    flags = encoder.encode(block(tags=["b; a", "", "b;b"]))
    assert flags.tolist() == [[0, 1, 1], [0, 0, 0], [0, 0, 1]]
    assert flags.dtype == np.float32


def test_lists_of_texts_are_labels(block):
    encoder = fitted(block(tags=[["b", "a;c"], []]))
    assert encoder.names == ("a;c", "b")
    assert encoder.encode(block(tags=[[], ["b"]])).tolist() == [[0, 0], [0, 1]]


def test_another_separator(block):
    assert fitted(block(tags=["b, a", "c;d"]), separator=",").names == ("a", "b", "c;d")


def test_decode_gives_the_labels_from_their_threshold_on(block):
    encoder = fitted(block(tags=["a;b;c"]))
    outputs = np.array([[0.9, 0.49, 0.5], [0.1, 0.2, 0.3]])
    assert encoder.decode(outputs) == [["a", "c"], []]
    encoder.thresholds = np.array([0.95, 0.4, 0.25])
    assert encoder.decode(outputs) == [["b", "c"], ["c"]]
    with pytest.raises(ShapeError, match=r"3 labels take outputs \(B, 3\), got \(2, 1\)"):
        encoder.decode(np.zeros((2, 1)))


@given(st.lists(st.lists(st.sampled_from(["a", "b", "c d", "é"])), min_size=1))
def test_decode_undoes_encode(rows):
    rows = [*rows, ["a", "b", "c d", "é"]]
    block = Block({"tags": rows})
    encoder = fitted(block)
    assert encoder.decode(encoder.encode(block)) == [sorted(set(row)) for row in rows]


@pytest.mark.parametrize(
    ("training", "others", "message"),
    [
        (
            ["a;b"],
            ["", "a; A"],
            'data.csv:3: tags: the label "A" is not in the training data. Did you mean "a"? ' + LEFT_OUT,
        ),
        (["ab;b"], ["x"], 'data.csv:2: tags: the label "x" is not in the training data. It had "ab", "b".'),
        (["", " ; "], [], "column: no training row has a label"),
        ([f"a{i};b{i}" for i in range(600)], [], "column: 1200 different labels, 1200 in all: hardly any comes twice"),
        (np.zeros((2, 2)), [], "data.csv:1: tags: labels are texts or lists of texts, got float64 (2, 2)"),
    ],
)
def test_what_is_no_label_is_told_with_its_line(block, training, others, message):
    with pytest.raises(DataError) as caught:
        fitted(block(tags=training)).encode(block(tags=others))
    assert str(caught.value).startswith(message)


def test_a_separator_that_does_nothing_is_refused(block):
    with pytest.raises(DataError, match="separator: separator must be a text such as"):
        Multilabel(separator=" ")
    with pytest.raises(DataError, match="tags: the column has a list of labels in each row: take separator away"):
        fitted(block(tags=[["a"]]), separator=",")


@pytest.mark.parametrize("thresholds", [None, np.array([0.25, 0.5])])
def test_state_brings_back_names_and_thresholds(block, thresholds):
    encoder = fitted(block(tags=["a,b"]), separator=",")
    encoder.thresholds = thresholds
    other = Multilabel.from_state(*encoder.to_state())
    outputs = np.array([[0.3, 0.6], [0.6, 0.3]])
    assert other.decode(outputs) == encoder.decode(outputs)
    assert (other.to_state()[0], other.names) == (encoder.to_state()[0], encoder.names)


@pytest.mark.parametrize(
    ("state", "arrays"),
    [
        ({"names": []}, {}),
        ({"names": ["a", "a"]}, {}),
        ({"counts": [1]}, {}),
        ({"separator": None}, {}),
        ({"separator": " "}, {}),
        ({}, {"thresholds": np.ones(3)}),
    ],
)
def test_a_damaged_state_is_refused(state, arrays):
    good = {"column": "tags", "names": ["a", "b"], "counts": [1, 2], "separator": ""}
    Multilabel.from_state(good, {})
    with pytest.raises(ModelFileError, match="the encoder's"):
        Multilabel.from_state({**good, **state}, arrays)


def test_an_unknown_label_has_no_flag_where_that_is_asked_for(block):
    encoder = fitted(block(tags=["a;b", "b"]), unknown="miss")
    assert encoder.encode(block(tags=["x;b", "x", "a"])).tolist() == [[0, 1], [0, 0], [1, 0]]
    again = Multilabel.from_state(*encoder.to_state())
    assert again.encode(block(tags=["x;b"])).tolist() == [[0, 1]]


def test_a_state_from_before_the_choice_refuses_unknown_labels(block):
    state, arrays = fitted(block(tags=["a;b"])).to_state()
    del state["unknown"]
    with pytest.raises(DataError, match="is not in the training data"):
        Multilabel.from_state(state, arrays).encode(block(tags=["x"]))
    with pytest.raises(ModelFileError, match="unknown must be one of"):
        Multilabel.from_state({**state, "unknown": "skip"}, arrays)
