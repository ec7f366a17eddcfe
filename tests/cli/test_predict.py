import csv
import gzip
import io
import json
import math
import os
import sqlite3
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import pytest
import typer
from commands import call, finish, start, train
from run_fakes import config_of

from trainer_cli import lookup, predictions, records, trained
from trainer_cli.cli import predictions_file
from trainer_cli.data.block import Block
from trainer_cli.data.readers.csv import CSVReader
from trainer_cli.model import Model
from trainer_cli.predictions import Predicted, told
from trainer_cli.streams import QuietStream

NUMBERS = """
[optimizer]
@optimizers = "SGD.v1"
learn_rate = 0.1
"""


@pytest.fixture
def run(folder):
    train("--quiet")
    return folder / "run"


def predicted(*words, **more):
    """What comes out as JSON lines."""
    return [json.loads(line) for line in call("predict", *words, "--format", "jsonl", **more).stdout.splitlines()]


def expected(run, path):
    """Labels and probabilities, by the model and its encoders alone."""
    saved = lookup.find(run)
    loaded = trained.from_files(saved.files, saved.folder)
    (block,) = CSVReader(path).blocks()
    with np.errstate(all="ignore"):
        outputs = loaded.model.predict(loaded.features[1].encode(block))
    return loaded.target[1].decode(outputs), outputs.max(axis=1)


def test_records_of_which_the_model_says_nothing_finite_are_told_and_nothing_is_written(run, folder, monkeypatch):
    predict = Model.predict

    def with_gaps(self, X):
        Y = predict(self, X)
        Y[3:4], Y[5:6] = np.nan, np.inf
        return Y

    monkeypatch.setattr(Model, "predict", with_gaps)
    told = "the model gives NaN or infinite numbers. The rows: dev.csv:5, dev.csv:7\n"
    assert call("predict", run, "dev.csv", "--output", "found.csv", code=3).stderr == told
    assert not (folder / "found.csv").exists()
    assert call("evaluate", run, "dev.csv", code=3).stderr == told


def test_each_record_comes_out_in_order_with_its_prediction_and_score(run, folder):
    raw = list(csv.DictReader(io.StringIO((folder / "dev.csv").read_text())))
    found = predicted(run, "dev.csv")
    labels, scores = expected(run, folder / "dev.csv")
    assert [{key: record[key] for key in ("a", "b", "label")} for record in found] == raw
    assert [record["prediction"] for record in found] == labels
    np.testing.assert_allclose([record["score"] for record in found], scores, atol=5e-7)


def test_data_without_a_target_is_fine_and_a_table_stays_a_table(run, folder):
    rows = [line.rpartition(",")[0] for line in (folder / "dev.csv").read_text().splitlines()]
    (folder / "new.csv").write_text("\n".join(rows) + "\n")
    table = list(csv.DictReader(io.StringIO(call("predict", run, "new.csv").stdout)))
    assert list(table[0]) == ["a", "b", "prediction", "score"]
    assert [row["prediction"] for row in table] == [record["prediction"] for record in predicted(run, "dev.csv")]


def test_the_most_probable_labels_in_their_order(run, folder):
    for record in predicted(run, "dev.csv", "--top", "2"):
        assert record["top"][0]["label"] == record["prediction"]
        assert record["top"][0]["score"] == record["score"] >= record["top"][1]["score"]
        assert sum(each["score"] for each in record["top"]) == pytest.approx(1, abs=2e-6)


def test_standard_input_is_read(run, folder):
    with open(folder / "dev.csv", "rb") as file:
        process = start("predict", "run", "-", "--format", "jsonl", stdin=file, stdout=subprocess.PIPE)
        code, out, _ = finish(process)
    assert code == 0
    assert [json.loads(line) for line in out.splitlines()] == predicted(run, "dev.csv")
    said = call("debug-config", "run.cfg", "--data.train.path=-", code=2).stderr
    assert said == "command line: --data.train.path: standard input can be read once: training takes a file\n"


