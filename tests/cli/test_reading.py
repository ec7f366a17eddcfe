"""Arguments of readers on the command line, and data from standard input."""

import json
import sqlite3

import pytest
from commands import call, train

from trainer_cli.cli.reading import ARGUMENT, arguments
from trainer_cli.errors import ArgumentError

TABLE = "a;b;kind\n" + "".join(f"{i * 7 % 11};{i};{'yes' if i % 3 else 'no'}\n" for i in range(60))


def test_arguments_are_parsed_as_overrides_are():
    words = ["query=select a = 1 from t", 'names=["token", "tag"]', "size=[20,20]", "delimiter=;", "conllu=true"]
    assert arguments(words) == {
        "query": "select a = 1 from t",
        "names": ["token", "tag"],
        "size": [20, 20],
        "delimiter": ";",
        "conllu": True,
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["format"], "--read format: expected KEY=VALUE, such as --read format=csv"),
        (["=csv"], "--read =csv: expected KEY=VALUE"),
        (["a=1", "a=2"], "--read a=2: a is given twice"),
        (["size=[20,"], r"--read size=\[20,: "),
        (["query=${x.y}"], "there are no variables here"),
    ],
)
def test_what_is_no_argument_is_told(words, said):
    with pytest.raises(ArgumentError, match=said):
        arguments(words)


def test_describe_and_init_config_read_as_they_are_told(folder):
    (folder / "table.txt").write_text(TABLE)
    said = call("describe", "table.txt", code=2).stderr
    assert said.endswith("\nOn the command line: --read format=VALUE\n")
    words = ("table.txt", "--read", "format=csv", "--read", "delimiter=;")
    assert call("describe", *words).stdout.startswith("table.txt: 60 rows, 3 columns (csv)")
    call("init-config", *words)
    config = (folder / "table.cfg").read_text()
    assert 'format = "csv"\ndelimiter = ";"' in config
    call("debug-config", "table.cfg")


def test_a_table_without_names_goes_all_the_way(folder):
    rows = [f"{i * 7 % 11},{i},{'yes' if i % 3 else 'no'}" for i in range(60)]
    (folder / "bare.csv").write_text("\n".join(rows) + "\n")
    (folder / "new.csv").write_text("1,1\n2,3\n")  # not labelled: the last column is not there
    call("init-config", "bare.csv", "--read", "header=false")
    assert "header = false" in (folder / "bare.cfg").read_text()
    call("train", "bare.cfg", "--output", "run", "--training.max_steps=14", "--quiet")
    assert json.loads(call("evaluate", "run", "bare.csv", "--json").stdout)["n"] == 60
    first, *predicted = call("predict", "run", "new.csv").stdout.splitlines()
    assert first == "column1,column2,prediction,score"
    assert [line.rsplit(",", 2)[0] for line in predicted] == ["1,1", "2,3"]
    assert call("predict", "run", "-", input="5,6\n").stdout.splitlines()[1].startswith("5,6,")


def test_an_error_that_names_the_header_tells_how_it_is_given(folder):
    (folder / "bare.csv").write_text("1,1,2\n3,4,5\n")
    said = call("describe", "bare.csv", code=2).stderr
    assert said.endswith("\nOn the command line: --read header=false\n")
    assert "3 columns" in call("describe", "bare.csv", "--read", "header=false").stdout


def test_an_unknown_argument_is_told_with_the_nearest(folder):
    said = call("describe", "train.csv", "--read", "delimter=;", code=2).stderr
    assert said.startswith("delimter: auto.v1 takes no such argument. Did you mean delimiter?")
    said = call("describe", "train.csv", "--read", "query=x", code=2).stderr
    assert "data in the format csv take no query, which is for sqlite" in said
    assert "takes no such argument" in call("describe", "train.csv", "--read", "path=x", code=2).stderr


def test_a_database_is_read_by_a_query(folder):
    with sqlite3.connect(folder / "data.db") as base:
        for name in ("one", "two"):
            base.execute(f"create table {name} (a, label)")
            base.executemany(f"insert into {name} values (?, ?)", [(i, "xy"[i % 2]) for i in range(20)])
    said = call("describe", "data.db", code=2).stderr
    assert said.endswith("On the command line: --read query=VALUE\n")
    assert "20 rows, 2 columns" in call("describe", "data.db", "--read", "query=select * from one").stdout


@pytest.fixture
def run(folder):
    text = (folder / "run.cfg").read_text().replace("csv.v1", "auto.v1")
    (folder / "run.cfg").write_text(text)
    train("--quiet")
    return folder / "run"


def test_a_model_reads_another_file_as_it_is_told(run, folder):
    expected = json.loads(call("evaluate", "run", "dev.csv", "--json").stdout)["loss"]
    (folder / "dev.txt").write_text((folder / "dev.csv").read_text().replace(",", ":"))
    words = ("dev.txt", "--read", "delimiter=:", "--read", "format=csv")
    assert json.loads(call("evaluate", "run", *words, "--json").stdout)["loss"] == expected
    ours, theirs = (call("predict", "run", *more, "--format", "csv").stdout for more in (words, ["dev.csv"]))
    assert ours.replace(":", ",") == theirs
    (folder / "wrong.jsonl").write_text((folder / "dev.csv").read_text())
    assert "--read format=csv" in call("predict", "run", "wrong.jsonl", code=2).stderr
    call("predict", "run", "wrong.jsonl", "--read", "format=csv")
    said = call("predict", "run", "dev.csv", "--read", "delimeter=:", code=2).stderr
    assert said.startswith("delimeter: auto.v1 takes no such argument. Did you mean delimiter?")
    said = call("predict", "run", "dev.csv", "--read", "delimiter=long", code=2).stderr
    assert said.startswith("delimiter: a delimiter is one character")
    assert "name one after the model" in call("evaluate", "run", "--read", "format=csv", code=2).stderr


def test_describe_takes_standard_input_in_the_format_that_it_begins_like(folder):
    table = (folder / "train.csv").read_text()
    found = call("describe", "-", input=table).stdout
    expected = call("describe", "train.csv").stdout
    assert found.splitlines()[1:] == expected.splitlines()[1:]
    assert found.startswith("-: ")
    assert "(jsonl)" in call("describe", "-", input='{"a": 1}\n{"a": 2}\n').stdout
    assert "(json)" in call("describe", "-", input='[{"a": 1}, {"a": 2}]').stdout
    assert "1 column" in call("describe", "-", "--read", "delimiter=:", input="a,b\n1,2\n2,3\n").stdout
    assert call("describe", "-", input="a,b\n1\n", code=2).stderr.startswith("-:2: expected 2 values")


def test_a_config_needs_a_file(folder):
    said = call("init-config", "-", input="a,b\n1,2\n", code=2).stderr
    assert "save standard input in a file, and name it" in said


def test_advice_is_for_readers_arguments_alone():
    assert ARGUMENT.search('the value is missing; missing = "mean" fills it in') is None
    assert ARGUMENT.search("name the column, as column = ...") is None
    assert ARGUMENT.search("save it as UTF-8, or set its text_encoding")["any"] == "text_encoding"
