from __future__ import annotations

import numpy as np
import pytest

from trainer_cli.arrays import Ragged
from trainer_cli.data import encoder as encoders
from trainer_cli.data.block import Block
from trainer_cli.data.encoders.tags import Tags
from trainer_cli.errors import ArgumentError, DataError, ModelFileError, ShapeError


def sentences(*lines: str) -> list[list[str]]:
    return [line.split() for line in lines]


def fitted(*blocks: Block, **arguments) -> Tags:
    encoder = Tags(**arguments)
    encoder.choose(tuple(blocks[0].columns))
    for each in blocks:
        encoder.fit(each)
    encoder.finish_fit()
    return encoder


def test_tags_are_numbered_over_all_blocks_with_their_counts(block):
    encoder = fitted(block(tags=sentences("NN VB", "")), block(tags=sentences("NN DT")))
    assert (encoder.names, encoder.counts, encoder.width, encoder.found) == (("DT", "NN", "VB"), (1, 2, 1), 3, "plain")
    found = encoder.encode(block(tags=sentences("VB", "", "DT NN")))
    assert (found.data.tolist(), found.lengths.tolist()) == ([2, 0, 1], [1, 0, 2])
    assert found.data.dtype == np.int64


def test_iob1_becomes_bio(block):
    encoder = fitted(block(tags=sentences("I-A I-A B-A O")))
    assert (encoder.found, encoder.names, encoder.counts) == ("iob1", ("B-A", "I-A", "O"), (2, 1, 1))
    assert encoder.encode(block(tags=sentences("O I-A I-A"))).data.tolist() == [2, 0, 1]


def test_a_tag_that_breaks_the_scheme_is_told_with_its_line(block):
    encoder = fitted(block(tags=sentences("B-A I-A O", "B-A O")))
    with pytest.raises(DataError) as caught:
        encoder.encode(block(tags=sentences("O", "O I-A", "I-A")))
    remedy = 'which BIO does not allow: mend the data, or set scheme = "plain" to take tags as they are'
    assert str(caught.value) == (
        f'data.csv:3: tags: "I-A" (token 2) stands after "O", {remedy}\n'
        f'data.csv:4: tags: "I-A" (token 1) stands after the beginning, {remedy}'
    )


def test_a_span_that_never_ends_is_told(block):
    encoder = fitted(block(tags=sentences("B-A L-A O")))
    with pytest.raises(DataError, match=r'data.csv:2: tags: the sentence ends after "B-A", which BILUO does not allow'):
        encoder.encode(block(tags=sentences("O B-A")))


def test_plain_takes_tags_as_they_are(block):
    encoder = fitted(block(tags=sentences("B-A O I-A")), scheme="plain")
    assert encoder.encode(block(tags=sentences("I-A"))).data.tolist() == [1]


def test_a_tag_that_training_never_had_is_told_with_the_nearest(block):
    encoder = fitted(block(tags=sentences("NNS VB")))
    with pytest.raises(
        DataError, match=r'data.csv:3: tags: the tag "NNP" is not in the training data. Did you mean "NNS"'
    ):
        encoder.encode(block(tags=sentences("VB", "VB NNP")))
    missed = fitted(block(tags=sentences("NNS VB")), unknown="miss")
    assert missed.encode(block(tags=sentences("VB NNP"))).data.tolist() == [1, -1]


def test_an_empty_tag_is_told(block):
    with pytest.raises(DataError, match=r"data.csv:2: tags: the tag of token 2 is empty"):
        fitted(block(tags=[["A", ""]]))


def test_a_column_of_texts_is_refused(block):
    with pytest.raises(DataError, match="tags: expected a list of texts in each row, got text"):
        fitted(block(tags=["A B"]))


@pytest.mark.parametrize(
    ("column", "columns", "message"),
    [
        ("tgas", ("tags",), 'column: no column is called "tgas". Did you mean "tags"?'),
        (None, ("a", "b"), 'column: name the column of tags, as column = "..."; the columns are "a", "b"'),
    ],
)
def test_a_column_that_is_not_there_names_the_argument(column, columns, message):
    with pytest.raises(DataError) as caught:
        Tags(column).choose(columns)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("settings", [{"scheme": "bioo"}, {"unknown": "skip"}])
def test_wrong_settings_are_refused(settings):
    with pytest.raises(ArgumentError, match=r"tags.v1: (scheme|unknown) must be"):
        Tags(**settings)


def test_the_best_sequence_that_keeps_the_scheme_is_decoded(block):
    encoder = fitted(block(tags=sentences("B-A I-A O")))
    outputs = Ragged(np.array([[0.1, 0.5, 0.4], [0.0, 1.0, 0.0], [0.3, 0.6, 0.1]]), np.array([2, 1]))
    assert encoder.decode(outputs) == [["B-A", "I-A"], ["B-A"]]
    plain = fitted(block(tags=sentences("B-A I-A O")), scheme="plain")
    assert plain.decode(outputs) == [["I-A", "I-A"], ["I-A"]]
    with pytest.raises(ShapeError, match=r"3 tags take ragged outputs \(sum, 3\), got \(3, 3\)"):
        encoder.decode(outputs.data)


def test_a_saved_encoder_comes_back(block):
    encoder = fitted(block(tags=sentences("I-A I-A B-A O")), unknown="miss")
    states, arrays = encoders.pack({"target": ("tags.v1", encoder)})
    again = encoders.unpack(states, arrays)["target"]
    assert (again.names, again.counts, again.found) == (encoder.names, encoder.counts, "iob1")
    assert again.encode(block(tags=sentences("I-A I-B"))).data.tolist() == [0, -1]


@pytest.mark.parametrize(
    ("key", "value"), [("scheme", "auto"), ("unknown", "x"), ("names", []), ("counts", [1]), ("column", "")]
)
def test_a_damaged_state_is_refused(key, value, block):
    state, arrays = fitted(block(tags=sentences("B-A I-A O"))).to_state()
    with pytest.raises(ModelFileError, match=key):
        Tags.from_state({**state, key: value}, arrays)