def test_json_records_keep_their_types(folder):
    for name in ("train", "dev"):
        rows = csv.DictReader(io.StringIO((folder / f"{name}.csv").read_text()))
        lines = [json.dumps({"a": float(r["a"]), "b": float(r["b"]), "ok": True, "label": r["label"]}) for r in rows]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    text = (folder / "run.cfg").read_text().replace("csv.v1", "jsonl.v1").replace(".csv", ".jsonl")
    features = '[features]\n@encoders = "columns.v1"\ncolumns = ["a", "b"]\n\n[target]'
    (folder / "run.cfg").write_text(text.replace("[target]", features))
    train("--quiet")
    raw = [json.loads(line) for line in (folder / "dev.jsonl").read_text().splitlines()]
    found = [json.loads(line) for line in call("predict", "run", "dev.jsonl").stdout.splitlines()]
    assert [(record["ok"], record["label"]) for record in found] == [(True, record["label"]) for record in raw]
    np.testing.assert_allclose([record["a"] for record in found], [record["a"] for record in raw], rtol=1e-15)


def test_numbers_come_in_the_column_s_own_unit(folder):
    for name in ("train", "dev"):
        rows = csv.DictReader(io.StringIO((folder / f"{name}.csv").read_text()))
        lines = [f"{r['a']},{r['b']},{1000 + 10 * float(r['a'])}" for r in rows]
        (folder / f"{name}.csv").write_text("\n".join(["a,b,price", *lines]) + "\n")
    config_of(folder, optimizer=NUMBERS)
    text = (folder / "run.cfg").read_text()
    for old, new in (
        ('"labels.v1"', '"numbers.v1"'),
        ('column = "label"', 'column = "price"'),
        ('"Softmax.v1"', '"Linear.v1"'),
        ('"CategoricalCrossentropy.v4"', '"MeanSquaredError.v1"'),
        ('[metrics.accuracy]\n@metrics = "accuracy.v1"', '[metrics.mae]\n@metrics = "mae.v1"'),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "run.cfg").write_text(text)
    call("train", "run.cfg", "--output", "run", "--training.max_steps", "400", "--model.hidden.dropout=0", "--quiet")
    found = predicted("run", "dev.csv")
    assert "score" not in found[0]
    assert max(len(str(record["prediction"])) for record in found) <= 10
    said = call("predict", "run", "dev.csv", "--format", "jsonl", "--top", "2", code=2).stderr
    assert said == "--top ranks the labels of a record; this model gives each a number: leave it out\n"
    errors = [record["prediction"] - float(record["price"]) for record in found]
    assert np.abs(errors).mean() < 5  # of a deviation of 10 around 1000
    scores = json.loads(call("evaluate", "run", "--json").stdout)
    assert scores["mae"] == pytest.approx(np.abs(errors).mean(), rel=1e-4)
    best = min(json.loads(line)["mae"] for line in (folder / "run" / "metrics.jsonl").read_text().splitlines())
    assert scores["mae"] == best


def labelled(folder, *settings):
    """A run on rows with several labels each: `low` and `high` by one column, `odd` in every other row."""
    for name in ("train", "dev"):
        rows = list(csv.DictReader(io.StringIO((folder / f"{name}.csv").read_text())))
        labels = ["low" * (float(row["a"]) < 0) + ",high" * (float(row["b"]) > 0) for row in rows]
        lines = [f'{row["a"]},{row["b"]},"{label}"' for row, label in zip(rows, labels, strict=True)]
        (folder / f"{name}.csv").write_text("\n".join(["a,b,labels", *lines]) + "\n")
    config_of(folder, optimizer=NUMBERS)
    text = (folder / "run.cfg").read_text()
    for old, new in (
        ('"labels.v1"\ncolumn = "label"', '"multilabel.v1"\ncolumn = "labels"\nseparator = ","'),
        ('"Softmax.v1"', '"Linear.v1"'),
        ('"CategoricalCrossentropy.v4"', '"BinaryCrossentropy.v1"'),
        ('[metrics.accuracy]\n@metrics = "accuracy.v1"', ""),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "run.cfg").write_text(text)
    call("train", "run.cfg", "--output", "run", "--training.max_steps", "400", "--quiet", *settings)


