"""Every config that ships trains, at a small size, on data of its kind."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from commands import call

ROOT = Path(__file__).parent.parent.parent
CONFIGS = {path.stem: path for path in (ROOT / "configs").glob("*.cfg")}
STEPS = ("--training.max_steps=60", "--training.eval_frequency=30", "--training.patience=0")


@pytest.fixture(autouse=True)
def at_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def lines_of(path, n):
    with path.open(encoding="utf-8") as file:
        return [line for _, line in zip(range(n), file, strict=False)]


def short(folder, name, n):
    """The first rows of a data set that ships."""
    source = ROOT / "configs" / "data" / name
    (folder / name).write_text("".join(lines_of(source, n)), encoding="utf-8")
    return folder / name


def sentences(path, n, seed):
    """Made-up sentences in which the tag follows from the word's end, and an article comes before a noun."""
    numbers = random.Random(seed)
    text = []
    for _ in range(n):
        for _ in range(numbers.randint(1, 5)):
            noun, verb = numbers.choice(["ness\tNN", "ities\tNNS"]), numbers.choice(["ed\tVBD", "ing\tVBG"])
            text += ["the\tAT", f"w{numbers.randint(0, 40)}{noun}", f"w{numbers.randint(0, 40)}{verb}"]
        text.append("")
    path.write_text("\n".join(text) + "\n")


def letters(path, n, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 16))
    Y = (X[:, 0] > 0).astype(int) * 2 + (X[:, 1] > 0)
    header = ",".join([*(f"x{i}" for i in range(16)), "letter"])
    rows = [",".join([*(f"{value:.4f}" for value in row), "ABCD"[y]]) for row, y in zip(X, Y, strict=True)]
    path.write_text("\n".join([header, *rows]) + "\n")


def files_of(name, folder):
    """Training, dev and test data of a config's kind."""
    parts = ("train", "dev", "test")
    if name == "brown-tagger":
        found = [folder / f"{part}.conll" for part in parts]
        for seed, path in enumerate(found):
            sentences(path, 200, seed)
        return found
    if name == "letters":
        found = [folder / f"{part}.csv" for part in parts]
        for seed, path in enumerate(found):
            letters(path, 400, seed)
        return found
    stem, suffix = {"digits": ("digits", "csv"), "penguins": ("penguins", "csv")}.get(name, ("reviews", "jsonl"))
    return [short(folder, f"{stem}-{part}.{suffix}", 400) for part in parts]


# Their data does not ship: `test_images.py` trains them on made-up images.
OF_IMAGES = {"fashion-mnist", "fashion-mnist-ray", "fashion-mnist-cnn", "torch-cnn", "jax-mlp", "thinc-mlp"}
# The score, and what a guess that looks at no input reaches on these rows (a deviation of 1 for numbers).
GUESS = {"digits": 0.15, "penguins": 0.5, "letters": 0.3, "reviews": 0.55, "brown-tagger": 0.4}


@pytest.mark.parametrize("name", sorted(CONFIGS.keys() - OF_IMAGES))
def test_a_config_trains_scores_and_predicts(name, tmp_path):
    train, dev, test = files_of(name, tmp_path)
    paths = ("--paths.train", train, "--paths.dev", dev)
    call("train", CONFIGS[name], "-o", tmp_path / "run", "-q", *STEPS, *paths)
    found = json.loads(call("evaluate", tmp_path / "run", test, "--json").stdout)
    if name == "reviews-rating":
        rows = [json.loads(line)["rating"] for line in lines_of(test, 400)]
        assert found["rmse"] < np.std(rows)
    else:
        assert found["accuracy"] > GUESS[name]
    assert call("predict", tmp_path / "run", test).stdout.count("\n") >= 70


@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_a_config_is_short(name):
    assert len(CONFIGS[name].read_text(encoding="utf-8").splitlines()) < 60
