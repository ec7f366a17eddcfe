from __future__ import annotations

import csv
import gzip
import io
import os
import random
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli.data.block import Block
from trainer_cli.data.faults import Faults
from trainer_cli.data.readers import csv as csv_module
from trainer_cli.data.readers.conll import ConllReader
from trainer_cli.data.readers.csv import CSVReader
from trainer_cli.data.readers.jsonl import JSONLReader
from trainer_cli.errors import ArgumentError, DataError

WriteFile = Callable[..., Path]


def rows_of(path: Path, **arguments: Any) -> list[tuple[int, tuple[str, ...]]]:
    """Every row with its line."""
    found = []
    for block in CSVReader(path, **arguments).blocks():
        values = zip(*block.columns.values(), strict=True)
        found += [(block.place(i)[1], row) for i, row in enumerate(values)]
    return found


def fails(path: Path, **arguments: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        rows_of(path, **arguments)
    return caught.value


def test_rows_come_as_columns_of_text_with_their_lines(write):
    path = write("a,b\n1,x\n2,y\n")
    (block,) = CSVReader(path).blocks()
    assert block.columns == {"a": ["1", "2"], "b": ["x", "y"]}
    assert (len(block), block.start) == (2, 0)
    assert [block.place(i) for i in range(2)] == [(str(path), 2), (str(path), 3)]
    assert CSVReader(path).columns() == ("a", "b")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\n1,2", [(2, ("1", "2"))]),
        ("a,b\r\n1,2\r\n3,4\r\n", [(2, ("1", "2")), (3, ("3", "4"))]),
        ("\ufeffa,b\n1,2\n", [(2, ("1", "2"))]),
        ("a,b\n\n1,2\n\n\n3,4\n\n", [(3, ("1", "2")), (6, ("3", "4"))]),
        ('a,b\n"1\n\n1",2\n3,4\n', [(2, ("1\n\n1", "2")), (5, ("3", "4"))]),
        ('a,b\n"1\r\n1",2\r\n3,4\r\n', [(2, ("1\r\n1", "2")), (4, ("3", "4"))]),
        ('"a\nx",b\n1,2\n', [(3, ("1", "2"))]),
        ('a,b\n"say ""no""","1,5"\n', [(2, ('say "no"', "1,5"))]),
        ("a,b\n,\n", [(2, ("", ""))]),
        ("\n\na,b\n1,2\n", [(4, ("1", "2"))]),
        ("ä,b\nö,日本\n", [(2, ("ö", "日本"))]),
    ],
)
def test_lines_are_those_an_editor_shows(write, text, rows):
    assert rows_of(write(text)) == rows


def test_a_byte_order_mark_is_no_part_of_the_first_name(write):
    assert CSVReader(write("\ufeffa,b\n1,2\n")).columns() == ("a", "b")


@pytest.mark.parametrize("name", ["data.tsv", "data.TSV", "data.tsv.gz"])
def test_names_that_end_in_tsv_are_split_at_tabs(write, name):
    text = b"a\tb\n1,5\t2\n"
    path = write(gzip.compress(text) if name.endswith("gz") else text, name)
    assert rows_of(path) == [(2, ("1,5", "2"))]


def test_a_delimiter_that_is_given_holds(write):
    assert rows_of(write("a;b\n1,5;2\n", "data.tsv"), delimiter=";") == [(2, ("1,5", "2"))]


@pytest.mark.parametrize(
    ("text", "name", "rows"),
    [
        ("a;b\n1,5;2\n", "data.csv", [(2, ("1,5", "2"))]),
        ("a\tb\n1,5\t2\n", "data.csv", [(2, ("1,5", "2"))]),
        ("a|b\n1,5|2\n", "data.csv", [(2, ("1,5", "2"))]),
        ("a;b\tc\n1,5;2\n", "data.csv", [(2, ("1,5", "2"))]),
        ("a,b\n1;2,3\n", "data.tsv", [(2, ("1;2", "3"))]),
        ('"a;b"\n1;2\n', "data.csv", [(2, ("1;2",))]),
        ("a;b,c\n1;2,3\n", "data.csv", [(2, ("1;2", "3"))]),
        ("a\n1;2\n", "data.csv", [(2, ("1;2",))]),
    ],
)
def test_another_delimiter_is_taken_where_the_usual_one_leaves_the_header_whole(write, text, name, rows):
    path = write(text, name)
    assert rows_of(path) == rows
    assert CSVReader(path).settings()["delimiter"] is None


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-be", "utf-32", "shift_jis"])
def test_another_encoding_is_taken_at_its_word(write, encoding):
    text = "a,b\r\n1,2\r\n" + ("ü,x\n" if encoding != "shift_jis" else "日本,x\n") + '"p\nq",3\n'
    rows = rows_of(write(text.encode(encoding)), text_encoding=encoding)
    assert rows == [(2, ("1", "2")), (3, (text[10:-11], "x")), (4, ("p\nq", "3"))]


