"""A run on a table with gaps, categories and dates, from the file to predictions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from run_fakes import train

from trainer_cli import lookup, trained
from trainer_cli.config.run_config import read_run_config
from trainer_cli.data.readers.csv import CSVReader
from trainer_cli.errors import ConfigError, DataError
from trainer_cli.inspection import inspect
from trainer_cli.predictions import predictions

CONFIG = """
[system]
ops = "numpy"

[data.train]
@readers = "csv.v1"
path = "{folder}/table.csv"

[data.dev]
@readers = "csv.v1"
path = "{folder}/table.csv"

[features]
@encoders = "columns.v1"

[features.*.measures]
@encoders = "numbers.v1"
columns = ["size", "price"]

[features.*.kinds]
@encoders = "categories.v1"
columns = ["city", "colour"]
encoding = "{encoding}"

[features.*.when]
@encoders = "dates.v1"
columns = ["day"]

[target]
@encoders = "labels.v1"
column = "sold"

[model]
@layers = "tabular.v1"
hidden = [16]

[loss]
@losses = "CategoricalCrossentropy.v4"

[optimizer]
@optimizers = "Adam.v1"
learn_rate = 0.02

[metrics.accuracy]
@metrics = "accuracy.v1"

[training]
max_epochs = 40
batch_size = 16
"""


@pytest.fixture
def config(tmp_path):
    """Write the config for an encoding, and its table: what is sold is what stands in a city of an odd number."""
    rng = np.random.default_rng(3)
    lines = []
    for row in range(200):
        city = int(rng.integers(0, 12))
        size = "NA" if row % 5 == 0 else f"{rng.normal():.3f}"
        cells = [size, str(row), f"c{city:02d}", rng.choice(["red", "blue", ""]), f"2024-{row % 12 + 1:02d}-03"]
        lines.append(",".join([*cells, "yes" if city % 2 else "no"]))
    (tmp_path / "table.csv").write_text("\n".join(["size,price,city,colour,day,sold", *lines]) + "\n")

    def write(encoding: str):
        path = tmp_path / "run.cfg"
        path.write_text(CONFIG.format(folder=tmp_path, encoding=encoding))
        return read_run_config(path)

    return write


@pytest.mark.parametrize(("encoding", "width"), [("one-hot", 3 + 15 + 6), ("embedding", 3 + 7 + 3 + 6)])
def test_the_model_takes_what_the_parts_give(config, encoding, width):
    found = inspect(config(encoding))
    layers = {layer.path: layer for layer in found.layers}
    assert layers["inputs"].output == f"(B, {width})"
    tables = {"E1": (13, 7), "E2": (4, 3)} if encoding == "embedding" else {}
    assert layers["inputs"].params == tables


@pytest.mark.parametrize("encoding", ["one-hot", "embedding"])
def test_a_run_learns_and_its_model_folder_reads_the_raw_file(config, encoding, tmp_path):
    train(config(encoding), tmp_path / "run")
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["accuracy"] == 1.0
    saved = lookup.find(tmp_path / "run")
    loaded = trained.from_files(saved.files, saved.folder)
    (part,) = predictions(loaded, CSVReader(tmp_path / "table.csv"), batch_size=1024)
    assert part.values == part.block.columns["sold"]


def test_a_city_that_training_never_had_is_unknown(config, tmp_path):
    train(config("embedding"), tmp_path / "run")
    saved = lookup.find(tmp_path / "run")
    loaded = trained.from_files(saved.files, saved.folder)
    (tmp_path / "new.csv").write_text("size,price,city,colour,day\n,,Atlantis,,\n")
    (part,) = predictions(loaded, CSVReader(tmp_path / "new.csv"), batch_size=64)
    assert part.values[0] in ("yes", "no")
    assert loaded.features[1].encode(part.block)["kinds"][0, 0] == 0


WRONG = {
    "a column that is not there": (
        'columns = ["size", "price"]',
        'columns = ["size", "prize"]',
        'run.cfg:18: features.*.measures.columns: no column is called "prize". Did you mean "price"?',
    ),
    "the target": (
        'columns = ["city", "colour"]',
        'columns = ["city", "sold"]',
        'run.cfg:22: features.*.kinds.columns: "sold" is the target, from which nothing is predicted: take it out here',
    ),
    "a column twice": (
        'columns = ["city", "colour"]',
        'columns = ["city", "city"]',
        'run.cfg:22: features.*.kinds.columns: each column can be used once, got "city", "city"',
    ),
    "text as numbers": (
        'columns = ["size", "price"]',
        'columns = ["size", "city"]',
        "table.csv:1: city: the column holds text, not numbers: categories.v1 or dates.v1 may take it",
    ),
    "text as dates": (
        'columns = ["day"]',
        'columns = ["colour"]',
        "table.csv:1: colour: the column holds text, not dates: categories.v1 or numbers.v1 may take it",
    ),
    "what never comes twice": (
        'columns = ["city", "colour"]',
        'columns = ["price"]',
        "run.cfg:22: features.*.kinds.columns: no value of column price comes 2 times (min_count)",
    ),
    "an argument of another": (
        'columns = ["day"]',
        'columns = ["day"]\nmin_count = 2',
        "run.cfg:28: features.*.when.min_count: dates.v1 has no argument min_count",
    ),
    "a setting that does nothing": (
        '@encoders = "columns.v1"',
        '@encoders = "columns.v1"\nexclude = ["day"]',
        "run.cfg:15: features.exclude: exclude would do nothing beside [features.*.NAME]",
    ),
    "a layer for an encoder": (
        '@encoders = "dates.v1"\ncolumns = ["day"]',
        '@layers = "Linear.v1"',
        "run.cfg:13: features: columns.v1 takes sections [features.*.NAME] with a line @encoders",
    ),
    "features as a target": (
        '"labels.v1"\ncolumn = "sold"',
        '"numbers.v1"\ncolumns = ["price"]',
        "run.cfg:31: target.columns: this encoder gives features, no target to predict",
    ),
    "a number to predict with a clip": (
        '"labels.v1"\ncolumn',
        '"numbers.v1"\nclip = 3.0\ncolumn',
        "run.cfg:31: target.clip: clip is for features, columns = [...]; a number to predict takes none",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_stands_at_its_line(config, tmp_path, name):
    old, new, message = WRONG[name]
    config("one-hot")
    path = tmp_path / "run.cfg"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises((ConfigError, DataError)) as caught:
        inspect(read_run_config(path))
    assert f"{tmp_path}/{message}" in str(caught.value)


def test_a_column_that_dev_data_lack_is_told_at_its_part(config, tmp_path):
    config("one-hot")
    (tmp_path / "dev.csv").write_text("size,price,colour,day,sold\n1,2,red,2024-01-01,yes\n")
    path = tmp_path / "run.cfg"
    path.write_text(path.read_text().replace('table.csv"\n\n[features]', 'dev.csv"\n\n[features]'))
    with pytest.raises(
        ConfigError, match=r'run\.cfg:22: features\.\*\.kinds\.columns: the dev data have no column "city"'
    ):
        inspect(read_run_config(path))


ROOT = Path(__file__).resolve().parents[2]


def test_the_penguins_are_told_apart(tmp_path):
    paths = [f"--paths.{name}={ROOT}/configs/data/penguins-{name}.csv" for name in ("train", "dev")]
    train(read_run_config(ROOT / "configs" / "penguins.cfg", overrides=paths), tmp_path / "run")
    saved = lookup.find(tmp_path / "run")
    loaded = trained.from_files(saved.files, saved.folder)
    (part,) = predictions(loaded, CSVReader(ROOT / "configs/data/penguins-test.csv"), batch_size=1024)
    right = np.mean([value == label for value, label in zip(part.values, part.block.columns["species"], strict=True)])
    assert right >= 0.97


def test_predictions_come_batch_by_batch_in_order_whatever_the_size(config, tmp_path):
    train(config("one-hot"), tmp_path / "run")
    saved = lookup.find(tmp_path / "run")
    loaded = trained.from_files(saved.files, saved.folder)
    (whole,) = predictions(loaded, CSVReader(tmp_path / "table.csv"), batch_size=1024)
    parts = list(predictions(loaded, CSVReader(tmp_path / "table.csv"), batch_size=7))
    assert all(len(part.values) == len(part.block) <= 7 for part in parts)
    assert [value for part in parts for value in part.values] == whole.values
    lines = [part.block.places.place(row) for part in parts for row in range(len(part.block))]
    assert lines == [whole.block.places.place(row) for row in range(len(whole.block))]
