from __future__ import annotations

import numpy as np
import pytest

from trainer_cli.data.block import Block
from trainer_cli.data.encoders.classes import MISS
from trainer_cli.data.encoders.labels import Labels, in_order
from trainer_cli.errors import DataError, ModelFileError, ShapeError


def fitted(*blocks: Block, column: str | None = None) -> Labels:
    encoder = Labels(column)
    encoder.choose(tuple(blocks[0].columns))
    for block in blocks:
        encoder.fit(block)
    encoder.finish_fit()
    return encoder


def test_labels_are_numbered_in_order_over_all_blocks(block):
    encoder = fitted(block(kind=["b", "c"]), block(kind=["a", "b"]), column="kind")
    assert encoder.names == ("a", "b", "c")
    assert (encoder.n_classes, encoder.width, encoder.reads) == (3, 3, ("kind",))
    numbers = encoder.encode(block(kind=["c", "a", "b"]))
    assert numbers.tolist() == [2, 0, 1]
    assert numbers.dtype == np.int64


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        (["10", "9", "-1", "2.5"], ("-1", "2.5", "9", "10")),
        (["1", "01", "1.0"], ("01", "1", "1.0")),
        (["10", "9", "x"], ("10", "9", "x")),
        (["nan", "2", "10"], ("10", "2", "nan")),
        (["b", "B", "a", "ä"], ("B", "a", "b", "ä")),
    ],
)
def test_the_order_is_by_number_where_all_are_numbers_and_by_code_points_else(labels, order):
    assert in_order(labels) == in_order(reversed(labels)) == order


def test_a_truth_value_is_one_label_in_each_spelling_and_is_predicted_as_training_spelt_it(block):
    encoder = fitted(block(kind=["True", "False"]), column="kind")
    assert encoder.encode(block(kind=["true", "FALSE", "False"])).tolist() == [1, 0, 0]
    assert encoder.encode(block(kind=np.array([True, False]))).tolist() == [1, 0]
    assert encoder.decode(np.array([[0.1, 0.9]])) == ["True"]
    with pytest.raises(DataError, match='the label "yes" is not in'):
        encoder.encode(block(kind=["yes"]))


def test_whole_numbers_of_an_array_are_labels(block):
    encoder = fitted(block(label=np.array([30, 4, 4, 100], np.uint8)))
    assert encoder.names == ("4", "30", "100")
    assert encoder.encode(block(label=np.array([100, 4, 30, 100]))).tolist() == [2, 0, 1, 2]
    assert encoder.encode(block(label=["30"])).tolist() == [1]


def test_a_list_in_a_row_holds_the_one_label(block):
    encoder = fitted(block(label=[["a; b"], ["c"], ["a; b"]]))
    assert encoder.names == ("a; b", "c")
    assert encoder.encode(block(label=["c", "a; b"])).tolist() == [1, 0]
    with pytest.raises(DataError, match=r"label.*: 2 labels, where one is wanted: multilabel\.v1 takes several"):
        encoder.encode(block(label=[["c"], ["c", "a; b"]]))
    with pytest.raises(DataError, match="the label is empty"):
        encoder.encode(block(label=[["c"], []]))


@pytest.mark.parametrize(("columns", "chosen"), [(("a", "label"), "label"), (("X", "Y"), "Y")])
def test_the_column_may_be_left_out_where_its_name_is_the_usual_one(columns, chosen):
    encoder = Labels()
    encoder.choose(columns)
    assert encoder.reads == (chosen,)


@pytest.mark.parametrize(
    ("column", "columns", "message"),
    [
        ("speces", ("a", "species"), 'column: no column is called "speces". Did you mean "species"?'),
        (None, ("a", "b"), 'column: name the column to predict, as column = "..."; the columns are "a", "b"'),
        (None, ("label", "Y"), "column: name the column to predict"),
    ],
)
def test_a_column_that_is_not_there_names_the_argument(column, columns, message):
    with pytest.raises(DataError) as caught:
        Labels(column).choose(columns)
    assert str(caught.value).startswith(message)


def test_a_label_that_training_never_had_is_told_with_its_line_and_the_nearest(block):
    encoder = fitted(block(label=["setosa", "virginica"]))
    with pytest.raises(DataError) as caught:
        encoder.encode(block(label=["setosa", "Setosa", "other"]))
    assert str(caught.value) == (
        'data.csv:3: label: the label "Setosa" is not in the training data. Did you mean "setosa"? ' + MISS + "\n"
        'data.csv:4: label: the label "other" is not in the training data. It had "setosa", "virginica". ' + MISS
    )


def test_a_number_that_training_never_had_is_told_with_its_row(block):
    encoder = fitted(block(label=np.array([1, 2])))
    with pytest.raises(DataError, match=r'data.npz: label\[2\]: the label "3" is not in the training data'):
        encoder.encode(block(lines=False, label=np.array([1, 2, 3, 1])))


def test_an_empty_label_is_told_with_its_line(block):
    with pytest.raises(DataError) as caught:
        fitted(block(label=["a", "", " "]))
    rule = 'the label is empty; missing = "skip" in [target] leaves such rows out'
    assert str(caught.value) == f"data.csv:3: label: {rule}\ndata.csv:4: label: {rule}"


@pytest.mark.parametrize("values", [np.array([0.5, 1]), np.zeros((2, 2), int)])
def test_other_arrays_are_no_labels(block, values):
    with pytest.raises(DataError, match="labels are text or whole numbers, one a row"):
        fitted(block(label=values))


def test_a_column_of_quantities_is_no_column_of_labels(block):
    with pytest.raises(DataError, match=r"column: 2000 different labels in 2000 rows; numbers\.v1 predicts a number"):
        fitted(block(label=[str(i) for i in range(2000)]))
    assert fitted(block(label=[str(i % 2000) for i in range(4000)])).n_classes == 2000