@pytest.mark.parametrize(
    ("encoding", "content", "message"),
    [
        ("cp1252", b"a\n1\nx\x81\n", "3: the file must be text in cp1252, got byte 0x81 at position 2 of the line"),
        ("ascii", b"a\n1\n\xe4\n", "3: the file must be text in ascii, got byte 0xe4 at position 1 of the line"),
        ("utf-16-le", "a\n1\n".encode("utf-16-le") + b"\x00\xdc\n\0", "3: the file must be UTF-16-LE text, got byte"),
        ("utf-16", "a\n1\n".encode("utf-16-be") + b"\xdc\x00\0\n", "3: the file must be UTF-16 text, got byte"),
        ("utf-16", "a\n1\n".encode("utf-16")[:-1], "2: the file must be UTF-16 text, got byte 0x0a"),
    ],
)
def test_a_wrong_byte_of_another_encoding_is_told_by_its_line(write, encoding, content, message):
    if encoding == "utf-16" and content[:2] == b"\0a":
        content = b"\xfe\xff" + content
    path = write(content)
    assert str(fails(path, text_encoding=encoding)).startswith(f"{path}:{message}")


@pytest.mark.parametrize("encoding", ["utf-9", "base64", "rot13", "undefined", "", 8, None, "a\0b"])
def test_an_encoding_that_is_none_is_refused(encoding):
    with pytest.raises(ArgumentError, match="text_encoding: no text encoding is called"):
        CSVReader(Path("data.csv"), text_encoding=encoding)


def test_json_lines_are_no_table(write):
    assert str(fails(path := write('{"a": 1, "b": "x"}\n'))) == (
        f'{path}:1: the file looks like JSON, an object a line: take @readers = "jsonl.v1"'
    )


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("\n\n\na;b\n1;2\n", [(5, ("1", "2"))]),
        ('"a\nof";"b,\n\nc"\n1;2\n', [(5, ("1", "2"))]),
        ("\n" * 30 + "a,b\n1,2\n", [(32, ("1", "2"))]),
    ],
)
def test_the_delimiter_is_that_of_the_header_wherever_it_begins_and_ends(write, text, rows):
    assert rows_of(write(text, "data.csv")) == rows


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n", "\0", 3])
def test_a_delimiter_is_one_character(delimiter):
    with pytest.raises(ArgumentError, match="delimiter: a delimiter is one character"):
        CSVReader(Path("data.csv"), delimiter)


def test_gzip_gives_the_same_blocks_and_a_reader_can_be_iterated_again(write):
    text = "a,b\n" + "".join(f"{i},{i * 2}\n" for i in range(5000))
    plain, packed = CSVReader(write(text)), CSVReader(write(gzip.compress(text.encode()), "data.csv.gz"))
    for _ in range(2):
        assert [b.columns for b in plain.blocks()] == [b.columns for b in packed.blocks()]
    assert [(b.start, len(b)) for b in plain.blocks()] == [(0, 4096), (4096, 904)]


def test_wide_rows_come_in_smaller_blocks(write):
    wide = "x" * 100_000
    blocks = list(CSVReader(write("a\n" + f"{wide}\n" * 100)).blocks())
    assert max(len(block) for block in blocks) < 50
    assert sum(len(block) for block in blocks) == 100


