from __future__ import annotations

import numpy as np
import pytest

from trainer_cli.data.block import Block, Places
from trainer_cli.data.dataset import fit, load, stream
from trainer_cli.data.encoders.columns import Columns
from trainer_cli.data.encoders.labels import Labels
from trainer_cli.data.encoders.multilabel import Multilabel
from trainer_cli.data.encoders.numbers import Numbers
from trainer_cli.data.labelled import LabelledReader, labelled, told
from trainer_cli.data.readers.csv import CSVReader
from trainer_cli.errors import DataError

TABLE = "a,kind\n1,x\n2,\n3,NA\n4,y\n5,x\n6, \n"


class Blocks:
    """A reader of one block, or several."""

    def __init__(self, *blocks):
        self._blocks = blocks

    def columns(self):
        return tuple(self._blocks[0].columns)

    def blocks(self):
        return iter(self._blocks)


def test_rows_without_a_target_are_in_no_pass_and_counted_once(write):
    features, target = Columns(), Labels("kind", missing="skip")
    target.choose(("a", "kind"))
    reader = labelled(CSVReader(write(TABLE)), target)
    assert fit(reader, features, target) == 3
    data = load(reader, features, target)
    assert target.names == ("x", "y")
    assert data.Y.tolist() == [0, 1, 0]
    assert [data.place(row)[1] for row in range(3)] == [2, 5, 6]
    assert [data.number(row) for row in range(3)] == [0, 3, 4]
    assert [len(batch.rows) for batch in stream(reader, features, target, 2)] == [2, 1]
    assert features._numeric.mean.tolist() == [10 / 3]  # of rows 1, 4 and 5 alone
    assert told(reader) == ["3 rows without a target left out"]
    assert told(reader, "data.dev") == ["data.dev: 3 rows without a target left out"]


def test_a_word_for_a_gap_is_a_label_where_gaps_are_mistakes(write):
    reader, target = CSVReader(write("a,kind\n1,x\n3,NA\n")), Labels("kind")
    fit(reader, Columns(), target)
    assert target.names == ("NA", "x")
    assert told(labelled(reader, target)) == []


def test_gaps_of_numbers_are_left_out_too():
    reader = Blocks(Block({"a": ["1", "2", "3"], "y": np.array([1.0, np.nan, 3.0])}))
    target = Numbers("y", missing="skip")
    target.choose(("a", "y"))
    assert fit(labelled(reader, target), Columns(), target) == 2
    assert target.mean.tolist() == [2.0]


def test_whole_numbers_that_became_floats_beside_gaps_are_labels():
    reader = Blocks(Block({"a": ["1", "2", "3"], "y": np.array([10.0, np.nan, 3.0])}))
    target = Labels("y", missing="skip")
    target.choose(("a", "y"))
    fit(labelled(reader, target), Columns(), target)
    assert target.names == ("3", "10")


def test_what_else_a_reader_has_is_there_still(write):
    path = write(TABLE)
    reader = LabelledReader(CSVReader(path), "kind")
    assert (reader.files(), reader.settings()["header"]) == ((path,), True)
    assert not hasattr(LabelledReader(Blocks(), "kind"), "files")


def test_rows_none_of_which_has_a_target_are_a_mistake():
    blocks = [Block({"y": ["", "NA"]}, Places("a.csv", range(2, 4))), Block({"y": [""]}, Places("a.csv", range(4, 5)))]
    with pytest.raises(DataError, match=r"a\.csv: y: none of the 3 rows has a value to learn from or to score by"):
        list(LabelledReader(Blocks(*blocks), "y").blocks())


def test_data_without_the_column_are_left_as_they_are():
    block = Block({"a": ["1", ""]})
    assert list(LabelledReader(Blocks(block), "y").blocks()) == [block]


def test_an_empty_list_is_a_gap_where_one_label_is_wanted_and_none_where_several_may_be():
    reader, several, one = Blocks(Block({"y": [["a"], []]})), Multilabel("y"), Labels("y", missing="skip")
    for target in (several, one):
        target.choose(("y",))
    assert labelled(reader, several) is reader
    assert [block.columns["y"] for block in labelled(reader, one).blocks()] == [[["a"]]]


def test_of_numbers_unknown_is_a_gap_and_of_classes_a_class():
    rows = Blocks(Block({"a": ["1", "2", "3"], "y": ["1.5", "unknown", "#N/A"]}, Places("a.csv", range(2, 5))))
    for target, kept in ((Numbers("y", missing="skip"), ["1.5"]), (Labels("y", missing="skip"), ["1.5", "unknown"])):
        target.choose(("a", "y"))
        assert [text for block in labelled(rows, target).blocks() for text in block.columns["y"]] == kept
