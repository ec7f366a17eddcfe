from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli.data import dataset as dataset_module
from trainer_cli.data.block import Block, Places
from trainer_cli.data.dataset import encoded, fit, load, stream
from trainer_cli.data.encoders.arrays import Arrays
from trainer_cli.data.encoders.columns import Columns
from trainer_cli.data.encoders.labels import Labels
from trainer_cli.data.encoders.tags import Tags
from trainer_cli.data.encoders.tokens import Tokens
from trainer_cli.data.readers.csv import CSVReader
from trainer_cli.data.readers.idx import IdxReader
from trainer_cli.errors import DataError


def table(n: int, seed: int = 0) -> str:
    draw = np.random.Generator(np.random.PCG64(seed))
    rows = zip(draw.normal(size=(n, 2)).tolist(), draw.integers(0, 3, n).tolist(), strict=True)
    return "a,b,kind\n" + "".join(f"{a},{b},k{kind}\n" for (a, b), kind in rows)


def test_training_data_is_read_fitted_and_encoded(write):
    path = write('a,kind,b\n1,"x\ny",10\n3,z,10\n')
    reader, features, target = CSVReader(path), Columns(), Labels("kind")
    assert fit(reader, features, target) == 2
    data = load(reader, features, target)
    assert (data.n, data.weights) == (2, None)
    assert data.X.tolist() == [[-1, 0], [1, 0]]
    assert data.Y.tolist() == [0, 1]
    assert (data.X.dtype, data.Y.dtype, data.X.flags.c_contiguous) == (np.float32, np.int64, True)
    assert [data.place(row) for row in range(2)] == [(str(path), 2), (str(path), 4)]