TITLE = (
    ":1{}: this line has one value, the rows after it have {}: if it is a title and no header, skip = {} leaves out "
    "what is above"
)
NAMELESS = ":1: 2 of 3 columns have no name; does the file have a header row? If not, set header = false"
AS_UTF_8 = '; save it as UTF-8, or set text_encoding = "cp1252" if it is that'
WRONG = [
    (b"", ": the file is empty; its first row must name the columns"),
    (b"\n\n", ": the file is empty; its first row must name the columns"),
    (b"a,b\n", ":1: the file has a header but no rows"),
    (b"a,b\n\n\n", ":1: the file has a header but no rows"),
    (b"a,b,a\n1,2,3\n", ':1: two columns are named "a"; does the file have a header row? If not, set header = false'),
    (b"a,,\n1,2,3\n", NAMELESS),
    (b"a, , \n1,2,3\n", NAMELESS),
    (b"Sales\nx,y\n1,2\n3,4\n", TITLE.format("", 2, 1)),
    (b"\n# a\n# b\n\nx;y;z\n1;2;3\n", ":2" + TITLE.format("", 3, 4)[2:]),
    (b"text\na, b\n", ":2: expected 1 values as in the header, got 2; if that is a title, skip = 1 leaves it out"),
    (b"PK\x03\x04\x14,\n", ":1: the file is a zip archive or a spreadsheet (.xlsx): save the table as CSV"),
    (b"a,b\n1,2\n3\n", ":3: expected 2 values as in the header, got 1"),
    (b"a,b\n1,2,3\n4,5\n", ":2: expected 2 values as in the header, got 3"),
    (b'a,b\n"1\n1",2\n3\n', ":4: expected 2 values as in the header, got 1"),
    (b"a,b\n1,\x00\n", ":2: a NUL byte stands in the line; the file is damaged or no text"),
    (
        b"a,b\n1,2\n1,\xff\n",
        ":3: the file must be UTF-8 text, got byte 0xff at position 3 of the line" + AS_UTF_8,
    ),
    (
        b"a,\xe4\n1,2\n",
        ":1: the file must be UTF-8 text, got byte 0xe4 at position 3 of the line" + AS_UTF_8,
    ),
    (b"\xff\xfea\x00,\x00b\x00\n\x00", ':1: the file is UTF-16; set text_encoding = "utf-16", or save it as UTF-8'),
    (b'a,b\n1,2\n"3,4\n5,6\n', ":3: a quote opened here is never closed: nothing from here on was read"),
    (b'"a,b\n1,2\n', ":1: a quote opened here is never closed: nothing from here on was read"),
    (
        b'a,b\n1,"2"x\n',
        ':2: after a closing quote the next value must follow; write "" for a quote inside quotes',
    ),
    (b"a,b\r1,2\r", ":1: a carriage return stands inside the line; end lines with LF or CRLF"),
    (b"a,b\n" + b"1," * (1 << 21) + b"1\n", ":2: the line is longer than 4 MiB; is a line end missing?"),
    (
        b'a,b\n"' + b"1,2\n" * (1 << 21),
        ":2: a row is longer than 4 MiB; is a quote left open? Nothing from here on was read",
    ),
]


@pytest.mark.parametrize(("content", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_is_wrong_is_told_with_its_line(write, content, message):
    path = write(content)
    assert str(fails(path)) == f"{path}{message}"


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("1,2\n3,4\n", [(1, ("1", "2")), (2, ("3", "4"))]),
        ("\n1;2,5\n1;3\n4;5\n", [(2, ("1", "2,5")), (3, ("1", "3")), (4, ("4", "5"))]),
        ('1,1\n"a\nb",\n,x\n', [(1, ("1", "1")), (2, ("a\nb", "")), (4, ("", "x"))]),
        (",\n1,2\n", [(1, ("", "")), (2, ("1", "2"))]),
    ],
)
def test_without_a_header_the_first_row_is_a_row_and_columns_have_numbers(write, text, rows):
    path = write(text)
    assert rows_of(path, header=False) == rows
    assert CSVReader(path, header=False).columns() == ("column1", "column2")
    assert len(rows_of(write("a,b\n1,2\n"))) == 1  # a header is none


WITHOUT_HEADER = [
    (b"", ": the file is empty; it has no rows"),
    (b"1,2\n3\n", ":2: expected 2 values as in the first row, got 1"),
    (b"PAR1,\n", ':1: the file looks like parquet: take @readers = "parquet.v1"'),
]