def test_numbers_with_fractions_are_quantities_sooner(block):
    prices = [f"{i}.5" for i in range(30)]
    with pytest.raises(DataError, match=r"column: 30 different labels in 30 rows; numbers\.v1 predicts a number"):
        fitted(block(label=prices))
    assert fitted(block(label=prices * 2)).n_classes == 30
    assert fitted(block(label=[str(i) for i in range(30)])).n_classes == 30
    assert fitted(block(label=[*prices, "none"])).n_classes == 31


def test_labels_that_differ_by_spaces_alone_are_a_slip(block):
    with pytest.raises(DataError, match="column: the labels 'a' and ' a' differ by spaces alone: make them one"):
        fitted(block(label=["a", "b"]), block(label=["A", " a"]))
    assert fitted(block(label=[" a", " b", "A"])).n_classes == 3


def test_a_label_that_is_unknown_in_many_rows_is_told_once(block):
    with pytest.raises(DataError) as caught:
        fitted(block(label=["x", "y"])).encode(block(label=["z", "x", "z", "w", "z"]))
    assert str(caught.value) == (
        'data.csv:2: label: the label "z" is not in the training data (and in 2 rows that follow). It had "x", "y". '
        f'{MISS}\ndata.csv:5: label: the label "w" is not in the training data. It had "x", "y". {MISS}'
    )


def test_decode_names_the_most_probable_and_of_equal_ones_the_first(block):
    encoder = fitted(block(label=["x", "y", "z"]))
    assert encoder.decode(np.array([[0.1, 0.2, 0.7], [0.4, 0.4, 0.2]])) == ["z", "x"]
    with pytest.raises(ShapeError, match=r"3 labels take outputs \(B, 3\), got \(2, 1\)"):
        encoder.decode(np.zeros((2, 1)))


def test_decode_undoes_encode(block):
    labels = ["b", "a", "c", "a"]
    encoder = fitted(block(label=labels))
    assert encoder.decode(np.eye(3)[encoder.encode(block(label=labels))]) == labels


def test_state_brings_back_the_names_in_order(block):
    encoder = fitted(block(label=["10", "9", "ü"]))
    other = Labels.from_state(*encoder.to_state())
    assert (other.names, other.reads) == (encoder.names, encoder.reads)
    assert other.encode(block(label=["ü"])).tolist() == [2]


@pytest.mark.parametrize(
    "state",
    [{}, {"column": "a"}, {"column": "", "names": ["x"]}, {"column": "a", "names": []}, {"column": 1, "names": ["x"]}],
)
def test_a_damaged_state_is_refused(state):
    with pytest.raises(ModelFileError):
        Labels.from_state(state, {})


def test_the_rows_of_each_label_are_counted_over_all_blocks(block):
    encoder = fitted(block(label=["b", "a", "b"]), block(label=["c", "b"]))
    assert dict(zip(encoder.names, encoder.counts, strict=True)) == {"a": 1, "b": 3, "c": 1}
    of_array = fitted(block(label=np.array([30, 4, 4, 100], np.uint8)), block(label=["4"]))
    assert dict(zip(of_array.names, of_array.counts, strict=True)) == {"4": 3, "30": 1, "100": 1}


def test_counts_are_kept_and_a_state_from_before_them_has_none(block):
    state, arrays = fitted(block(label=["b", "a", "b"])).to_state()
    assert Labels.from_state(state, arrays).counts == (1, 2)
    older = Labels.from_state({key: value for key, value in state.items() if key != "counts"}, arrays)
    assert (older.names, older.counts) == (("a", "b"), ())
    assert Labels.from_state(*older.to_state()).counts == ()


@pytest.mark.parametrize("counts", [[1], [1, 0], [1, 2.0], "12"])
def test_damaged_counts_are_refused(counts):
    with pytest.raises(ModelFileError, match="the encoder's counts must be"):
        Labels.from_state({"column": "label", "names": ["a", "b"], "counts": counts}, {})


def test_a_label_that_training_never_had_may_be_a_miss(block):
    encoder = Labels("label", unknown="miss")
    encoder.choose(("label",))
    encoder.fit(block(label=["1", "2"]))
    encoder.finish_fit()
    again = Labels.from_state(*encoder.to_state())
    for each in (encoder, again):
        assert each.encode(block(label=["2", "3", "1"])).tolist() == [1, -1, 0]
        assert each.encode(block(label=np.array([3, 1, 3, 2]))).tolist() == [-1, 0, -1, 1]
    with pytest.raises(DataError, match="the label is empty"):
        encoder.encode(block(label=["1", ""]))


def test_a_state_tells_what_becomes_of_gaps_and_one_from_before_the_choice_that_they_are_mistakes(block):
    encoder = Labels("label", missing="skip")
    encoder.choose(("label",))
    encoder.fit(block(label=["a", "b"]))
    encoder.finish_fit()
    state, arrays = encoder.to_state()
    assert Labels.from_state(state, arrays).missing == "skip"
    del state["missing"]
    assert Labels.from_state(state, arrays).missing == "error"
    with pytest.raises(ModelFileError, match="missing must be one of"):
        Labels.from_state({**state, "missing": "mean"}, arrays)


def test_a_state_from_before_the_choice_refuses_unknown_labels(block):
    older = Labels.from_state({"column": "label", "names": ["a", "b"]}, {})
    assert older.unknown == "error"
    with pytest.raises(ModelFileError, match="the encoder's unknown must be"):
        Labels.from_state({"column": "label", "names": ["a", "b"], "unknown": "skip"}, {})