def test_rows_of_several_labels_get_lists_of_them(folder):
    labelled(folder, "--model.hidden.dropout=0")
    found = predicted("run", "dev.csv", "--top", "1")
    assert {tuple(record["prediction"]) for record in found} == {(), ("high",), ("low",), ("high", "low")}
    assert all(len(record["score"]) == len(record["prediction"]) for record in found)
    assert all(0.5 < score <= 1 for record in found for score in record["score"])
    right = [set(record["prediction"]) == {*record["labels"].split(",")} - {""} for record in found]
    assert np.mean(right) >= 0.7
    table = list(csv.DictReader(io.StringIO(call("predict", "run", "dev.csv").stdout)))
    assert [row["prediction"] for row in table] == [",".join(record["prediction"]) for record in found]
    assert [row["score"] for row in table] == [",".join(map(str, record["score"])) for record in found]


def test_a_list_in_a_record_is_one_cell_of_a_table():
    part = Predicted(Block({"words": [["x", "y"], []]}), [["p", "q"], []], [[0.7, 0.6], []], None, "|")
    assert "".join(records.lines(iter([part]), "csv")) == "words,prediction,score\nx|y,p|q,0.7|0.6\n,,\n"


def test_a_file_appears_when_it_is_whole(run, folder):
    call("predict", run, "dev.csv", "--output", "new.jsonl")
    assert [json.loads(line) for line in (folder / "new.jsonl").read_text().splitlines()] == predicted(run, "dev.csv")
    (folder / "bad.csv").write_text("a,b\n3,x\n")
    before = sorted(folder.iterdir())
    said = call("predict", run, "bad.csv", "--output", "other.csv", code=2).stderr
    assert said == 'bad.csv:2: b: expected a number, got "x"\n'
    assert sorted(folder.iterdir()) == before


def test_rows_that_cannot_be_read_are_left_out_and_told(run, folder):
    (folder / "bad.csv").write_text("a,b\n1,2\n3,x\n4\n5,6\n")
    (folder / "good.csv").write_text("a,b\n1,2\n5,6\n")
    faults = 'bad.csv:3: b: expected a number, got "x"\nbad.csv:4: expected 2 values as in the header, got 1\n'
    result = call("predict", run, "bad.csv", code=2)
    assert result.stdout == call("predict", run, "good.csv").stdout
    left = "2 rows with their predictions; what could not be read (2 mistakes) is left out\n"
    assert result.stderr == faults + left
    said = call("predict", run, "bad.csv", "--output", "other.csv", code=2).stderr
    assert said == f"{faults}other.csv: {left}"
    assert (folder / "other.csv").read_text() == result.stdout


def test_one_value_that_is_no_number_costs_one_row_of_many(run, folder):
    lines = [f"{i % 7},{i % 5}" for i in range(20_000)]
    bad = {0: "abc,1", 10_000: "abc,1", **dict.fromkeys(range(15_000, 15_011), ",nix")}
    good = [line for i, line in enumerate(lines) if i not in bad]
    (folder / "good.csv").write_text("\n".join(["a,b", *good]) + "\n")
    (folder / "bad.csv").write_text("\n".join(["a,b", *(bad.get(i, line) for i, line in enumerate(lines))]) + "\n")
    result = call("predict", run, "bad.csv", code=2)
    assert result.stdout == call("predict", run, "good.csv").stdout
    told = result.stderr.splitlines()
    assert told[:2] == [f'bad.csv:{line}: a: expected a number, got "abc"' for line in (2, 10_002)]
    assert len(told) == 12
    assert told[-2:] == [
        "... and 14 more, 24 mistakes in all",
        "19,987 rows with their predictions, 13 left out",
    ]


@pytest.mark.parametrize("n", [1, 2, 10_000])
def test_a_column_that_is_missing_is_told_once(run, folder, n):
    (folder / "few.csv").write_text("a\n" + "1\n" * n)
    (line,) = call("predict", run, "few.csv", code=2).stderr.splitlines()
    assert line.startswith("few.csv:1: b: the column is missing.")


def test_a_search_for_bad_rows_that_finds_good_ones_would_be_noticed(run, folder, monkeypatch):
    (folder / "bad.csv").write_text("a,b\n1,2\n3,x\n5,6\n")
    monkeypatch.setattr(predictions, "encodable", lambda encode, block, *_: list(range(len(block))))
    assert "with their predictions" not in call("predict", run, "bad.csv", code=2).stderr


