"""trainer evaluate"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trainer_cli.cli.outcome import delivered, outcome

if TYPE_CHECKING:
    from trainer_cli.data.reader import Reader
    from trainer_cli.lookup import SavedModel
    from trainer_cli.provenance import Conditions
    from trainer_cli.trained import Trained


def evaluate(
    model: Annotated[
        Path, typer.Argument(help="A run directory (its best), a checkpoint, or a model folder.", metavar="MODEL")
    ],
    data: Annotated[
        Path | None, typer.Argument(help="A data file, or a directory that holds one.", metavar="DATA")
    ] = None,
    test: Annotated[
        bool, typer.Option("--test", help="Score the test rows that the run's [data.split] held out.")
    ] = False,
    code: Annotated[
        list[Path] | None, typer.Option("--code", "-c", help="A Python file with parts of your own.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the scores to this JSON file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Score a trained model.

    On a raw file, as it was for training; without one, on the run's dev data.
    """
    with outcome(), delivered():
        from trainer_cli import lookup, provenance, trained, user_code

        user_code.import_files(code or [])
        saved = lookup.find(model)
        loaded = trained.from_files(saved.files, saved.folder)
        if output is not None:
            check_folder(output)
        with unnamed():
            found = readers_of(saved, loaded, data, test)
            scores = score(loaded, found, provenance.conditions(saved.run_dir), quiet)
        show(scores, saved, as_json)
        if output is not None:
            write(output, scores)


@contextmanager
def unnamed() -> Iterator[None]:
    """Mistakes of the data that were named on the command line, without the name of the reader's argument."""
    from trainer_cli.data.faults import FaultsError
    from trainer_cli.errors import DataError

    try:
        yield
    except DataError as err:
        if not any(problem.where == "path" and not problem.path for problem in err.problems):
            raise
        total = getattr(err, "total", len(err.problems))
        raise FaultsError([replace(problem, where="") for problem in err.problems], total) from err


def check_folder(path: Path) -> None:
    from trainer_cli.errors import ArgumentError

    if not path.parent.is_dir():
        raise ArgumentError(f"--output {path}: the folder {path.parent} is not there")


def readers_of(saved: SavedModel, loaded: Trained, data: Path | None, test: bool) -> dict[str, Reader]:
    """The data to score on by name: `data` read as the training data was, or the dev sets (or test rows) of the run."""
    from trainer_cli import provenance
    from trainer_cli.data import reader
    from trainer_cli.errors import ArgumentError

    if data is not None and test:
        raise ArgumentError("--test scores the rows that a run held out of its data: name no other data")
    if data is not None:
        return {"data": reader.rebuild(*loaded.reader, data)}
    if saved.run_dir is None:
        raise ArgumentError(f"{saved.folder}: a model folder has no dev data; name a data file after it")
    return {"test": provenance.last_reader(saved.run_dir)} if test else provenance.dev_readers(saved.run_dir)


def score(loaded: Trained, readers: dict[str, Reader], conditions: Conditions, quiet: bool) -> dict[str, Any]:
    """The scores as one flat entry each, with the loss, the number of rows and the seconds it took.

    Those of several sets are called `<set>.<score>`.
    """
    from trainer_cli.data import dataset
    from trainer_cli.data.row_weights import RowWeights
    from trainer_cli.evaluate import evaluate as tally
    from trainer_cli.job import score_name
    from trainer_cli.ops import get_ops
    from trainer_cli.progress import Progress
    from trainer_cli.threads import computing

    loaded.model.use_ops(get_ops(conditions.ops))
    start, progress = time.monotonic(), Progress(quiet=quiet)
    features, target, weights = loaded.features[1], loaded.target[1], RowWeights(loaded.weight_column)
    found: dict[str, Any] = {}
    for of, reader in readers.items():
        batches = dataset.stream(reader, features, target, conditions.eval_batch_size, weights)
        with computing(conditions.threads, loaded.model):
            scores = tally(loaded.model, loaded.loss, loaded.metrics, progress.reading(batches))
        each = {**scores.metrics, "loss": scores.loss, "n": scores.n}
        found |= {score_name(name, of, readers): value for name, value in each.items()}
    found["seconds"] = round(time.monotonic() - start, 3)
    return {name: value if math.isfinite(value) else None for name, value in found.items()}


def write(path: Path, scores: dict[str, Any]) -> None:
    from trainer_cli import storage

    with storage.reported(path):
        path.write_text(json.dumps(scores, indent=2) + "\n", encoding="utf-8")


def show(scores: dict[str, Any], saved: SavedModel, as_json: bool) -> None:
    """Print the scores on stdout, as JSON or as a table."""
    from trainer_cli import streams
    from trainer_cli.progress import console

    if as_json:
        streams.stdout().write(json.dumps(scores, indent=2) + "\n")
        return
    from rich import box
    from rich.table import Table

    from trainer_cli.table import shown

    step = "" if saved.step is None else f" (step {saved.step})"
    table = Table(title=f"{saved.folder}{step}", box=box.SIMPLE, title_justify="left", title_style="bold")
    table.add_column("score")
    table.add_column("value", justify="right")
    for name, value in scores.items():
        table.add_row(name, f"{value:,}" if isinstance(value, int) else shown(name, value))
    console(streams.stdout()).print(table)
