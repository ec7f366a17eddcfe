"""The files beside a data file that are plainly meant for it: dev and test data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

DEV = ("dev", "valid", "validation", "val")
TEST = ("test",)
TRAIN = re.compile(r"(?<![a-z])train(?:ing)?(?![a-z])", re.IGNORECASE)
SUFFIXES = re.compile(r"(?:\.\w+)+$")


def siblings(path: Path) -> tuple[Path | None, Path | None]:
    """The dev and the test file of a training file: `x-dev.csv` and `x-test.csv` of `x-train.csv` or `x.csv`.

    Beside an `x-train.csv` the file `x.csv` has none: it is the whole of which the others are parts.
    """
    if not is_train(path) and first_there(path, ("train", "training")):
        return None, None
    return first_there(path, DEV), first_there(path, TEST)


def is_train(path: Path) -> bool:
    """
    >>> is_train(Path("x-train.csv")), is_train(Path("Train.tsv")), is_train(Path("strain.csv"))
    (True, True, False)
    """
    return TRAIN.search(path.name) is not None


def first_there(path: Path, words: Sequence[str]) -> Path | None:
    return next((each for word in words for each in candidates(path, word) if is_there(each, path)), None)


def is_there(one: Path, path: Path) -> bool:
    """Whether there is a file beside a file, or a folder beside a folder."""
    return one.is_dir() if path.is_dir() else one.is_file()


def train_folder(folder: Path) -> Path | None:
    """Of a folder whose sub-folders are called train and test, or dev, the one for training: they are no classes."""
    names = {path.name.lower(): path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")}
    train = next((names[name] for name in ("train", "training") if name in names), None)
    return train if len(names) > 1 and names.keys() <= {"train", "training", *DEV, *TEST} else None


def candidates(path: Path, word: str) -> list[Path]:
    """The names that a file for `word` would have.

    >>> [str(each) for each in candidates(Path("a/x_train.csv.gz"), "dev")]
    ['a/x_dev.csv.gz']
    >>> [str(each) for each in candidates(Path("x.csv"), "dev")]
    ['x-dev.csv', 'x_dev.csv', 'x.dev.csv']
    """
    if TRAIN.search(path.name):
        return [path.with_name(TRAIN.sub(word, path.name))]
    ending = SUFFIXES.search(path.name)
    suffix = ending[0] if ending else ""
    return [path.with_name(f"{path.name.removesuffix(suffix)}{mark}{word}{suffix}") for mark in "-_."]
