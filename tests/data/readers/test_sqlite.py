from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli.data.readers import sqlite as sqlite_module
from trainer_cli.data.readers.sqlite import SQLiteReader
from trainer_cli.errors import ArgumentError, DataError


@pytest.fixture
def database(tmp_path):
    """Run statements on a database, a new one of this name, and return its path."""

    def make(*statements: str, name: str = "data.db", rows: object = ()) -> Path:
        path = tmp_path / name
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as connection, connection:
            for statement in ("PRAGMA synchronous = OFF", *statements):
                connection.execute(statement)
            if rows:
                connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
        return path

    return make


TABLE = "CREATE TABLE t (text, label)"
ROWS = [("a", 1), (None, 2.5), ("ü\n", "x")]


def fails(path: Path, query: str | None = None) -> str:
    with pytest.raises(DataError) as caught:
        list(SQLiteReader(path, query).blocks())
    return str(caught.value)


def test_the_only_table_is_read_as_texts(database):
    path = database(TABLE, rows=ROWS)
    reader = SQLiteReader(path)
    for _ in range(2):
        (block,) = reader.blocks()
        assert block.columns == {"text": ["a", "", "ü\n"], "label": ["1", "2.5", "x"]}
    assert reader.columns() == ("text", "label")
    assert str(block.problem(2, "text", "odd")) == f"{path}: text[2]: odd"


def test_a_query_chooses_and_names(database):
    path = database(TABLE, "CREATE TABLE other (x)", rows=ROWS)
    reader = SQLiteReader(path, "SELECT upper(text) AS word, label FROM t WHERE text = 'a'")
    assert [block.columns for block in reader.blocks()] == [{"word": ["A"], "label": ["1"]}]
    assert SQLiteReader.at(path, **reader.settings()).columns() == ("word", "label")


def test_names_of_tables_and_files_may_have_any_characters(database):
    path = database('CREATE TABLE "a ""b; --" (x)', """INSERT INTO "a ""b; --" VALUES (1)""", name="a?b#c%20.db")
    assert [block.columns for block in SQLiteReader(path).blocks()] == [{"x": ["1"]}]


def test_limit_columns_and_patterns_are_those_of_every_reader(database, tmp_path):
    database(TABLE, rows=ROWS, name="1.db")
    database(TABLE, rows=ROWS, name="2.db")
    blocks = list(SQLiteReader(tmp_path / "?.db", limit=4, columns=["label"]).blocks())
    assert [block.columns for block in blocks] == [{"label": ["1", "2.5", "x"]}, {"label": ["1"]}]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT * FROM tt", 'query: no such table: tt; the tables of {} are "t"'),
        ("SELECT txt FROM t", "query: no such column: txt; the tables of {} are "),
        ("SELEC 1", 'query: near "SELEC": syntax error; the tables'),
        ("SELECT 1; SELECT 2", "query: You can only execute one statement at a time"),
        ("SELECT text, label AS text FROM t", 'query: two columns are named "text": give one another name, as AS does'),
        ("-- nothing", "query: the query must be a SELECT, which gives rows"),
        ("SELECT * FROM t WHERE 0", "{}: the query gives no rows"),
        ("SELECT x'00' AS bytes", "{}: bytes[0]: expected a text or a number, got 1 bytes"),
        ("SELECT zeroblob(100000000) AS x", "{}: the database cannot be read: string or blob too big"),
        ("SELECT abs(-9223372036854775808) AS x", "query: integer overflow; the tables"),
        ("DELETE FROM t", "query: not authorized; the tables"),
        ("CREATE TABLE u (x)", "query: not authorized; the tables"),
        ("ATTACH DATABASE 'new.db' AS new", "query: not authorized; the tables"),
        ("PRAGMA user_version", "query: not authorized; the tables"),
        ("SELECT load_extension('x')", "query: not authorized to use function: load_extension"),
        ("VACUUM INTO 'new.db'", "query: authorization denied; the tables"),
    ],
)
def test_what_is_wrong_with_a_query_is_told(database, monkeypatch, tmp_path, query, message):
    monkeypatch.chdir(tmp_path)
    path = database(TABLE, rows=ROWS)
    before = path.read_bytes()
    assert fails(path, query).startswith(message.format(path))
    assert (path.read_bytes(), sorted(os.listdir())) == (before, ["data.db"])


