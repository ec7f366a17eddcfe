"""A saved model scored on data: which data, and what is found."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer_cli import assessment, provenance, trained
from trainer_cli.assessment import Assessment
from trainer_cli.data import dataset, reader
from trainer_cli.data.block import listing
from trainer_cli.data.known import KnownValues
from trainer_cli.data.labelled import labelled, told
from trainer_cli.data.reader import Reader
from trainer_cli.data.row_weights import RowWeights
from trainer_cli.errors import ArgumentError, DataError, Problem
from trainer_cli.extras import ENGINES
from trainer_cli.importance import Importances, importances
from trainer_cli.job import score_name
from trainer_cli.lookup import SavedModel
from trainer_cli.ops import get_ops
from trainer_cli.progress import Progress
from trainer_cli.provenance import Conditions
from trainer_cli.registry import nearest
from trainer_cli.threads import computing, fix_threads
from trainer_cli.trained import Trained
from trainer_cli.wrappers.engine import RowCounts, expect_rows


def load(saved: SavedModel) -> tuple[Trained, Conditions]:
    """A saved model, made ready to compute as its run did, and how that was."""
    conditions = provenance.conditions(saved.run_dir)
    fix_threads(conditions.threads, ENGINES.values())
    loaded = trained.from_files(saved.files, saved.folder)
    loaded.model.use_ops(get_ops(conditions.ops))
    loaded.loss.use_ops(loaded.model.ops)
    expect_rows(loaded.model, RowCounts(evaluation=conditions.eval_batch_size))
    return loaded, conditions


def readers_of(
    saved: SavedModel, loaded: Trained, data: Path | None, test: bool, given: Mapping[str, Any] | None = None
) -> dict[str, Reader]:
    """The data to score on by name: `data` read as the training data was, or the dev sets (or test rows) of the run."""
    target = loaded.target[1]
    if data is not None and test:
        raise ArgumentError("--test scores the rows that a run held out of its data: name no other data")
    if data is None and given:
        raise ArgumentError("--read says how a data file is read: name one after the model")
    if data is not None:
        weights = RowWeights(loaded.weight_column)
        uses = (*loaded.features[1].reads, *target.reads, *weights.reads)
        found = reader.rebuild(*loaded.reader, data, uses, given)
        check_labelled(found, loaded, data)
        return {"data": labelled(found, target)}
    if saved.run_dir is None:
        raise ArgumentError(f"{saved.folder}: a model folder has no dev data; name a data file after it")
    if test:
        return {"test": provenance.last_reader(saved.run_dir, target)}
    return provenance.dev_readers(saved.run_dir, target)


def check_labelled(found: Reader, loaded: Trained, data: Path) -> None:
    """DataError: the data have no column of what is to be predicted, so nothing can be scored."""
    columns = found.columns()
    if missing := [name for name in loaded.target[1].reads if name not in columns]:
        hint = nearest(missing[0], list(columns))
        rule = f"there is no column {missing[0]!r} to score by; trainer predict needs none.{hint}"
        raise DataError(problems=[Problem(f"{rule} The columns are {listing(columns)}", str(data))])


def score(
    loaded: Trained, readers: Mapping[str, Reader], conditions: Conditions, progress: Progress, n_errors: int
) -> tuple[dict[str, Any], dict[str, Assessment]]:
    """The scores as one flat entry each, with the loss, the number of rows and the seconds it took; and all that was
    found, by set.

    Scores of several sets are called `<set>.<score>`.
    """
    start = time.monotonic()
    features, target, weights = loaded.features[1], loaded.target[1], RowWeights(loaded.weight_column)
    found: dict[str, Any] = {}
    assessed: dict[str, Assessment] = {}
    for of, each_reader in readers.items():
        watch = assessment.watch_of(loaded, each_reader, n_errors)
        batches = dataset.stream(watch.passing, features, target, conditions.eval_batch_size, weights)
        seen = KnownValues(features)
        with computing(conditions.threads, loaded.model):
            assessed[of] = assessment.assess(loaded, progress.reading(seen.watch(batches)), watch)
        for line in (*told(each_reader, of if len(readers) > 1 else ""), *seen.lines()):
            progress.say(line)
        scores = assessed[of].scores
        each = {**scores.metrics, "loss": scores.loss, "n": scores.n}
        found |= {score_name(name, of, readers): value for name, value in each.items()}
    found["seconds"] = round(time.monotonic() - start, 3)
    return {name: value if math.isfinite(value) else None for name, value in found.items()}, assessed


def shuffled(loaded: Trained, readers: Mapping[str, Reader], conditions: Conditions) -> dict[str, Importances]:
    """How much the model leans on each column, by data set."""
    with computing(conditions.threads, loaded.model):
        return {of: importances(loaded, each, batch_size=conditions.eval_batch_size) for of, each in readers.items()}
