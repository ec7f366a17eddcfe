"""Checkpoints of a run: folders that are complete or do not exist for us.

    checkpoints/step-0000001200/
        model/                  the files that predict, and manifest.json; stands alone
        optimizer.safetensors   arrays by name
        state.json              the truth about the run; floats as `float.hex` texts
        manifest.json           size and sha256 of all of these

Nothing here knows what a model is: files are bytes, the optimizer is arrays, the state is JSON. Order comes from the
step number, never from time, and no pointer to the newest is trusted: it is the highest step that is whole.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer_cli import json_text, manifest, names, storage, tensors
from trainer_cli.arrays import Array
from trainer_cli.errors import DamagedError, ModelFileError, StorageError
from trainer_cli.folder import Folder, damaged, readable
from trainer_cli.lock import Lock

FORMAT = 1
FOLDER = "checkpoints"
STEP = re.compile(r"step-([0-9]{10})")
OPTIMIZER, STATE, MODEL = "optimizer.safetensors", "state.json", "model"
MODEL_FILES = ("config.cfg", "params.safetensors", "encoders.json", "encoders.safetensors", "meta.json")
# Every file a checkpoint can have: what is called otherwise is not ours, and never deleted.
FILES = (OPTIMIZER, STATE, manifest.NAME, *(f"{MODEL}/{name}" for name in (*MODEL_FILES, manifest.NAME)))


@dataclass(frozen=True)
class Checkpoint:
    """A run after `step` updates.

    `model` is the files of `model/` by name (of MODEL_FILES), `optimizer` arrays by name. `state` is whatever JSON
    holds, floats to the bit; its "step" is set to `step`, "format" is not for the caller. Under "best" it has None or
    {"step": int, "score": float}: from it the pointers to the best checkpoint are made.
    """

    step: int
    model: Mapping[str, bytes]
    optimizer: Mapping[str, Array]
    state: Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """The newest whole checkpoint, None if there is no checkpoint at all, and a sentence on each that was skipped."""

    checkpoint: Checkpoint | None
    skipped: tuple[str, ...]


def step_path(run_dir: Path, step: int) -> Path:
    """Where the checkpoint of `step` belongs."""
    return run_dir / FOLDER / f"step-{step:010d}"


def step_folder(run_dir: Path, step: int) -> Path:
    """Where the checkpoint of `step` lies: if a crash or an error cut its replacement short, it waits beside."""
    path = step_path(run_dir, step)
    if os.path.lexists(path) or not os.path.isdir(path.parent):
        return path
    return next(iter(names.superseded(path)), path)


def step_of(name: str) -> int | None:
    """The step in the name of a checkpoint's folder, or of one that waits while it is replaced."""
    waiting = names.WAS.fullmatch(name)
    found = STEP.fullmatch(waiting["name"] if waiting else name)
    return int(found[1]) if found else None


