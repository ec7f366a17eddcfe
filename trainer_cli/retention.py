"""Which checkpoints stay: the newest, the best, and whatever is not ours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from trainer_cli import checkpoint, names, storage
from trainer_cli.errors import ModelFileError
from trainer_cli.lock import Lock


def prune(run_dir: Path, keep: int = 2) -> list[int]:
    """Delete old checkpoints but the `keep` newest whole ones and the best one of each; return the steps that went.

    Nothing goes unless a newer one has just been read back. The best as an older checkpoint knows it stays with that
    one, so that falling back to it finds its best as well. A folder with a foreign file in it stays.
    """
    assert keep >= 1
    kept, best, gone = 0, set(), []
    for step in checkpoint.steps(run_dir):
        path = checkpoint.step_folder(run_dir, step)
        if kept >= keep:
            if step not in best and storage.remove_folder(path, checkpoint.FILES):
                gone.append(step)
        elif (state := _whole_state(path)) is not None:
            kept += 1
            # A run that ended off its beat has two: the other one holds again if it is extended.
            for known in (state, state.get("before_final") or {}):
                best.add((known.get("best") or {}).get("step"))
    return gone


def tidy(run_dir: Path, lock: Lock) -> None:
    """Put a run directory in order after a crash: remove what was half written, finish what was half replaced."""
    assert lock.held
    folder = run_dir / checkpoint.FOLDER
    for path in _entries(run_dir):
        if names.LEFTOVER.fullmatch(path.name) and (os.path.islink(path) or os.path.isfile(path)):
            storage.remove_file(path)
    for path in _entries(folder) if not os.path.islink(folder) else []:
        leftover = names.LEFTOVER.fullmatch(path.name)
        if leftover and checkpoint.step_of(leftover["name"]) is not None:
            storage.remove_folder(path, checkpoint.FILES)
    for step in checkpoint.steps(run_dir):
        _settle(checkpoint.step_path(run_dir, step))


def _settle(path: Path) -> None:
    """Give the name `path` to the latest folder of its step that is whole, and let the earlier ones go."""
    for was in names.superseded(path):
        if _whole_state(path) is not None:
            break
        if os.path.lexists(path):
            storage.set_aside(path, "bad")
        storage.rename(was, path)
    checkpoint.let_go(path)


def _whole_state(path: Path) -> dict[str, Any] | None:
    try:
        return checkpoint.check(path)
    except ModelFileError:
        return None


def _entries(folder: Path) -> list[Path]:
    with storage.reported(folder):
        return sorted(folder.iterdir()) if os.path.isdir(folder) else []
