from __future__ import annotations

import datetime
import decimal
import os
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet as pq

from trainer_cli.data.readers import parquet as parquet_module
from trainer_cli.data.readers.parquet import ParquetReader
from trainer_cli.errors import ArgumentError, DataError

SUFFIXES = [".parquet", ".arrow"]
every_kind = pytest.mark.parametrize("suffix", SUFFIXES)


@pytest.fixture
def save(tmp_path):
    """Write a table under a name that ends in a suffix, and return its path."""

    def save_file(table: pa.Table | dict, suffix: str = ".parquet", name: str = "data", rows: int = 5000) -> Path:
        table = table if isinstance(table, pa.Table) else pa.table(table)
        path = tmp_path / f"{name}{suffix}"
        if suffix == ".parquet":
            pq.write_table(table, path, row_group_size=rows)
        else:
            with pa.ipc.new_file(path, table.schema) as writer:
                writer.write_table(table, max_chunksize=rows)
        return path

    return save_file


def fails(path: Path, **arguments) -> str:
    with pytest.raises(DataError) as caught:
        list(ParquetReader(path, **arguments).blocks())
    return str(caught.value)


@every_kind
def test_columns_keep_their_kinds(save, suffix):
    path = save(
        {
            "text": pa.array(["a", None, "ü"]),
            "large": pa.array(["a", "", "b"], pa.large_string()),
            "kind": pa.array(["x", "y", None]).dictionary_encode(),
            "whole": pa.array([1, 2, 3], pa.int16()),
            "gaps": pa.array([1, None, 3]),
            "real": pa.array([0.5, None, 1], pa.float32()),
            "exact": pa.array([decimal.Decimal("1.25"), None, decimal.Decimal("2.50")]),
            "flag": pa.array([True, False, True]),
            "flags": pa.array([True, None, False]),
            "day": pa.array([datetime.date(2024, 2, 29), None, datetime.date(1999, 1, 1)]),
            "time": pa.array([datetime.datetime(2024, 1, 1, 12)] * 3, pa.timestamp("ms")),
            "moment": pa.array([datetime.datetime(2024, 1, 1, 12, 0, 0, 250_000)] * 3, pa.timestamp("ms", "UTC")),
            "nothing": pa.nulls(3),
            "tokens": pa.array([["a", "b"], None, ["c", None]]),
            "vector": pa.array([[1, 2], [3, 4], [5, None]], pa.list_(pa.float32(), 2)),
        },
        suffix,
    )
    (block,) = ParquetReader(path).blocks()
    found = block.columns
    assert found["text"] == ["a", "", "ü"]
    assert (found["large"], found["kind"]) == (["a", "", "b"], ["x", "y", ""])
    assert (found["whole"].dtype, found["whole"].tolist()) == (np.int16, [1, 2, 3])
    np.testing.assert_array_equal(found["gaps"], [1, np.nan, 3])
    np.testing.assert_array_equal(found["real"], [0.5, np.nan, 1])
    np.testing.assert_array_equal(found["exact"], [1.25, np.nan, 2.5])
    assert found["flag"] == ["true", "false", "true"]
    assert found["flags"] == ["true", "", "false"]
    assert found["day"] == ["2024-02-29", "", "1999-01-01"]
    assert found["time"][0] == "2024-01-01 12:00:00"
    assert found["moment"][0] == "2024-01-01 12:00:00.250Z"
    assert found["nothing"] == ["", "", ""]
    assert block.tokens("tokens") == [["a", "b"], [], ["c", ""]]
    np.testing.assert_array_equal(found["vector"], [[1, 2], [3, 4], [5, np.nan]])
    assert ParquetReader(path).columns() == tuple(found)
    assert str(block.problem(1, "text", "odd")) == f"{path}: text[1]: odd"


@every_kind
def test_rows_come_in_blocks_whatever_the_groups_of_the_file(save, suffix):
    for group in (100, 3000, 100_000):
        path = save({"i": np.arange(10_000)}, suffix, rows=group)
        blocks = list(ParquetReader(path, limit=9_000).blocks())
        assert np.concatenate([block.columns["i"] for block in blocks]).tolist() == list(range(9_000))
        assert max(map(len, blocks)) <= 4096
        assert [block.start for block in blocks] == np.cumsum([0, *map(len, blocks)])[:-1].tolist()