def test_numbers_that_are_not_finite_are_null_in_json_and_nothing_in_a_table():
    part = Predicted(Block({"x": np.array([np.nan, np.inf, 1.5])}), ["p", "q", "r"], [np.nan, 0.5, 0.6], None)
    assert [json.loads(line, parse_constant=pytest.fail) for line in records.lines(iter([part]), "jsonl")] == [
        {"x": None, "prediction": "p", "score": None},
        {"x": None, "prediction": "q", "score": 0.5},
        {"x": 1.5, "prediction": "r", "score": 0.6},
    ]
    assert "".join(records.lines(iter([part]), "csv")) == "x,prediction,score\n,p,\n,q,0.5\n1.5,r,0.6\n"


def test_a_number_has_no_more_digits_than_float32_can_tell():
    assert told(float(np.float32(0.1)), 1.0) == 0.1
    assert told(float(np.float32(-1234.567)), 1000.0) == -1234.567
    assert told(1_700_000_000.123456789, 86_400.0) == 1_700_000_000.12  # times of one day
    assert str(told(math.nan, 1.0)) == "nan"


def test_the_name_of_the_output_says_how_it_is_written(run, folder):
    table = list(csv.reader(io.StringIO(call("predict", run, "dev.csv").stdout)))
    call("predict", run, "dev.csv", "-o", "p.tsv")
    assert list(csv.reader(io.StringIO((folder / "p.tsv").read_text()), delimiter="\t")) == table
    call("predict", run, "dev.csv", "-o", "p.csv.gz")
    assert list(csv.reader(io.StringIO(gzip.decompress((folder / "p.csv.gz").read_bytes()).decode()))) == table
    call("predict", run, "dev.csv", "-o", "p.jsonl.gz")
    lines = gzip.decompress((folder / "p.jsonl.gz").read_bytes()).splitlines()
    assert [json.loads(line) for line in lines] == predicted(run, "dev.csv")
    call("predict", run, "dev.csv", "-o", "p.txt", "-f", "csv")
    assert list(csv.reader(io.StringIO((folder / "p.txt").read_text()))) == table


def test_predictions_come_in_the_format_of_the_data(run, folder):
    table = call("predict", run, "dev.csv").stdout
    (folder / "dev.tsv").write_text((folder / "dev.csv").read_text().replace(",", "\t"))
    assert call("predict", run, "dev.tsv").stdout == table.replace(",", "\t")
    (folder / "dev.txt").write_text((folder / "dev.csv").read_text())
    assert call("predict", run, "dev.txt").stdout == table
    with open(folder / "dev.csv", "rb") as file:
        code, out, _ = finish(start("predict", "run", "-", stdin=file, stdout=subprocess.PIPE))
    assert (code, out.decode()) == (0, table)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_a_table_comes_out_with_the_delimiter_it_came_in_with(run, folder, delimiter):
    table = call("predict", run, "dev.csv").stdout
    text = (folder / "dev.csv").read_text().replace(",", delimiter)
    (folder / "other.csv").write_text(text)
    expected = table.replace(",", delimiter)
    assert call("predict", run, "other.csv").stdout == expected
    with open(folder / "other.csv", "rb") as file:
        assert finish(start("predict", "run", "-", stdin=file, stdout=subprocess.PIPE))[1].decode() == expected
    call("predict", run, "other.csv", "-o", "p.csv")
    assert (folder / "p.csv").read_text() == expected
    assert call("predict", run, "other.csv", "-f", "tsv").stdout == table.replace(",", "\t")


def test_csv_of_other_data_than_csv_has_commas(run, folder):
    table = call("predict", run, "dev.csv").stdout
    (folder / "dev.tsv").write_text((folder / "dev.csv").read_text().replace(",", "\t"))
    assert call("predict", run, "dev.tsv", "-f", "csv").stdout == table


