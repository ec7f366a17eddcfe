"""Find the model that a user names, to evaluate it or to predict: exactly that one or an error; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
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
        raise ModelFileError(f"{path}: there is no such model: {err}") from err
    if (place / checkpoint.FOLDER).is_dir():
        return _best(place)
    if place.name == checkpoint.MODEL and checkpoint.STEP.fullmatch(place.parent.name):
        place = place.parent
    if (place / checkpoint.STATE).exists() or checkpoint.STEP.fullmatch(place.name):
        return _checkpoint(place)
    if not (place / manifest.NAME).exists():
        raise ModelFileError(f"{path}: is no run directory, checkpoint or model folder: it has no {manifest.NAME}")
    return SavedModel(manifest.load(place)[1], place, None, None)


def _best(run_dir: Path) -> SavedModel:
    """The best of a run, as the newest checkpoint knows it; without dev data there is no best but that one."""
    steps = checkpoint.steps(run_dir)
    if not steps:
        raise ModelFileError(f"{run_dir}: has no checkpoint yet")
    last = checkpoint.step_folder(run_dir, steps[0])
    best = _read(last).state.get("best")
    return _checkpoint(last if best is None else checkpoint.step_folder(run_dir, best["step"]))


def _checkpoint(path: Path) -> SavedModel:
    found = _read(path)
    run_dir = path.parents[1] if path.parent.name == checkpoint.FOLDER else None
    return SavedModel(found.model, path / checkpoint.MODEL, found.step, run_dir)


def _read(path: Path) -> checkpoint.Checkpoint:
    try:
        return checkpoint.read(path)
    except ModelFileError as err:
        run_dir = path.parents[1]
        names = [str(other) for other in checkpoint.whole(run_dir)] if path.parent.name == checkpoint.FOLDER else []
        rest = f"\nThese are whole: {', '.join(names)}" if names else ""
        raise ModelFileError(f"{err}{rest}") from err