@every_kind
def test_columns_are_chosen_by_their_whole_names(save, suffix):
    path = save({"a": [1], "a.b": [2], "c": [3], "__index_level_0__": [9]}, suffix)
    assert ParquetReader(path).columns() == ("a", "a.b", "c")
    (block,) = ParquetReader(path, columns=["c", "a"]).blocks()
    assert {name: values.tolist() for name, values in block.columns.items()} == {"c": [3], "a": [1]}
    assert fails(path, columns=["d"]).startswith('columns: the data have no column "d".')


def test_files_of_both_kinds_are_one_table(save, tmp_path):
    save({"a": [1, 2]}, ".arrow", "1")
    save({"a": [3]}, ".parquet", "2")
    blocks = list(ParquetReader(tmp_path / "?.*").blocks())
    assert [block.columns["a"].tolist() for block in blocks] == [[1, 2], [3]]
    odd = save({"b": [3]}, ".parquet", "3")
    assert fails(tmp_path / "?.*").startswith(f"{odd}: the columns must be those of {tmp_path / '1.arrow'}")


@every_kind
@pytest.mark.parametrize(
    ("column", "message"),
    [
        (
            pa.array([{"x": 1}]),
            "x: expected texts, numbers or lists of these, got struct<x: int64>; choose others: col",
        ),
        (pa.array([b"x"]), "x: expected texts, numbers or lists of these, got binary"),
        (pa.array([[[1]]]), "x: expected lists of texts or numbers, got list<"),
        (pa.array([[1, 2], [1]]), "x[1]: lists of numbers must have one length, 2 as the first; got [1]"),
        (pa.array([[1], None]), "x[1]: lists of numbers must have one length, 1 as the first; got None"),
        (pa.array([[], []], pa.list_(pa.int64())), "x[0]: lists of numbers must have one length, 0 as the first"),
    ],
)
def test_what_no_column_can_hold_is_told(save, suffix, column, message):
    path = save({"x": column, "y": ["a"] * len(column)}, suffix)
    assert fails(path).startswith(f"{path}: {message}")
    assert len(list(ParquetReader(path, columns=["y"]).blocks())) == 1


@every_kind
def test_what_is_wrong_with_a_file_is_told(save, write, suffix, tmp_path):
    kind = suffix[1:]
    content = save({"a": ["x"] * 100}, suffix).read_bytes()
    for wrong in (
        b"",
        b"a,b\n1,2\n",
        content[:-10],
        content[:4] + bytes(len(content) - 4),
        content[len(content) // 2 :],
    ):
        path = write(wrong, f"x{suffix}")
        assert fails(path).startswith(f"{path}: the file is damaged or no {kind}: ")
    path = save({"a": pa.array([], pa.string())}, suffix)
    assert fails(path) == f"{path}: the file has no rows"
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    assert "columns need names of their own" in fails(save(twice, suffix))
    os.mkfifo(tmp_path / f"pipe{suffix}")
    for path in (tmp_path, tmp_path / f"pipe{suffix}"):
        assert fails(path) == f"path: expected a regular file, got {path}"
    assert fails(tmp_path / f"no{suffix}") == f"path: no file is there: {tmp_path / f'no{suffix}'}"
    assert fails(Path("-")) == "path: this reader takes a file, not standard input"


def test_a_missing_package_names_its_extra(save, monkeypatch):
    path = save({"a": [1]})
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ArgumentError, match=r"a parquet or arrow file needs pyarrow.*'trainer-cli\[parquet\]'$"):
        ParquetReader(path).columns()


@every_kind
@given(data=st.data())
def test_a_few_changed_bytes_are_refused_in_one_way_or_read(save, suffix, data):
    path = save({"a": ["x", "yy", None], "b": [1, 2, None], "c": [["p"], [], ["q", "r"]]}, suffix)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        list(ParquetReader(path).blocks())
    except DataError as err:
        refusal = err
    else:
        return
    assert all(problem.path == str(path) for problem in refusal.problems)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