def test_a_file_that_is_there_is_written_over_only_when_that_is_asked_for_and_then_told(run, folder):
    first = call("predict", run, "dev.csv", "-o", "p.csv").stderr
    assert first.endswith(" rows with their predictions\n")
    (folder / "p.csv").write_text("mine")
    refused = call("predict", run, "dev.csv", "-o", "p.csv", code=5).stderr
    assert refused == "p.csv: is there already; --force writes over it, --output names another\n"
    assert (folder / "p.csv").read_text() == "mine"
    again = call("predict", run, "dev.csv", "-o", "p.csv", "--force").stderr
    assert again == first[:-1] + ", in the place of the file that was there\n"


def test_the_data_of_a_model_are_never_written_over(run, folder):
    (folder / "new.csv").write_text((folder / "dev.csv").read_text())
    (folder / "link.csv").symlink_to(folder / "train.csv")
    was = (folder / "train.csv").read_text()
    for name, output in (("train", "train.csv"), ("train", "link.csv"), ("dev", "dev.csv")):
        said = call("predict", run, "new.csv", "-o", output, "--force", code=2).stderr
        assert said == f"--output {output}: the {name} data of the model lie in this file; name another\n"
        said = call("evaluate", run, "new.csv", "-o", output, code=2).stderr
        assert said == f"--output {output}: the {name} data of the model lie in this file; name another\n"
    said = call("evaluate", run, "new.csv", "-o", "new.csv", code=2).stderr
    assert said == "--output new.csv: the data are read from this file; name another\n"
    assert (folder / "train.csv").read_text() == was


def test_what_is_no_file_is_not_replaced(run, folder):
    os.mkfifo(folder / "pipe")
    with ThreadPoolExecutor() as pool:
        read = pool.submit((folder / "pipe").read_text)
        call("predict", run, "dev.csv", "-o", "pipe")
        assert read.result() == call("predict", run, "dev.csv").stdout
    assert (folder / "pipe").is_fifo()


