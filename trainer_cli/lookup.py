"""Find the model that a user names, to evaluate it or to predict: exactly that one or an error; nothing is written."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trainer_cli import checkpoint, manifest
from trainer_cli.errors import ModelFileError


@dataclass(frozen=True)
class SavedModel:
    """The files of a model folder by name, every byte checked.

    `folder` is where they lie; `step` and `run_dir` are known when that is a checkpoint of a run, else None.
    """

    files: Mapping[str, bytes]
    folder: Path
    step: int | None
    run_dir: Path | None


def find(path: Path) -> SavedModel:
    """The model at `path`: a run directory (its best), a checkpoint, or a model folder; links are resolved once.

    A ModelFileError says what is wrong with it and names the whole checkpoints there are.
    """
    try:
        place = path.resolve(strict=True)
    except (OSError, RuntimeError) as err:
        reason = err.strerror if isinstance(err, OSError) else "a loop of links"
        raise ModelFileError(f"{path}: there is no such model: {reason}") from err
    if os.path.isdir(place / checkpoint.FOLDER):
        return _best(place)
    if place.name == checkpoint.MODEL and checkpoint.step_of(place.parent.name) is not None:
        place = place.parent
    if os.path.exists(place / checkpoint.STATE) or checkpoint.step_of(place.name) is not None:
        return _checkpoint(place)
    if not os.path.exists(place / manifest.NAME):
        raise ModelFileError(f"{place}: is no run directory, checkpoint or model folder: it has no {manifest.NAME}")
    return SavedModel(manifest.load(place)[1], place, None, None)


def _best(run_dir: Path) -> SavedModel:
    """The best of a run, as the newest checkpoint knows it; without dev data there is no best but that one."""
    steps = checkpoint.steps(run_dir)
    if not steps:
        raise ModelFileError(f"{run_dir}: has no checkpoint yet")
    last = checkpoint.step_folder(run_dir, steps[0])
    try:
        with _alternatives(run_dir):
            best = checkpoint.check(last).get("best")
        return _checkpoint(last if best is None else checkpoint.step_folder(run_dir, best["step"]))
    except ModelFileError:
        if checkpoint.steps(run_dir)[:1] == steps[:1]:
            raise
        return _best(run_dir)  # the run is going on: it saved a newer one, and pruned, in between


def _checkpoint(path: Path) -> SavedModel:
    run_dir = path.parents[1] if path.parent.name == checkpoint.FOLDER else None
    with _alternatives(run_dir):
        step, files = checkpoint.read_model(path)
    return SavedModel(files, path / checkpoint.MODEL, step, run_dir)


@contextmanager
def _alternatives(run_dir: Path | None) -> Iterator[None]:
    """Add to an error which checkpoints of the run are whole."""
    try:
        yield
    except ModelFileError as err:
        names = [str(path) for path in checkpoint.whole(run_dir)] if run_dir else []
        rest = f"\nThese are whole: {', '.join(names)}" if names else ""
        raise ModelFileError(f"{err}{rest}") from err
