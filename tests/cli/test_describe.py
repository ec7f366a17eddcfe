import json
import os
import pty

import pytest
from commands import call, finish, start

TABLE = "id,age,zip,city,same,when,copy,label\n" + "".join(
    f"{i},{20 + i % 50},0{2000 + i % 9},{'Oslo' if i % 3 else 'Rome, Italy'!r},x,2024-01-{i % 28 + 1:02},"
    f"{i * i % 7 % 2},{'yes' if i * i % 7 % 2 else 'no'}\n".replace("'Rome, Italy'", '"Rome, Italy"')
    for i in range(200)
)


@pytest.fixture
def table(folder):
    (folder / "people.csv").write_text(TABLE)
    return folder


def shown_in(width, *words):
    """What a command shows in a terminal of some width."""
    ours, theirs = pty.openpty()
    process = start(*words, stdout=theirs, stderr=theirs, env={"COLUMNS": str(width), "TERM": "xterm"})
    os.close(theirs)
    read = b""
    try:
        while part := os.read(ours, 4096):
            read += part
    except OSError:  # Linux: the other side is closed
        pass
    os.close(ours)
    assert finish(process)[0] == 0, read
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", read.decode()).replace("\r\n", "\n")


def test_piped_each_column_has_a_line(table):
    lines = call("describe", "people.csv").stdout.splitlines()
    assert lines[0] == "people.csv: 200 rows, 8 columns (csv)"
    assert len(lines) == 2 + 8 + 1
    assert lines[-1] == "The target is a guess; another one: --target COLUMN"
    by_name = {line.split()[0]: line for line in lines[2:]}
    assert "it numbers the rows" in by_name["id"]
    assert "20 to 69" in by_name["age"]
    assert "leading zeros: a code, no number" in by_name["zip"]
    assert "the same value in every row" in by_name["same"]
    assert "2024-01-01 to 2024-01-28" in by_name["when"]
    assert "gives the target away: each of its values comes with one target alone" in by_name["copy"]
    assert "classification: by its name, 2 classes" in by_name["label"]


@pytest.mark.parametrize("width", [60, 80])
def test_no_line_is_longer_than_the_terminal(table, width):
    lines = shown_in(width, "describe", "people.csv").splitlines()
    assert max(map(len, lines)) <= width
    assert any("gives the target away" in line for line in lines)


def test_the_check_of_widths_sees_a_long_line(table):
    assert max(map(len, shown_in(300, "describe", "people.csv").splitlines())) > 80


def test_as_json_it_is_all_there(table):
    found = json.loads(call("describe", "people.csv", "--json").stdout)
    assert (found["rows"], found["format"], found["target"], found["task"]) == (
        200,
        "csv",
        "label",
        "classification",
    )
    columns = {column["name"]: column for column in found["columns"]}
    assert columns["age"] == {
        "name": "age",
        "type": "whole",
        "missing": 0,
        "distinct": 50,
        "distinct_is_exact": True,
        "low": 20,
        "high": 69,
        "shape": None,
        "examples": ["20", "21", "22"],
        "counts": {str(age): 4 for age in range(20, 30)},
        "used_as": "number",
        "why": "",
    }
    assert columns["copy"]["used_as"] is None


def test_another_target_can_be_named(table):
    found = json.loads(call("describe", "people.csv", "--json", "--target", "age").stdout)
    assert (found["target"], found["task"]) == ("age", "regression")
    assert 'Did you mean "age"?' in call("describe", "people.csv", "--target", "agee", code=2).stderr


def test_rows_that_cannot_be_read_follow_the_table(table):
    (table / "bad.csv").write_text("x,label\n1,a\n2\n3,b\n")
    result = call("describe", "bad.csv", code=2)
    assert "bad.csv: 2 rows" in result.stdout
    assert "bad.csv:3: expected 2 values" in result.stderr


def test_what_is_no_data_file_is_told_in_a_line(table):
    assert "no file is there: nowhere.csv" in call("describe", "nowhere.csv", code=2).stderr
    (table / "notes.docx").write_text("")
    assert "does not tell the format" in call("describe", "notes.docx", code=2).stderr


def test_a_file_without_a_header_is_doubted(table):
    (table / "bare.csv").write_text("1.5,2,0\n1.2,3,1\n1.1,2,0\n")
    doubt = "every column is named by a number: does the file have a header row?"
    assert doubt in call("describe", "bare.csv").stdout
    assert doubt not in call("describe", "people.csv").stdout


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("5.1,3.5,setosa\n4.9,3.0,setosa\n6.1,2.2,virginica\n", 'numbers or dates, "5.1" for one: does the file have'),
        ("red,apple,x\nred,pear,y\nblue,plum,x\n", 'the column "red" has its name among its values: does'),
        ("color,fruit,kind\nred,pear,y\nblue,plum,x\n", ""),
        ("0,1,2,label\n7,8,9,a\n1,3,3,b\n", ""),  # pixels by number
    ],
)
def test_names_that_look_like_values_are_doubted(folder, text, doubt):
    (folder / "bare.csv").write_text(text)
    printed = call("describe", "bare.csv").stdout
    assert doubt in printed
    assert ("header row" in printed) == ("add --read header=false" in printed) == bool(doubt)
    assert "header row" not in call("describe", "bare.csv", "--read", "header=false").stdout


def test_a_target_by_its_place_is_said_to_be_a_guess(folder):
    guess = "The target is a guess; another one: --target COLUMN"
    (folder / "flats.csv").write_text("rooms,rent\n" + "".join(f"{i % 4},{i * 37 % 101}\n" for i in range(60)))
    assert guess in call("describe", "flats.csv").stdout
    assert guess in call("init-config", "flats.csv").stdout
    assert guess not in call("describe", "flats.csv", "--target", "rent").stdout
    assert json.loads(call("describe", "flats.csv", "--json").stdout)["target_is_guess"]


def test_whole_numbers_that_may_be_classes_or_not_are_told(folder):
    (folder / "stars.csv").write_text("a,stars\n" + "".join(f"{i * 37 % 101},{i % 5 + 1}\n" for i in range(100)))
    hint = "Its 5 whole numbers are predicted as classes; as numbers: init-config --task regression"
    assert hint in call("describe", "stars.csv").stdout
    assert hint not in call("init-config", "stars.csv", "--task", "regression").stdout


def test_names_that_would_move_the_cursor_are_escaped(table):
    (table / "odd.csv").write_text("a\x1b[2Jb,label\nx\x1b[1m,1\ny,0\n")
    assert "\x1b" not in call("describe", "odd.csv").stdout


def test_a_wide_table_shows_its_first_columns_and_those_left_out(table):
    names = [f"p{i}" for i in range(200)]
    rows = [",".join("5" if name == "p150" else str(i * 7 % 13) for name in names) for i in range(30)]
    (table / "wide.csv").write_text("\n".join([",".join(names), *rows]) + "\n")
    lines = call("describe", "wide.csv", "--target", "p199").stdout.splitlines()
    assert len(lines) < 60
    assert any(line.startswith("p150 ") for line in lines)
    assert "and 148 more used as number" in lines
