"""Runs on other data than one CSV file: several files, other formats, folders of images."""

import csv
import io
import json
import os
import subprocess

import numpy as np
import pyarrow as pa
import pytest
from commands import call, finish, start, train
from PIL import Image
from pyarrow import parquet as pq


@pytest.fixture
def auto(folder):
    """The config with auto.v1 and the training data in two files; a run of it."""
    header, *rows = (folder / "train.csv").read_text().splitlines()
    for name, part in (("part-1.csv", rows[:20]), ("part-2.csv", rows[20:])):
        (folder / name).write_text("\n".join([header, *part]) + "\n")
    text = (folder / "run.cfg").read_text().replace("csv.v1", "auto.v1")
    (folder / "run.cfg").write_text(text.replace("train.csv", "part-*.csv"))
    train("--quiet")
    return folder / "run"


def predictions(*words, **more):
    found = [json.loads(line) for line in call("predict", *words, "--format", "jsonl", **more).stdout.splitlines()]
    return [record["prediction"] for record in found]


def test_several_files_train_as_one_does(auto, folder):
    text = (folder / "run.cfg").read_text().replace("part-*.csv", "train.csv")
    (folder / "one.cfg").write_text(text)
    call("train", "one.cfg", "-o", "one", "--training.max_steps=14", "--quiet")
    ours, theirs = (folder / name / "model-last" / "params.safetensors" for name in ("run", "one"))
    assert ours.read_bytes() == theirs.read_bytes()
    assert json.loads((auto / "run.json").read_text())["data"]["train"]["section"]["path"] == str(folder / "part-*.csv")


def test_a_run_on_several_files_goes_on_where_it_stopped_and_notices_another_file(auto, folder):
    train("--quiet", "--resume", "--training.max_steps=28")
    (folder / "part-3.csv").write_text((folder / "part-1.csv").read_text())
    said = train("--quiet", "--resume", "--training.max_steps=42", code=2).stderr
    assert "data.train: its content has changed" in said