WRONG = {
    "another format": (
        ["run", "dev.csv", "--format", "xml"],
        "--format is jsonl, csv, tsv, conll or docbin, not 'xml'",
    ),
    "a suffix that is not known": (
        ["nix", "dev.csv", "-o", "x.parquet"],
        "--output x.parquet: what can be written are .jsonl, .ndjson, .csv, .tsv, .conll, .conllu, .iob, .bio, each",
    ),
    "a suffix that no text has": (["run", "dev.csv", "-o", "x.db", "-f", "csv"], "--output x.db: what can be written"),
    "a packing that is not written": (["run", "dev.csv", "-o", "x.csv.zst"], "--output x.csv.zst: what can be"),
    "the data themselves": (["run", "dev.csv", "-o", "./dev.csv"], "--output dev.csv: the data are read from this"),
    "a folder": (["run", "dev.csv", "-o", "run"], "--output run: a folder is there; name a file in it"),
    "labels to rank in a table": (
        ["run", "dev.csv", "--top", "2"],
        "--top gives a list of labels, for which csv has no place: add --format jsonl",
    ),
    "a place that is not there": (["run", "dev.csv", "--output", "nix/x.csv"], "the folder nix is not there"),
    "no data": (["run", "nix.csv"], "no file is there: nix.csv"),
    "a column too few": (["run", "few.csv"], "few.csv:1: b: the column is missing. The columns are"),
    "no rows": (["run", "none.csv"], "none.csv:1: the file has a header but no rows"),
    "no model": (["nix", "dev.csv"], "nix: there is no such model"),
    "no labels to rank": (["run", "dev.csv", "--top", "0"], "Invalid value for '--top'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_input_gives_a_clear_line_and_exit_2(run, folder, name):
    (folder / "few.csv").write_text("a\n1\n")
    (folder / "taken.csv").write_text("a,b,score\n1,2,3\n")
    (folder / "none.csv").write_text("a,b\n")
    words, said = WRONG[name]
    assert said in call("predict", *words, code=2).stderr


def test_predictions_agree_with_the_scores_of_evaluate(run, folder):
    found = predicted(run, "dev.csv")
    right = sum(record["prediction"] == record["label"] for record in found) / len(found)
    assert right == json.loads(call("evaluate", run, "dev.csv", "--json").stdout)["accuracy"]


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_numbers_at_the_end_of_the_range_bring_no_warnings(run, folder, command):
    (folder / "huge.csv").write_text("a,b,label\n3e38,-3e38,yes\n1,2,no\n")
    assert call(command, run, "huge.csv").stderr == ""


def test_whoever_reads_no_further_ends_the_command(run, folder):
    header, *rows = (folder / "dev.csv").read_text().splitlines()
    (folder / "long.csv").write_text("\n".join([header, *rows * 20_000]) + "\n")
    process = start("predict", "run", "long.csv", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline() == b"a,b,label,prediction,score\n"
    process.stdout.close()
    assert (process.wait(timeout=60), process.stderr.read()) == (141, b"")
    process.stderr.close()


def test_no_row_is_read_once_nobody_listens(run, monkeypatch):
    read = []

    def lines():
        for n in range(10):
            read.append(n)
            yield "x\n"

    stream = QuietStream(io.StringIO())
    monkeypatch.setattr(stream, "write", lambda text: setattr(stream, "error", BrokenPipeError()))
    monkeypatch.setattr("trainer_cli.streams.stdout", lambda: stream)
    with pytest.raises(typer.Exit) as ended:
        predictions_file.write(lines(), None)
    assert (read, ended.value.exit_code) == ([0], 141)


def test_a_dash_is_standard_output(run, folder):
    plain = call("predict", run, "dev.csv").stdout
    assert call("predict", run, "dev.csv", "--output", "-").stdout == plain
    assert not (folder / "-").exists()
    said = call("evaluate", run, "dev.csv", "--output", "-", code=2).stderr
    assert said == "--output -: names a file; --json prints the scores on standard output\n"


def test_columns_that_are_called_as_predictions_are_get_others_beside_them(run, folder):
    rows = list(csv.DictReader(io.StringIO((folder / "dev.csv").read_text())))
    with open(folder / "taken.csv", "w") as file:
        writer = csv.DictWriter(file, ["a", "b", "prediction", "score"])
        writer.writeheader()
        writer.writerows({"a": r["a"], "b": r["b"], "prediction": r["label"], "score": "7"} for r in rows)
    found = call("predict", run, "taken.csv", "--format", "jsonl")
    assert found.stderr == (
        "the data have a column 'prediction': the prediction of the model is called 'prediction_2'\n"
        "the data have a column 'score': the score of the model is called 'score_2'\n"
    )
    records = [json.loads(line) for line in found.stdout.splitlines()]
    assert [(r["prediction"], r["score"]) for r in records] == [(r["label"], "7") for r in rows]
    theirs = predicted(run, "dev.csv")
    assert [(r["prediction_2"], r["score_2"]) for r in records] == [(r["prediction"], r["score"]) for r in theirs]
    table = csv.DictReader(io.StringIO(call("predict", run, "taken.csv", "--quiet").stdout))
    assert table.fieldnames == ["a", "b", "prediction", "score", "prediction_2", "score_2"]


@pytest.fixture
def any_run(run, folder):
    """A run that reads data of any format."""
    (folder / "run.cfg").write_text((folder / "run.cfg").read_text().replace("csv.v1", "auto.v1"))
    train("--quiet", "--overwrite")
    return run


def objects(path, n, **late):
    """So many records, of which the last but one has other keys as well."""
    found = [{"a": i / n, "b": 1.0} for i in range(n)]
    found[-2] |= late
    path.write_text("".join(f"{json.dumps(record)}\n" for record in found))


def test_a_name_that_any_of_the_first_records_has_is_not_taken(any_run, folder):
    objects(folder / "x.jsonl", 9, score=1, prediction=2)
    found = predicted(any_run, "x.jsonl")
    assert all({"prediction_2", "score_2"} <= record.keys() for record in found)
    assert (found[-2]["prediction"], found[-2]["score"]) == (2, 1)


def test_a_record_with_the_name_of_a_prediction_is_told_by_its_line_and_all_others_are_written(any_run, folder):
    objects(folder / "x.jsonl", 5000, score=1)
    found = call("predict", any_run, "x.jsonl", "-o", "p.jsonl", code=2)
    records = [json.loads(line) for line in (folder / "p.jsonl").read_text().splitlines()]
    assert [record["a"] for record in records] == [i / 5000 for i in range(5000) if i != 4998]
    assert found.stderr.startswith("x.jsonl:4999: score: a prediction has this name, as the first records had it not")
    assert "p.jsonl: 4,999 rows with their predictions, 1 left out" in found.stderr


def test_keys_that_a_table_has_no_column_for_are_told(any_run, folder):
    objects(folder / "x.jsonl", 5000, extra="x", more=None, meta={"lang": "en"})
    found = call("predict", any_run, "x.jsonl", "--format", "csv")
    assert len(found.stdout.splitlines()) == 5001
    assert found.stderr == (
        "1 record has keys that the first ones had not, left out of the table: "
        '"extra", "meta.lang"; --format jsonl keeps them\n'
    )
    assert call("predict", any_run, "x.jsonl", "--format", "jsonl").stderr == ""


def test_values_nested_too_deeply_are_told_by_their_line_and_passed_over(any_run, folder):
    good, deep = '{"a": 1, "b": 2, "label": "x"}\n', '{"a": ' + "[" * 100_000 + "]" * 100_000 + ', "b": 2}\n'
    (folder / "x.jsonl").write_text(good + deep + good)
    for words in (("predict", any_run), ("evaluate", any_run), ("describe",), ("init-config",)):
        found = call(*words, "x.jsonl", code=2)
        assert "x.jsonl:2: expected a JSON object: brackets are nested deeper than 64" in found.stderr, words
        assert words[0] != "predict" or len(found.stdout.splitlines()) == 2
    config = (folder / "run.cfg").read_text().replace("train.csv", "x.jsonl")
    (folder / "deep.cfg").write_text(config)
    assert "x.jsonl:2: expected a JSON object: br" in call("train", "deep.cfg", "-o", "deep", code=2).stderr


def test_records_of_a_database_keep_numbers_and_nulls(run, folder):
    with closing(sqlite3.connect(folder / "dev.db")) as connection:
        connection.execute("CREATE TABLE t (id INTEGER, a REAL, b REAL, note TEXT, n INTEGER)")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", [(1, 0.5, 1.0, None, 7), (2, 1, 2, "x", None)])
        connection.commit()
    words = ("predict", run, "dev.db")
    text = (folder / "run.cfg").read_text().replace("csv.v1", "auto.v1")
    (folder / "run.cfg").write_text(text)
    train("--quiet", "--overwrite")
    found = [json.loads(line) for line in call(*words, "--format", "jsonl").stdout.splitlines()]
    assert [{k: v for k, v in r.items() if k not in ("prediction", "score")} for r in found] == [
        {"id": 1, "a": 0.5, "b": 1.0, "note": None, "n": 7},
        {"id": 2, "a": 1.0, "b": 2.0, "note": "x", "n": None},
    ]
    table = call(*words, "--format", "csv", "--read", "limit=1").stdout.splitlines()
    assert (len(table), table[1].startswith("1,0.5,1.0,,7,")) == (2, True)


def test_objects_in_records_come_out_as_they_were_and_are_columns_of_a_table(run, folder):
    rows = list(csv.DictReader(io.StringIO((folder / "dev.csv").read_text())))
    records = [{"b": r["b"], "a": r["a"], "meta": {"ok": True, "n": [1, 2]}, "log": [{"x": 1}]} for r in rows]
    del records[1]["meta"]
    (folder / "dev.jsonl").write_text("\n".join(map(json.dumps, records)))
    theirs = predicted(run, "dev.csv")
    answers = [{name: r[name] for name in ("prediction", "score")} for r in theirs]
    words = ("predict", "nested", "dev.jsonl")
    (folder / "run.cfg").write_text((folder / "run.cfg").read_text().replace("csv.v1", "auto.v1"))
    train("--quiet", output="nested")
    found = [json.loads(line) for line in call(*words).stdout.splitlines()]
    assert found == [record | answer for record, answer in zip(records, answers, strict=True)]
    table = list(csv.DictReader(io.StringIO(call(*words, "--format", "csv").stdout)))
    assert list(table[0]) == ["b", "a", "meta.ok", "meta.n", "log", "prediction", "score"]
    assert [list(row.values())[2:5] for row in table[:2]] == [["true", "1;2", '{"x": 1}'], ["", "", '{"x": 1}']]
    assert [row["prediction"] for row in table] == [answer["prediction"] for answer in answers]