ROWS = st.lists(st.tuples(TEXTS, st.integers(-(2**63), 2**63 - 1), st.lists(TEXTS)), min_size=1)


@every_kind
@given(rows=ROWS)
def test_what_pyarrow_writes_comes_back(save, suffix, rows):
    texts, numbers, tokens = map(list, zip(*rows, strict=True))
    types = {"a": pa.string(), "b": pa.int64(), "c": pa.list_(pa.string())}
    columns = {
        name: pa.array(values, types[name]) for name, values in zip("abc", (texts, numbers, tokens), strict=True)
    }
    (block,) = ParquetReader(save(columns, suffix)).blocks()
    assert (block.columns["a"], block.columns["b"].tolist(), block.tokens("c")) == (texts, numbers, tokens)


def assert_memory_stays_flat(save, suffix):
    peaks = []
    for n in (20_000, 80_000):
        path = save({"a": ["x" * 100] * n, "b": np.arange(n)}, suffix, f"{n}")
        before, peak = pa.total_allocated_bytes(), 0
        tracemalloc.start()
        for block in ParquetReader(path).blocks():
            peak = max(peak, pa.total_allocated_bytes() - before + tracemalloc.get_traced_memory()[0])
            assert len(block)
        tracemalloc.stop()
        peaks.append(peak)
    assert peaks[1] < 1.3 * peaks[0]


@every_kind
def test_memory_does_not_grow_with_the_file(save, suffix, assert_streams):
    assert_memory_stays_flat(save, suffix)
    assert_streams(lambda n: ParquetReader(save({"a": ["x"] * n}, suffix)))


@every_kind
def test_a_reader_that_reads_the_whole_table_would_be_noticed(save, suffix, monkeypatch):
    kind = parquet_module.ParquetTable if suffix == ".parquet" else parquet_module.ArrowTable
    batches = kind.batches
    monkeypatch.setattr(kind, "batches", lambda self, names: iter(list(batches(self, names))))
    with pytest.raises(AssertionError):
        assert_memory_stays_flat(save, suffix)


def test_booleans_are_spelled_alike_with_and_without_nulls(tmp_path):
    for name, values in (("whole", [True, False]), ("gaps", [True, None])):
        pq.write_table(pa.table({"flag": pa.array(values, pa.bool_())}), tmp_path / f"{name}.parquet")
    (whole,), (gaps,) = (list(ParquetReader(tmp_path / f"{name}.parquet").blocks()) for name in ("whole", "gaps"))
    assert (whole.columns["flag"], gaps.columns["flag"]) == (["true", "false"], ["true", ""])


def test_a_whole_number_that_floats_have_not_is_refused_beside_nulls(tmp_path):
    pq.write_table(pa.table({"id": pa.array([1, None, (1 << 60) + 1], pa.int64())}), tmp_path / "x.parquet")
    with pytest.raises(DataError, match=r"x\.parquet: id\[2\]: 1152921504606846977 is beyond 2\^53"):
        list(ParquetReader(tmp_path / "x.parquet").blocks())


@every_kind
def test_columns_that_are_not_used_may_hold_anything_and_go_along_where_json_has_it(save, suffix):
    unused = {
        "large": pa.array([1, None, (1 << 60) + 1], pa.int64()),
        "inside": pa.array([{"x": 1}, {"x": None}, None]),
        "picture": pa.array([b"x", None, b"y"]),
    }
    path = save({"a": pa.array([1.5, 2, 3]), **unused}, suffix)
    reader = ParquetReader(path)
    reader.narrow(["a"])
    block = next(reader.blocks())
    assert block.columns["a"].tolist() == [1.5, 2, 3]
    assert all(block.columns[name] == ["", "", ""] for name in unused)
    assert block.records == [
        {"a": 1.5, "large": 1, "inside": {"x": 1}, "picture": None},
        {"a": 2.0, "large": None, "inside": {"x": None}, "picture": None},
        {"a": 3.0, "large": (1 << 60) + 1, "inside": None, "picture": None},
    ]
    reader.narrow(["a", "inside"])
    with pytest.raises(DataError, match="inside: expected texts, numbers or lists of these, got struct"):
        next(reader.blocks())