def test_a_model_predicts_alike_on_every_format(auto, folder):
    rows = list(csv.DictReader(io.StringIO((folder / "dev.csv").read_text())))
    (folder / "dev.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "dev.json").write_text(json.dumps(rows))
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    numbers = {name: [float(value) for value in columns[name]] for name in ("a", "b")}
    pq.write_table(pa.table(columns | numbers), folder / "dev.parquet")
    expected = predictions("run", "dev.csv")
    assert len(expected) == len(rows)
    for name in ("dev.jsonl", "dev.json", "dev.parquet", "dev.*sv"):
        assert predictions("run", name) == expected
        call("evaluate", "run", name)
    with open(folder / "dev.csv", "rb") as file:
        code, out, _ = finish(start("predict", "run", "-", "--format", "jsonl", stdin=file, stdout=subprocess.PIPE))
    assert (code, [json.loads(line)["prediction"] for line in out.splitlines()]) == (0, expected)


def test_what_cannot_be_read_is_told_with_its_place_in_the_config(auto, folder):
    line = (folder / "run.cfg").read_text().splitlines().index(f'path = "{folder}/part-*.csv"') + 1
    for path in folder.glob("part-*.csv"):
        path.unlink()
    said = train("--quiet", "--overwrite", code=2).stderr
    assert said.startswith(f"run.cfg:{line}: data.train.path: no file fits the pattern {folder}/part-*.csv")
    said = train("--quiet", "--overwrite", "--data.train.path=-", code=2).stderr
    assert "standard input can be read once: training takes a file" in said
    said = train("--quiet", "--overwrite", "--data.train.path=dev.csv", "--data.train.query=x", code=2).stderr
    assert said.startswith(
        "command line: --data.train.query: data in the format csv take no query, which is for sqlite"
    )


@pytest.fixture
def images(folder):
    """A folder of light and dark images, a class each, and a run on it."""
    generator = np.random.default_rng(0)
    for name, low in (("dark", 0), ("light", 150)):
        (folder / "images" / name).mkdir(parents=True)
        for i in range(20):
            pixels = generator.integers(low, low + 100, (4, 5), np.uint8)
            Image.fromarray(pixels).save(folder / "images" / name / f"{i:02}.png")
    text = (folder / "run.cfg").read_text().replace("csv.v1", "images.v1")
    text = text.replace("train.csv", "images").replace("dev.csv", "images")
    text = text.replace("[model.*.hidden]", '[model.*.flat]\n@layers = "Flatten.v1"\n\n[model.*.hidden]')
    (folder / "run.cfg").write_text(text)
    train("--quiet")
    return folder / "run"


def test_a_folder_of_images_trains_and_predicts(images, folder, monkeypatch):
    (folder / "new").mkdir()
    for i, name in enumerate(["dark/01.png", "light/02.png"]):
        Image.open(folder / "images" / name).convert("RGB").save(folder / "new" / f"{i}.png")
    table = list(csv.DictReader(io.StringIO(call("predict", "run", "new", "--format", "csv").stdout)))
    assert [row["path"] for row in table] == ["new/0.png", "new/1.png"]
    assert [row["prediction"] for row in table] == ["dark", "light"]
    assert predictions("run", "images/dark/01.png") == ["dark"]
    Image.fromarray(np.full((30, 40), 250, np.uint8)).save(folder / "large.png")
    assert predictions("run", "large.png") == ["light"]
    monkeypatch.chdir(os.path.dirname(folder))
    assert json.loads(call("evaluate", images, "--json").stdout)["n"] == 40


def test_a_run_on_images_notices_one_that_moved(images, folder):
    train("--quiet", "--resume", "--training.max_steps=28")
    (folder / "images" / "dark" / "01.png").rename(folder / "images" / "light" / "99.png")
    said = train("--quiet", "--resume", "--training.max_steps=42", code=2).stderr
    assert "data.train: its content has changed" in said


def test_a_damaged_image_stops_the_run_with_its_path(images, folder):
    (folder / "images" / "dark" / "01.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    said = train("--quiet", "--overwrite", code=2).stderr
    assert f"{folder}/images/dark/01.png: no image, or one that is damaged" in said


def test_keys_that_the_model_does_not_use_do_not_matter(auto, folder):
    rows = list(csv.DictReader(io.StringIO((folder / "dev.csv").read_text())))
    odd = [{"meta": {"n": 1}}, {"meta": "x", "tags": [1, "a"]}, {}]
    records = [row | odd[i % 3] for i, row in enumerate(rows)]
    (folder / "dev.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    out = [json.loads(line) for line in call("predict", "run", "dev.jsonl").stdout.splitlines()]
    assert [{k: v for k, v in each.items() if k not in ("prediction", "score")} for each in out] == records
    assert [each["prediction"] for each in out] == predictions("run", "dev.csv")
    call("evaluate", "run", "dev.jsonl")


def test_a_key_misspelt_in_every_record_is_told_with_the_one_that_was_meant(auto, folder):
    (folder / "new.jsonl").write_text('{"aa": 1, "b": 2}\n' * 3)
    said = call("predict", "run", "new.jsonl", code=2).stderr
    assert said.startswith('new.jsonl:1: a: the column is missing. The columns are "aa", "b"')


def test_columns_that_the_model_does_not_use_stop_neither_training_nor_prediction(folder):
    for name in ("train", "dev"):
        header, *rows = (folder / f"{name}.csv").read_text().splitlines()
        a, b, labels = zip(*(row.split(",") for row in rows), strict=True)
        table = {"a": [*map(float, a)], "b": [*map(float, b)], header.split(",")[2]: labels}
        table |= {"inside": [{"x": row} for row in range(len(a))], "blob": [b"x"] * len(a)}
        pq.write_table(pa.table(table), folder / f"{name}.parquet")
    text = (folder / "run.cfg").read_text().replace('"csv.v1"', '"parquet.v1"').replace(".csv", ".parquet")
    features = '[features]\n@encoders = "numbers.v1"\ncolumns = ["a", "b"]\n\n[target]'
    (folder / "run.cfg").write_text(text.replace("[target]", features))
    call("train", "run.cfg", "--output", "run", "--training.max_steps=5")
    first = call("predict", "run", "dev.parquet", "--format", "jsonl").stdout.splitlines()[0]
    found = json.loads(first)
    assert (found["inside"], found["blob"]) == ({"x": 0}, None)
    call("evaluate", "run", "dev.parquet")
