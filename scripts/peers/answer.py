"""What every peer is asked, and how it answers: `python PEER.py TRAIN DEV TEST --seed N` prints JSON on stdout."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

Model = TypeVar("Model")


@dataclass(frozen=True)
class Question:
    """Learn from `train`, choose among settings by `dev` alone, and score on `test` at the end."""

    train: Path
    dev: Path
    test: Path
    seed: int
    options: argparse.Namespace


def answer(
    measure: Callable[[Question], dict[str, Any]], packages: Iterable[str], **options: str | float | None
) -> None:
    """Ask `measure` and print its scores, with the seconds it took and the versions of the packages it used.

    `options` are further command-line options with their defaults; one whose default is None has to be given.
    """
    parser = argparse.ArgumentParser(description=measure.__doc__)
    for name in ("train", "dev", "test"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--seed", type=int, default=0)
    for name, default in options.items():
        kind = str if default is None else type(default)
        parser.add_argument(f"--{name}", type=kind, default=default, required=default is None)
    arguments = parser.parse_args()
    start = time.monotonic()
    scores = measure(Question(arguments.train, arguments.dev, arguments.test, arguments.seed, arguments))
    scores.setdefault("seconds", round(time.monotonic() - start, 2))
    versions = {name: importlib.metadata.version(name) for name in packages}
    print(json.dumps({"scores": scores, "versions": versions}))


def best(candidates: Iterable[tuple[str, Callable[[], Model]]], score: Callable[[Model], float]) -> tuple[str, Model]:
    """The trained candidate with the highest score, and its name; the first of equals."""
    found = [(name, train()) for name, train in candidates]
    scores = [score(model) for _, model in found]
    return found[scores.index(max(scores))]