@pytest.mark.parametrize(("content", "message"), WITHOUT_HEADER, ids=[message for _, message in WITHOUT_HEADER])
def test_what_is_wrong_without_a_header_is_told_with_its_line(write, content, message):
    path = write(content)
    assert str(fails(path, header=False)) == f"{path}{message}"


def test_a_header_is_there_or_not(write):
    with pytest.raises(ArgumentError, match=r"header is true .* or false, got 'no'"):
        CSVReader(write("a\n1\n"), header="no")


def test_files_without_a_header_follow_one_another(write):
    write("1,2\n", "p1.csv")
    reader = CSVReader(write("3,4\n", "p2.csv").with_name("p*.csv"), header=False, columns=["column2"])
    assert [block.columns for block in reader.blocks()] == [{"column2": ["2"]}, {"column2": ["4"]}]
    assert reader.settings()["header"] is False


def test_a_row_that_is_no_text_is_told_once_and_not_read_on(write):
    path = write(b'a,label\n1,gr\xf6\xdfe\n2,"ok\n\xff"\n3,x\n')
    blocks = CSVReader(path).blocks()
    assert next(blocks).columns == {"a": ["3"], "label": ["x"]}
    with pytest.raises(DataError, match=r":2: .* got byte 0xf6 .*\n.*:4: .* got byte 0xff"):
        next(blocks)


def test_columns_alone_finds_what_is_wrong_with_a_header(write):
    for content, message in WRONG:
        if message.startswith((":1: two", ":1: 2 of", ":1: this", ": the file", ":1: a quote", ":1: the file must")):
            with pytest.raises(DataError) as caught:
                CSVReader(write(content)).columns()
            assert message in str(caught.value)


def test_the_first_ten_mistakes_are_shown_and_all_are_counted(write):
    path = write("a,b\n" + "1\n1,2,3\n" * 2500)
    error = fails(path)
    assert [problem.line for problem in error.problems] == list(range(2, 12))
    assert str(error).endswith("... and 4990 more, 5000 mistakes in all")


def test_a_file_in_another_encoding_is_one_line_though_its_bytes_and_their_positions_differ(write):
    texts = [f"{'x' * i}{'äöü'[i % 3]}" for i in range(51)]
    path = write(b"a,b\n" + "".join(f"{text},1\n" for text in texts).encode("latin-1"))
    (line,) = str(fails(path)).splitlines()
    assert line.startswith(f"{path}:2: the file must be UTF-8 text, got byte 0xe4 at position 1 of the line; save it")
    assert line.endswith(
        'text_encoding = "cp1252" if it is that; the same in lines 3, 4, 5, 6, 7 and 45 more, 51 mistakes in all'
    )


def test_another_mistake_after_many_alike_ones_is_not_told_to_be_the_same(write):
    """It is none of the ten that are shown."""
    lines = str(fails(write("a,b\n" + "1\n" * 20 + "1,2,3\n"))).splitlines()
    assert (len(lines), lines[-1]) == (11, "... and 11 more, 21 mistakes in all")


def test_mistakes_of_different_kinds_come_in_the_order_of_lines(write):
    error = fails(write(b"a,b\n1\n1,\xff\n1,2,3\n1,\x00\n"))
    assert [problem.line for problem in error.problems] == [2, 3, 4, 5]


def test_a_missing_file_names_the_argument_and_the_path(tmp_path):
    error = fails(tmp_path / "no.csv")
    assert str(error) == f"path: no file is there: {tmp_path / 'no.csv'}"
    assert (error.problems[0].where, error.problems[0].path) == ("path", "")


def test_what_is_no_regular_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path, tmp_path / "pipe.csv", Path("/dev/zero")):
        assert str(fails(path)) == f"path: expected a regular file, got {path}"
    assert "cannot read" in str(fails(tmp_path / ("x" * 300)))
    assert "cannot read" in str(fails(Path("a\0b.csv")))


@pytest.mark.parametrize("damage", ["cut", "flip", "plain", "tail"])
def test_a_damaged_gzip_stream_is_a_data_error(write, damage):
    packed = bytearray(gzip.compress(b"a,b\n" + b"1,2\n" * 1000))
    if damage == "cut":
        del packed[-10:]
    elif damage == "flip":
        packed[-8] ^= 1
    elif damage == "plain":
        packed = bytearray(b"a,b\n1,2\n")
    else:
        packed += b"more"
    assert "the gzip stream is damaged or cut off" in str(fails(write(bytes(packed), "data.csv.gz")))


