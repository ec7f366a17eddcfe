"""What is trained on, chosen by and scored on: the files of every line of the comparison."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import snippets

DATA = Path("configs/data")
SEEDS = (0, 1, 2)
N_SPLITS = 10
HELD_OUT = {"test": 0.1, "dev": 0.09}


@dataclass(frozen=True)
class Case:
    """One run: its files, its seed, and how a config is told of the files."""

    train: Path
    dev: Path
    test: Path
    seed: int
    overrides: tuple[str, ...]


Cases = Callable[[Path], list[Case]]


def shipped(stem: str, suffix: str) -> Cases:
    """The files `STEM-train`, `-dev` and `-test` of configs/data, once for each seed."""

    def cases(scratch: Path) -> list[Case]:
        train, dev, test = (DATA / f"{stem}-{part}.{suffix}" for part in ("train", "dev", "test"))
        return [Case(train, dev, test, seed, told(train, dev)) for seed in SEEDS]

    return cases


def fashion_mnist(scratch: Path) -> list[Case]:
    """The 60,000 images for training and the 10,000 for tests; nothing is chosen by the dev scores."""
    train, test = (DATA / "fashion-mnist" / f"{part}-images-idx3-ubyte.gz" for part in ("train", "t10k"))
    return [Case(train, test, test, seed, ()) for seed in SEEDS]


def review_labels(scratch: Path) -> list[Case]:
    """Ten splits of the snippets that are positive or negative."""
    return reviews(scratch / "labels", snippets.clear)


def review_ratings(scratch: Path) -> list[Case]:
    """Ten splits of all snippets, neutral ones too."""
    return reviews(scratch / "ratings", lambda rows: rows)


def reviews(folder: Path, choose: Callable[[list[snippets.Snippet]], list[snippets.Snippet]]) -> list[Case]:
    """Ten splits by a salted hash of the id: a tenth to test on, a tenth of the rest to choose by."""
    text = (DATA / "reviews" / "reviews-all.jsonl").read_text(encoding="utf-8")
    records = [json.loads(line) for line in text.split("\n") if line]
    rows = choose([snippets.Snippet(row["id"], row["text"], row["rating"]) for row in records])
    folder.mkdir(parents=True, exist_ok=True)
    cases = []
    for number in range(N_SPLITS):
        files = {}
        for part, chosen in snippets.split(rows, HELD_OUT, salt=f"{number} ").items():
            files[part] = folder / f"{number}-{part}.jsonl"
            snippets.write(files[part], chosen)
        overrides = told(files["train"], files["dev"])
        cases.append(Case(files["train"], files["dev"], files["test"], number, overrides))
    return cases


def told(train: Path, dev: Path) -> tuple[str, ...]:
    return ("--paths.train", str(train), "--paths.dev", str(dev))
