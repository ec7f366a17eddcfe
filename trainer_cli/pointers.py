"""best.json, model-best and model-last: for people and tools. The truth is in state.json; these are made from it."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer_cli import checkpoint, json_text, manifest, storage
from trainer_cli.errors import ModelFileError
from trainer_cli.folder import Folder

BEST, BEST_LINK, LAST_LINK = "best.json", "model-best", "model-last"


def refresh(run_dir: Path, state: Mapping[str, Any]) -> None:
    """Make the pointers say what the `state` of the newest checkpoint says; what is right already is not written.

    Without a best there are none to it: a run that goes on after its end may have lost the only one.
    """
    storage.link(run_dir / LAST_LINK, _model(state["step"]))
    best = state.get("best")
    if best is None:
        for path in (run_dir / BEST, run_dir / BEST_LINK):
            if os.path.lexists(path):
                storage.remove_file(path)
        return
    score = best["score"] if math.isfinite(best["score"]) else str(best["score"])
    seal = _seal(run_dir, best["step"])
    data = json_text.dumps({"step": best["step"], "score": score, "manifest_sha256": seal})
    path = run_dir / BEST
    with storage.reported(path):
        right = os.path.isfile(path) and not os.path.islink(path) and path.read_bytes() == data
    if not right:
        storage.replace_file(path, data)
    storage.link(run_dir / BEST_LINK, _model(best["step"]))


def _model(step: int) -> str:
    return f"{checkpoint.FOLDER}/step-{step:010d}/{checkpoint.MODEL}"


def _seal(run_dir: Path, step: int) -> str | None:
    """The manifest's own hash, or None when the best checkpoint is no longer readable."""
    try:
        with Folder(checkpoint.step_folder(run_dir, step)) as folder:
            return manifest.read(folder).seal
    except ModelFileError:
        return None