def read_on(path: Path, reader: type[Any] = CSVReader) -> tuple[list[int], list[int]]:
    """The lines of the rows that are read, and of the mistakes."""
    lines: list[int] = []
    faults = Faults()
    for block in faults.watch(reader(path).blocks()):
        lines += (block.place(row)[1] for row in range(len(block)))
    return lines, [problem.line for problem in faults.first]


STRAY = {
    "a stray quote": b'x,"ma"le\n',
    "two stray quotes": b'"a"b,"c"d\n',
    "a carriage return": b"x,y\rz\n",
    "a line above the limit": b"x," + b"y" * (1 << 22) + b"\n",
}


@pytest.mark.parametrize("line", STRAY.values(), ids=STRAY)
def test_after_a_line_with_a_mistake_the_next_one_is_read(write, line):
    assert read_on(write(b"a,b\n1,2\n" + line + b"3,4\n5,6\n")) == ([2, 4, 5], [3])


def test_a_quote_left_open_costs_the_rows_up_to_the_next_quote(write):
    path = write('a,b\n1,"2\n3,4\n5,"6"\n7,8\n')
    assert read_on(path) == ([5], [2])
    assert str(fails(path)).endswith('write "" for a quote inside quotes (in line 4)')


def test_what_a_quote_left_open_to_the_end_hides_is_told(write):
    path = write('a,b\n1,2\n3,"4\n5,6\n')
    assert read_on(path) == ([2], [3])
    assert str(fails(path)).endswith("nothing from here on was read")


def test_lines_above_the_limit_cost_no_other_row_of_any_reader_of_lines(write):
    long = b"y" * (1 << 22)
    objects = write(b'{"a": 1}\n{"a": "' + long + b'"}\n{"a": 3}\n', "data.jsonl")
    assert read_on(objects, JSONLReader) == ([1, 3], [2])
    sentences = write(b"a X\n\nb X\n" + long + b" X\n\nc X\n", "data.conll")
    assert read_on(sentences, ConllReader) == ([1, 6], [4])


def test_a_value_of_more_than_the_csv_module_takes_is_one(write):
    text = "y" * 200_000
    assert rows_of(write(f"a,b\n1,{text}\n")) == [(2, ("1", text))]


def test_a_reader_that_ends_at_a_mistake_would_be_noticed(write, monkeypatch):
    monkeypatch.setattr(csv_module, "_next", lambda rows, lines, start, n_above: next(rows, None))
    with pytest.raises(csv.Error):
        read_on(write('a,b\n"1"1,2\n3,4\n'))


# What a planted mistake does to a good row, and what is said of it.
MISTAKES = {
    "short": (lambda row: row[:-1], "expected 3 values"),
    "long": (lambda row: [*row, "1"], "expected 3 values"),
    "undecodable": (lambda row: [row[0], "\udcff", row[2]], "must be UTF-8"),
    "nul": (lambda row: [row[0], "\0", row[2]], "NUL byte"),
    "quote": (lambda row: ['"1"1', *row[1:]], "closing quote"),
    "open": (lambda row: ['"1', *row[1:]], "never closed"),
    "huge": (lambda row: ["1" * (1 << 22), *row[1:]], "longer than"),
}


def plant(rng: random.Random, mistake: str) -> tuple[bytes, int]:
    """A table with quoted newlines and empty lines here and there, and one mistake; its line."""
    lines, n_rows, bad = ["a,b,c"], rng.randrange(1, 40), 0
    # After a quote that is left open nothing may close it.
    place = n_rows - 1 if mistake == "open" else rng.randrange(n_rows)
    for i in range(n_rows):
        row = [rng.choice(["1", '"2"', '"x\ny"', '"\n\n"', '"a ""b"""', "ü"]) for _ in range(3)]
        if i == place:
            bad = sum(line.count("\n") + 1 for line in lines) + 1
            row = MISTAKES[mistake][0]([str(rng.random()) for _ in range(3)])
        lines.append(",".join(row))
        lines += [""] * (rng.random() < 0.1)
    text = rng.choice(["\n", "\r\n"]).join(lines)
    return text.encode("utf-8", "surrogateescape"), bad


