"""Train on all rows but a part, score on that part, and so for each: how good a config is, and how sure that is."""

from __future__ import annotations

import copy
import math
import statistics
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainer_cli import json_text, lookup, storage
from trainer_cli.arrays import Ints
from trainer_cli.config.loaded import load_text
from trainer_cli.config.run_config import RunConfig, check_run
from trainer_cli.config.writer import write
from trainer_cli.data.block import Block
from trainer_cli.data.faults import shown
from trainer_cli.data.splits.fold import FoldSplit
from trainer_cli.data.splits.split import texts
from trainer_cli.errors import ArgumentError, ConfigError, OutputError
from trainer_cli.placing import placed
from trainer_cli.session import Ending, Session
from trainer_cli.signals import StopFlag
from trainer_cli.sources import sources
from trainer_cli.trained import read_meta
from trainer_cli.watched import WatchedReader

NAME = "folds.json"


@dataclass(frozen=True)
class Spread:
    """What the folds' values of one score come to; the deviation is that of a sample, divided by n - 1."""

    mean: float
    deviation: float
    low: float
    high: float


def fold_split(config: RunConfig, fold: int, folds: int) -> dict[str, Any]:
    """The section [data.split] of one fold: classes stay in proportion, and groups together, as the config has it."""
    section = dict(config.config["data"].get("split", {}))
    name, column = section.get("@splits"), section.get("column")
    found: dict[str, Any] = {"@splits": "fold.v1", "fold": fold, "folds": folds}
    if name == "time.v1":
        message = "folds would train on rows that are newer than those held out: leave [data.split] out, or train once"
        raise ConfigError(problems=[config.problem("data.split", message)])
    if name == "hash.v1":
        return found | {"group": column}
    target = config.config.get("target", {})
    if target.get("@encoders") == "labels.v1" and isinstance(target.get("column"), str):
        return found | {"column": column or target["column"]}
    return found


def fold_config(config: RunConfig, fold: int, folds: int) -> RunConfig:
    """The config of one fold: the training rows divided, in the place of the dev data or split it has."""
    tree = copy.deepcopy(dict(config.config))
    tree["data"] = {"train": tree["data"]["train"], "split": fold_split(config, fold, folds)}
    return check_run(load_text(write(tree), f"{config.path} (fold {fold})"), config.registry)


def check_folds(config: RunConfig, folds: int, flag: StopFlag) -> None:
    """Look at the rows before a fold is trained. ArgumentError: there are fewer rows or groups than folds, or a fold
    would hold out all rows of a class."""
    first = fold_config(config, 1, folds)
    found = sources(first)
    split, (_, target) = found.split, found.target
    assert isinstance(split, FoldSplit)
    is_strict = getattr(target, "truths", "") == "classes" and getattr(target, "unknown", "") == "error"
    column, seen = (target.reads[0] if is_strict else None), array("q")
    numbers: dict[str, int] = {}

    def watched() -> Iterator[Block]:
        for block in WatchedReader(found.train, flag).blocks():
            if column is not None:
                seen.extend(numbers.setdefault(name, len(numbers)) for name in texts(block, column))
            yield block

    with placed(first, "data.split"):
        held_out = split.folds_of(watched(), first.system.seed)
    n = len(np.unique(held_out))
    if n < folds:
        what = "row" if split.group is None else f"group of rows by {shown(split.group)}"
        raise ArgumentError(f"--folds {folds}: the data have {counted(n, what)}, and each fold holds out at least one")
    if name := in_one_fold(list(numbers), np.frombuffer(seen, np.int64), held_out):
        message = f"all rows of the class {shown(name)} would be held out at once, and none be left to learn it from"
        raise ArgumentError(f'--folds {folds}: {message}; with unknown = "miss" in [target] they count as wrong')


def in_one_fold(names: Sequence[str], classes: Ints, held_out: Ints) -> str | None:
    """The first class all of whose rows are in one fold; None if there is none."""
    low, high = np.full(len(names), np.iinfo(np.int64).max), np.full(len(names), -1)
    np.minimum.at(low, classes, held_out)
    np.maximum.at(high, classes, held_out)
    return next((name for name, is_one in zip(names, low == high, strict=True) if is_one), None)


def counted(n: int, what: str) -> str:
    """
    >>> counted(1, "row"), counted(12, "group of rows")
    ('1 row', '12 groups of rows')
    """
    noun, space, more = what.partition(" ")
    return f"{n:,} {noun}{'s' if n > 1 else ''}{space}{more}"


def check_folder(folder: Path, resume: bool, overwrite: bool) -> None:
    """OutputError: the folder holds something, and it is not said what is to become of it."""
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / NAME).exists():
            raise OutputError(f"{folder}: is not empty, and holds no folds of ours; name another --output")
        if not resume and not overwrite:
            raise OutputError(
                f"{folder}: is not empty; use --resume to go on, --overwrite to set the folds' runs aside"
            )


def train_fold(
    session: Session, config: RunConfig, folder: Path, fold: int, folds: int, *, resume: bool, overwrite: bool
) -> Ending:
    """Train one fold in its own run directory, `folder/fold-N`, or go on with it."""
    run_dir = folder / f"fold-{fold}"
    begun = run_dir.exists()
    return session.train(
        fold_config(config, fold, folds), run_dir, resume=resume and begun, overwrite=overwrite and begun
    )


def scores_of(run_dir: Path) -> dict[str, float]:
    """The dev scores of the best model of a run."""
    found = lookup.find(run_dir)
    scores = read_meta(found.files["meta.json"], found.folder / "meta.json")["scores"]
    return {name: float(value) for name, value in scores.items()}


def spreads(scores: Sequence[Mapping[str, float]]) -> dict[str, Spread]:
    """Mean and spread of every score over the folds that have it as a number."""
    found = {}
    for name in dict.fromkeys(name for each in scores for name in each):
        values = [each[name] for each in scores if math.isfinite(each.get(name, math.nan))]
        if values:
            deviation = statistics.stdev(values) if len(values) > 1 else math.nan
            found[name] = Spread(statistics.fmean(values), deviation, min(values), max(values))
    return found


def report(scores: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """The scores of all folds, and what they come to, as JSON."""
    found = {name: vars(spread) for name, spread in spreads(scores).items()}
    return {"folds": [finite(each) for each in scores], "scores": {name: finite(each) for name, each in found.items()}}


def finite(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def note(folder: Path, scores: Sequence[Mapping[str, float]]) -> None:
    """Write what is known so far; the file marks the folder as one of ours."""
    storage.make_folder(folder)
    storage.replace_file(folder / NAME, json_text.dumps(report(scores)))
