"""Which checkpoints stay: the newest, the best, and whatever is not ours."""

from __future__ import annotations

import os
import re
from pathlib import Path

from trainer_cli import checkpoint, manifest, storage
from trainer_cli.errors import ModelFileError
from trainer_cli.lock import Lock

WAS = re.compile(r"\.was-(step-[0-9]{10})")


def prune(run_dir: Path, best: int | None, keep: int = 2) -> list[int]:
    """Delete old checkpoints but the `keep` newest whole ones and that of step `best`; return the steps that went.

    Nothing goes unless a newer one has just been read back. A folder with a foreign file in it stays.
    """
    assert keep >= 1
    kept, gone = 0, []
    for step in checkpoint.steps(run_dir):
        path = checkpoint.step_folder(run_dir, step)
        if kept >= keep:
            if step != best and storage.remove_folder(path, checkpoint.FILES):
                gone.append(step)
        elif _is_whole(path):
            kept += 1
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
    if _is_whole(path):
        storage.remove_folder(was, checkpoint.FILES)
        return
    if os.path.lexists(path):
        storage.set_aside(path, "bad")
    storage.rename(was, path)


def _is_whole(path: Path) -> bool:
    try:
        manifest.verify(path)
    except ModelFileError:
        return False
    return True


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