def assert_located(write: WriteFile, seed: int, mistake: str) -> None:
    content, line = plant(random.Random(seed), mistake)
    path = write(content)
    error = fails(path)
    assert (error.problems[0].path, error.problems[0].line) == (str(path), line)
    assert MISTAKES[mistake][1] in error.problems[0].message


@given(seed=st.integers(0, 2**32), mistake=st.sampled_from(sorted(MISTAKES)))
def test_a_planted_mistake_is_found_at_its_line(write, seed, mistake):
    assert_located(write, seed, mistake)


def test_counting_rows_for_lines_would_be_noticed(write, monkeypatch):
    class RowCount:
        """A csv.reader whose line_num counts rows, as if no quoted newline existed."""

        def __init__(self, *args, **kwargs):
            self.rows, self.line_num = csv.reader(*args, **kwargs), 0

        def __iter__(self):
            return self

        def __next__(self):
            self.line_num += 1
            return next(self.rows)

    monkeypatch.setattr(csv_module, "rows_in", lambda lines, delimiter: RowCount(lines, delimiter=delimiter))
    with pytest.raises(AssertionError):
        assert_located(write, 4, "short")


@given(content=st.binary(max_size=200), packed=st.booleans())
def test_any_bytes_are_read_or_refused_in_one_way(write, content, packed):
    reader = CSVReader(write(gzip.compress(content) if packed else content, "data.csv.gz" if packed else "data.csv"))
    try:
        reader.columns()
        assert all(len(block) > 0 for block in reader.blocks())
    except DataError as err:
        refusal = err
    else:
        return
    assert len(str(refusal).splitlines()) <= 20
    assert all(problem.path for problem in refusal.problems)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(cells=st.lists(st.lists(TEXT, min_size=2, max_size=2), min_size=1))
def test_what_the_csv_module_writes_comes_back(write, cells):
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([["a", "b"], *cells])
    assert [list(row) for _, row in rows_of(write(buffer.getvalue()))] == cells


def peak_while_streaming(blocks: Iterator[Block]) -> int:
    tracemalloc.start()
    for _ in blocks:
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def assert_memory_stays_flat(write: WriteFile) -> None:
    few, many = (write("a,b\n" + "1.25,name\n" * n, f"{n}.csv") for n in (10_000, 60_000))
    peak_while_streaming(CSVReader(few).blocks())  # the first run pays for what Python keeps for itself
    assert peak_while_streaming(CSVReader(many).blocks()) < 1.05 * peak_while_streaming(CSVReader(few).blocks())


def test_memory_does_not_grow_with_the_file(write):
    assert_memory_stays_flat(write)


def test_a_reader_that_keeps_its_blocks_would_be_noticed(write, monkeypatch):
    stream = CSVReader.blocks
    monkeypatch.setattr(CSVReader, "blocks", lambda self: iter(list(stream(self))))
    with pytest.raises(AssertionError):
        assert_memory_stays_flat(write)


