"""Which checkpoints stay: the newest, the best, and whatever is not ours."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from trainer_cli import checkpoint, storage
from trainer_cli.errors import ModelFileError
from trainer_cli.lock import Lock

WAS = re.compile(r"\.was-(step-[0-9]{10})")


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
            best.add((state.get("best") or {}).get("step"))
    return gone


def tidy(run_dir: Path, lock: Lock) -> None:
    """Put a run directory in order after a crash: remove what was half written, finish what was half replaced."""
    assert lock.held
    folder = run_dir / checkpoint.FOLDER
    for path in _entries(run_dir):
        if storage.LEFTOVER.fullmatch(path.name) and (path.is_symlink() or path.is_file()):
            storage.remove_file(path)
    for path in _entries(folder) if not folder.is_symlink() else []:
        if path.is_symlink() or not path.is_dir():
            continue
        if replaced := WAS.fullmatch(path.name):
            _settle(path, folder / replaced[1])
        elif (leftover := storage.LEFTOVER.fullmatch(path.name)) and checkpoint.STEP.fullmatch(leftover["name"]):
            storage.remove_folder(path, checkpoint.FILES)


def _settle(was: Path, path: Path) -> None:
    """A crash came while `path` took the place of `was`: the old one goes if the new one is whole, else comes back."""
    if _whole_state(path) is not None:
        storage.remove_folder(was, checkpoint.FILES)
        return
    if os.path.lexists(path):
        storage.set_aside(path, "bad")
    storage.rename(was, path)


def _whole_state(path: Path) -> dict[str, Any] | None:
    try:
        return checkpoint.check(path)
    except ModelFileError:
        return None


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