def test_which_table_is_meant_must_be_clear(database):
    path = database(TABLE, "CREATE VIEW v AS SELECT 1")
    assert (
        fails(path) == f'query: {path} has the tables "t", "v": say what to read, as query = "SELECT ... FROM ..." does'
    )
    path = database("CREATE TABLE x (a)", "DROP TABLE x")
    assert fails(path).startswith(f"query: {path} has no tables: say what to read")


def test_what_is_no_database_or_no_file_is_told(database, write, tmp_path):
    for content in (b"", b"a,b\n1,2\n", b"SQLite format 3"):
        path = write(content, "x.db")
        assert fails(path) == f"{path}: the file is no SQLite database"
    os.mkfifo(tmp_path / "pipe.db")
    for path in (tmp_path, tmp_path / "pipe.db"):
        assert fails(path) == f"path: expected a regular file, got {path}"
    assert fails(tmp_path / "no.db") == f"path: no file is there: {tmp_path / 'no.db'}"
    assert fails(Path("-")) == "path: this reader takes a file, not standard input"
    path = write(database(TABLE, rows=ROWS * 500).read_bytes()[:6000], "cut.db")
    assert fails(path).startswith(f"{path}: the database cannot be read: ")


@pytest.mark.parametrize("query", ["", " ", 3])
def test_a_query_is_a_text(query):
    with pytest.raises(ArgumentError, match="query: query is a text, such as"):
        SQLiteReader(Path("data.db"), query)


def test_text_that_is_none_is_told(database):
    path = database("CREATE TABLE t (text)", "INSERT INTO t VALUES (CAST(x'ff61' AS TEXT))")
    assert fails(path).startswith(f"{path}: the database cannot be read: Could not decode to UTF-8")


@given(data=st.data())
def test_a_few_changed_bytes_are_refused_in_one_way_or_read(database, data):
    path = database(TABLE, rows=ROWS * 20)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        list(SQLiteReader(path).blocks())
    except DataError as err:
        refusal = err
    else:
        return
    assert len(str(refusal).splitlines()) == 1


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | st.integers(-(2**63), 2**63 - 1)


@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1))
def test_what_is_put_in_comes_out_as_text(database, rows):
    (block,) = SQLiteReader(database(TABLE, rows=rows)).blocks()
    assert list(zip(*block.columns.values(), strict=True)) == [(str(a), str(b)) for a, b in rows]


def test_memory_does_not_grow_with_the_table(database, assert_streams):
    assert_streams(lambda n: SQLiteReader(database(TABLE, rows=(("a", i % 5) for i in range(n)))))


def test_a_reader_that_fetches_all_rows_would_be_noticed(database, assert_streams, monkeypatch):
    monkeypatch.setattr(sqlite_module, "FETCHED", 1 << 30)
    with pytest.raises(AssertionError):
        assert_streams(lambda n: SQLiteReader(database(TABLE, rows=(("a", i % 5) for i in range(n)))))


def test_bytes_in_a_column_that_is_not_used_are_left_out(database):
    path = database(TABLE, rows=[("a", b"x"), ("b", 2)])
    assert "label[0]: expected a text or a number, got 1 bytes" in fails(path)
    reader = SQLiteReader(path)
    reader.narrow(["text"])
    block = next(reader.blocks())
    assert block.columns == {"text": ["a", "b"], "label": ["", "2"]}
    assert block.records == [{"text": "a", "label": None}, {"text": "b", "label": 2}]