def test_a_line_without_end_in_a_small_gzip_file_takes_little_memory(write):
    path = write(gzip.compress(b"a,b\n" + b"1" * (1 << 26)), "data.csv.gz")
    tracemalloc.start()
    error = fails(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "the line is longer than 4 MiB" in str(error)
    assert peak < 1 << 25


def test_at_takes_a_file_or_a_directory_that_holds_one(write, tmp_path):
    path = write("a,b\n1,2\n", "one.csv")
    write("not data", "readme.txt")
    assert CSVReader.at(tmp_path, delimiter=";").settings() == {
        "delimiter": ";",
        "text_encoding": "utf-8",
        "header": True,
        "skip": 0,
    }
    assert CSVReader.at(tmp_path).files() == (path,)
    assert CSVReader.at(path).files() == (path,)
    write("a,b\n1,2\n", "two.csv")
    with pytest.raises(DataError, match=r"exactly one file .* found 2: one.csv, two.csv. Name the file itself"):
        CSVReader.at(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('x;c;"na,me";label\n1;2;3;a\n4;5;6;b\n', ("x", "c", "na,me", "label")),
        ("x, in cm;c;label\n1,5;2;a\n4,5;5;b\n", ("x, in cm", "c", "label")),
        ('a,"b;c"\n1,2\n3,4\n', ("a", "b;c")),
        ("a,b\n1\n2\n", ("a", "b")),  # no delimiter fits: the mistakes are told of the usual one
    ],
)
def test_the_delimiter_is_that_which_cuts_header_and_rows_alike(tmp_path, text, expected):
    (tmp_path / "x.csv").write_text(text)
    assert CSVReader(tmp_path / "x.csv").columns() == expected


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        (",x,y\n0,1,a\n1,2,b\n", ("column1", "x", "y"), [("0", "1", "a"), ("1", "2", "b")]),
        ("x;y;class;\n1;2;a;\n3;4;b;\n", ("x", "y", "class", "column4"), [("1", "2", "a", ""), ("3", "4", "b", "")]),
        ("sep=;\nx;y\n1,5;2\n", ("x", "y"), [("1,5", "2")]),
        ('\n"sep=|"\nx;y|z\n1|2\n', ("x;y", "z"), [("1", "2")]),
    ],
)
def test_columns_without_a_name_and_a_delimiter_that_is_told(write, text, names, rows):
    path = write(text)
    assert CSVReader(path).columns() == names
    assert [row for _, row in rows_of(path)] == rows
    assert CSVReader(path).unnamed() == tuple(name for name in names if name.startswith("column"))


def test_lines_above_the_header_are_left_out_and_counted(write):
    path = write('A title, and "more\n\nx,y\n1,2\n3\n"1"x,2\n')
    assert fails(path, skip=1).problems[0].line == 5
    assert str(fails(path, skip=1)).splitlines() == [
        f"{path}:5: expected 2 values as in the header, got 1",
        f'{path}:6: after a closing quote the next value must follow; write "" for a quote inside quotes',
    ]
    assert rows_of(write("A title\nx,y\n1,2\n", "b.csv"), skip=1) == [(3, ("1", "2"))]
    assert rows_of(write("A title\n1,2\n", "c.csv"), skip=1, header=False) == [(2, ("1", "2"))]
    for wrong in (-1, True, "1"):
        with pytest.raises(ArgumentError, match="skip: skip is how many lines stand above the header, a whole number"):
            CSVReader(path, skip=wrong)


def test_a_column_of_texts_with_delimiters_is_no_title(write):
    assert rows_of(write("text\na;b\nc;d\ne;f\n")) == [(2, ("a;b",)), (3, ("c;d",)), (4, ("e;f",))]


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("x, y ,z\n1, 2 , a b \n", [["x", "y", "z"], ["1", "2", "a b"]]),
        ('x,y\n" 1 ", "a ,\n b " \n', [["x", "y"], [" 1 ", "a ,\n b "]]),
        ('x,y\n5" ,"a ""b ,"\n 1 ,2\n', [["x", "y"], ['5"', 'a "b ,'], ["1", "2"]]),
        ('x;y\n"a\nb ;\n" ;c \r\n', [["x", "y"], ["a\nb ;\n", "c"]]),
    ],
)
def test_blanks_around_a_value_are_no_part_of_it_but_in_quotes(write, text, cells):
    path = write(text)
    assert [list(CSVReader(path).columns()), *(list(row) for _, row in rows_of(path))] == cells


def test_blanks_count_where_they_are_the_delimiter(write):
    assert rows_of(write("x y\n1 2\n"), delimiter=" ") == [(2, ("1", "2"))]


VALUE = st.text(st.sampled_from('a ,"\n;'), max_size=6)


@given(cells=st.lists(st.lists(VALUE, min_size=2, max_size=2), min_size=1), quoting=st.sampled_from([0, 1]))
def test_only_blanks_outside_of_quotes_are_lost(write, cells, quoting):
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=quoting).writerows([["a", "b"], *cells])
    kept = quoting or any(char in value for row in cells for value in row for char in ',"\n')
    found = [list(row) for _, row in rows_of(write(buffer.getvalue()))]
    same = [[value.strip(" ") for value in row] for row in cells]
    assert [[value.strip(" ") for value in row] for row in found] == same
    assert found == cells if quoting else kept or found == same