def save(run_dir: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint; when this returns it is durable and has been read back.

    A checkpoint of the same step is replaced, and stays until the new one is whole. StorageError: nothing changed,
    and another try writes new files.
    """
    path = step_path(run_dir, checkpoint.step)
    if os.path.islink(path.parent):
        raise StorageError(f"{path.parent}: is a link; nothing is written through it")
    storage.make_folder(path.parent)
    storage.commit_folder(path, pack(checkpoint))
    try:
        check(path)
    except ModelFileError as err:
        storage.set_aside(path, "bad")
        for was in names.superseded(path)[:1]:
            storage.rename(was, path)
        raise StorageError(f"{path}: what was written could not be read back: {err}") from err
    with suppress(StorageError):  # the new one is durable; what is left of the old one goes at the next start
        let_go(path)
    return path


def let_go(path: Path) -> None:
    """Remove the folders that the one at `path` replaced; one with a foreign file in it is renamed to `.old-*`."""
    for was in names.superseded(path):
        if not storage.remove_folder(was, FILES):
            storage.rename(was, names.unused(path.with_name(f".old-{path.name}")))


def pack(checkpoint: Checkpoint) -> dict[str, bytes]:
    """The files of a checkpoint's folder by relative name."""
    state = {**checkpoint.state, "step": checkpoint.step}
    assert set(checkpoint.model) <= set(MODEL_FILES), f"not among {MODEL_FILES}: {sorted(checkpoint.model)}"
    assert "format" not in state, "the format number is not the caller's"
    assert checkpoint.state.get("step", checkpoint.step) == checkpoint.step, "the state is of another step"
    files = {f"{MODEL}/{name}": data for name, data in checkpoint.model.items()}
    files[f"{MODEL}/{manifest.NAME}"] = manifest.make(checkpoint.model)
    files[OPTIMIZER] = tensors.to_bytes(checkpoint.optimizer)
    files[STATE] = json_text.dumps(json_text.encode(state) | {"format": FORMAT})
    files[manifest.NAME] = manifest.make(files, checkpoint.step)
    return files


def read(path: Path) -> Checkpoint:
    """The checkpoint in the folder `path`, every byte of it checked.

    DamagedError when it is not what was written, ModelFileError when it cannot be read for another reason, such as a
    newer format.
    """
    state, files = _contents(path, "")
    optimizer = tensors.from_bytes(files[OPTIMIZER], path / OPTIMIZER)
    return Checkpoint(state["step"], _model(files), optimizer, state)


def read_model(path: Path) -> tuple[int, dict[str, bytes]]:
    """The step and the model's files of the checkpoint `path`, every byte of which is checked as `read` does."""
    state, files = _contents(path, f"{MODEL}/")
    return state["step"], _model(files)


def check(path: Path) -> dict[str, Any]:
    """The state of the checkpoint `path`, every byte of which is checked as `read` does, a file at a time in memory."""
    return _contents(path, STATE)[0]


def _contents(path: Path, prefix: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The state of a checkpoint, and of its files those whose names begin with `prefix`."""
    with Folder(path) as folder:
        found = manifest.read(folder)
        wanted = (STATE, prefix)
        files = {name: data for name, data in manifest.contents(folder, found) if name.startswith(wanted)}
    return _state(path, found, files), files


def _model(files: Mapping[str, bytes]) -> dict[str, bytes]:
    within = {name.removeprefix(f"{MODEL}/"): data for name, data in files.items() if name.startswith(f"{MODEL}/")}
    return {name: data for name, data in within.items() if name != manifest.NAME}


def _state(path: Path, found: manifest.Manifest, files: Mapping[str, bytes]) -> dict[str, Any]:
    missing = {OPTIMIZER, STATE, f"{MODEL}/{manifest.NAME}"} - set(found.files)
    if missing:
        raise damaged(path / manifest.NAME, f"does not list {min(missing)}, which every checkpoint has")
    try:
        state = json_text.decode(json_text.loads(files[STATE]))
    except (ValueError, OverflowError) as err:
        raise damaged(path / STATE, str(err)) from err
    manifest.check_format(state, path / STATE)
    named = step_of(path.name)
    if not found.step == state.get("step") == (found.step if named is None else named):
        raise damaged(path, "its name, its manifest and its state are of different steps")
    best = state.get("best")
    if best is not None and not (isinstance(best, dict) and type(best.get("step")) is int and "score" in best):
        raise damaged(path / STATE, "expected a step and a score", "best")
    return {key: value for key, value in state.items() if key != "format"}


def steps(run_dir: Path) -> list[int]:
    """The steps that have a folder, whole or not, highest first."""
    folder = run_dir / FOLDER
    if os.path.islink(folder):
        raise ModelFileError(f"{folder}: is a link; links inside a run directory are not followed")
    if not os.path.isdir(folder):
        return []
    with readable(folder):
        found = {step_of(name) for name in os.listdir(folder)}
    return sorted((step for step in found if step is not None), reverse=True)


def newest(run_dir: Path, lock: Lock | None = None) -> Found:
    """The newest whole checkpoint. With the `lock` of the run, damaged newer ones are renamed to `.bad-*`.

    ModelFileError when there are checkpoints and none is whole: to start anew is for the user to decide.
    """
    bad: list[tuple[Path, DamagedError]] = []
    checkpoint = None
    for step in steps(run_dir):
        path = step_folder(run_dir, step)
        try:
            checkpoint = read(path)
            break
        except DamagedError as err:
            bad.append((path, err))
    if checkpoint is None and bad:
        reasons = "\n".join(str(err) for _, err in bad)
        raise ModelFileError(f"{run_dir}: no checkpoint is whole; --overwrite starts anew and keeps them.\n{reasons}")
    if lock is not None:
        assert lock.held
        for path, _ in bad:
            storage.set_aside(path, "bad")
    return Found(checkpoint, tuple(f"skipped {path.name}: {err}" for path, err in bad))


def whole(run_dir: Path) -> Iterator[Path]:
    """The folders of the checkpoints that are whole, newest first."""
    for step in steps(run_dir):
        path = step_folder(run_dir, step)
        try:
            check(path)
        except ModelFileError:
            continue
        yield path