def test_rows_know_their_lines_over_many_blocks(write):
    reader, features, target = CSVReader(write(table(10_000))), Columns(), Labels("kind")
    data = load(reader, features, target, fit(reader, features, target))
    assert [data.place(row)[1] for row in (0, 4095, 4096, 9999)] == [2, 4097, 4098, 10_001]
    np.testing.assert_allclose(data.X.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(data.X.std(axis=0), 1, atol=1e-6)


def assert_dev_is_seen_through_training_statistics(write):
    train, dev = CSVReader(write("a,label\n0,x\n2,y\n", "train.csv")), CSVReader(write("a,label\n9,x\n", "dev.csv"))
    features, target = Columns(), Labels()
    fit(train, features, target)
    assert load(dev, features, target).X.tolist() == [[8.0]]
    assert load(train, features, target).X.tolist() == [[-1.0], [1.0]]


def test_encoders_are_fitted_on_training_rows_alone(write):
    assert_dev_is_seen_through_training_statistics(write)


def test_statistics_that_take_in_dev_rows_would_be_noticed(write, monkeypatch):
    encode = Columns.encode

    def fit_and_encode(self, block):
        self.fit(block)
        self.finish_fit()
        return encode(self, block)

    monkeypatch.setattr(Columns, "encode", fit_and_encode)
    with pytest.raises(AssertionError):
        assert_dev_is_seen_through_training_statistics(write)


def test_features_never_see_the_target(write):
    reader, features = CSVReader(write("a,y\n1,2\n2,3\n")), Columns()
    fit(reader, features, Labels("y"))
    assert features.reads == ("a",)
    with pytest.raises(DataError, match=r'features\.columns: no column is called "y"'):
        fit(reader, Columns(columns=["a", "y"]), Labels("y"))


def test_mistakes_of_reader_features_and_target_are_told_together_by_line(write):
    path = write("a,label\n1,x\nbad,x\n3\n4,\nnan,\n")
    with pytest.raises(DataError) as caught:
        fit(CSVReader(path), Columns(), Labels())
    assert str(caught.value) == "\n".join(
        [
            f'{path}:3: a: expected a number, got "bad"',
            f"{path}:4: expected 2 values as in the header, got 1",
            f'{path}:5: label: the label is empty; missing = "skip" in [target] leaves such rows out',
            f'{path}:6: label: the label is empty; missing = "skip" in [target] leaves such rows out',
            f'{path}:6: a: the value is missing, "nan"; fill it in or leave the column or row out; '
            "or let numbers.v1 fill it in, in a section [features.*.NAME]",
        ]
    )


def test_dev_data_with_mistakes_gives_no_rows_after_the_first(write):
    features, target = Columns(), Labels("kind")
    fit(CSVReader(write(table(100))), features, target)
    good = table(5000).splitlines()
    path = write("\n".join([*good[:3], "1,2,k9", *good[3:], "1,2,k7", "x,2,k0"]), "dev.csv")
    seen = encoded(CSVReader(path), features, target)
    with pytest.raises(DataError) as caught:
        next(seen)
    assert [(problem.line, problem.where) for problem in caught.value.problems] == [
        (4, "kind"),
        (5003, "kind"),
        (5004, "a"),
    ]


def test_a_column_that_dev_lacks_is_told_once(write):
    features, target = Columns(), Labels("kind")
    fit(CSVReader(write(table(10))), features, target)
    path = write("a,kind\n" + "1,k0\n" * 9000, "dev.csv")
    with pytest.raises(DataError) as caught:
        load(CSVReader(path), features, target)
    assert str(caught.value) == f'{path}:1: b: the column is missing. The columns are "a", "kind"'


class NoRows:
    """A reader of a user's that gives nothing."""

    def columns(self):
        return ("a", "label")

    def blocks(self):
        return iter(())


def test_no_rows_are_an_error(write):
    features, target = Columns(), Labels()
    with pytest.raises(DataError, match="the data has no rows"):
        fit(NoRows(), features, target)
    fit(CSVReader(write("a,label\n1,x\n")), features, target)
    for read in (load, lambda *arguments: list(stream(*arguments, 4))):
        with pytest.raises(DataError, match="the data has no rows"):
            read(NoRows(), features, target)


def test_fitting_may_stop_early(write):
    features, target = Columns(), Labels("kind")
    assert fit(CSVReader(write(table(9000))), features, target, max_rows=10) == 4096


class Cut:
    """Rows 0 to n - 1 in blocks of given sizes."""

    def __init__(self, sizes):
        self.sizes = sizes

    def columns(self):
        return ("X", "Y")

    def blocks(self):
        start = 0
        for size in self.sizes:
            rows = np.arange(start, start + size)
            yield Block({"X": rows[:, None] * 1.0, "Y": rows % 2}, Places("rows"), start)
            start += size


@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.integers(1, 40))
def test_a_stream_gives_every_row_once_in_order_whatever_the_blocks(sizes, batch_size):
    reader, features, target = Cut(sizes), Arrays("X"), Labels("Y")
    fit(reader, features, target)
    batches = list(stream(reader, features, target, batch_size))
    n = sum(sizes)
    assert [len(batch.X) for batch in batches[:-1]] == [batch_size] * ((n - 1) // batch_size)
    assert np.concatenate([batch.X[:, 0] for batch in batches]).tolist() == list(range(n))
    assert np.concatenate([batch.rows for batch in batches]).tolist() == list(range(n))
    np.testing.assert_array_equal(np.concatenate([b.Y for b in batches]), load(reader, features, target).Y)


def assert_a_stream_takes_constant_memory(write):
    features, target = Columns(), Labels("kind")
    few, many = CSVReader(write(table(8_192), "few.csv")), CSVReader(write(table(40_960), "many.csv"))
    fit(few, features, target)

    def peak(reader):
        tracemalloc.start()
        for _ in stream(reader, features, target, 1024):
            pass
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(few)  # the first run pays for what Python keeps for itself
    assert peak(many) < 1.05 * peak(few)


def test_a_stream_takes_constant_memory(write):
    assert_a_stream_takes_constant_memory(write)


def test_a_stream_that_loads_everything_would_be_noticed(write, monkeypatch):
    monkeypatch.setattr(dataset_module, "encoded", lambda *arguments: list(encoded(*arguments)))
    with pytest.raises(AssertionError):
        assert_a_stream_takes_constant_memory(write)


def test_texts_are_not_kept(write):
    reader, features, target = CSVReader(write(table(20_000))), Columns(), Labels("kind")
    n = fit(reader, features, target)
    tracemalloc.start()
    data = load(reader, features, target, n)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept < 1.2 * (data.X.nbytes + data.Y.nbytes)


def test_images_are_read_into_float32(write_idx):
    images = np.arange(10 * 28 * 28, dtype=np.uint16).astype(np.uint8).reshape(10, 28, 28)
    reader, features, target = IdxReader(*write_idx(images, np.arange(10), ".gz")), Arrays(), Labels()
    data = load(reader, features, target, fit(reader, features, target))
    np.testing.assert_array_equal(data.X[..., 0], images / np.float32(255))
    assert target.names == tuple("0123456789")
    assert data.place(3) == (str(reader.images), 0)


class Sentences:
    """A reader of sentences and tags."""

    def __init__(self, *rows: tuple[str, str]):
        self.rows = rows

    def columns(self) -> tuple[str, ...]:
        return ("tokens", "tags")

    def blocks(self):
        columns = {name: [row[i].split() for row in self.rows] for i, name in enumerate(self.columns())}
        yield Block(columns, Places("data.conll", range(1, 1 + len(self.rows))))


def test_a_row_with_more_tokens_than_tags_is_told_with_its_line():
    good, bad = Sentences(("a b", "X Y"), ("", "")), Sentences(("a b", "X Y"), ("a b c", "X"), ("", "Y"))
    features, target = Tokens(), Tags()
    fit(good, features, target)
    data = load(good, features, target)
    assert (data.n, data.X.lengths.tolist(), data.Y.data.tolist()) == (2, [2, 0], [0, 1])
    with pytest.raises(DataError) as caught:
        load(bad, features, target)
    assert str(caught.value) == ("data.conll:2: tags: 1 tag for 3 tokens\ndata.conll:3: tags: 1 tag for 0 tokens")


def test_lengths_that_nobody_compares_would_be_noticed(monkeypatch):
    monkeypatch.setattr(dataset_module, "check_lengths", lambda *_: None)
    with pytest.raises(pytest.fail.Exception):
        test_a_row_with_more_tokens_than_tags_is_told_with_its_line()
