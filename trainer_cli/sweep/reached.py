"""What a run has reached, by its own files: for trials whose process cannot tell it any more, as well."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from trainer_cli import checkpoint
from trainer_cli.errors import ModelFileError, StorageError
from trainer_cli.session import LOG

# What a row of the log says beside losses and scores.
NO_SCORES = {"step", "epoch", "samples", "learn_rate", "batch_size", "seconds", "final"}


def reached(run_dir: Path, *, higher_is_better: bool) -> dict[str, Any]:
    """The best score and where it was, all scores there, updates and seconds, as the newest whole checkpoint knows
    them; nothing where there is none."""
    try:
        found = checkpoint.newest(run_dir).checkpoint
    except (ModelFileError, StorageError):
        return {}
    if found is None:
        return {}
    best = found.state.get("best")
    known = {"steps": found.step, "seconds": round(found.state["seconds"], 3)}
    if best is None:
        return known
    score = best["score"] if higher_is_better else -best["score"]
    scores = scores_at(run_dir, best["step"])
    return known | {"score": finite(score), "score_step": best["step"], "scores": scores}


def scores_at(run_dir: Path, step: int) -> dict[str, float | None]:
    """All scores of the evaluation after `step` updates, as the log has them."""
    try:
        rows = [json.loads(line) for line in (run_dir / LOG).read_text("utf-8").splitlines() if line.endswith("}")]
    except (OSError, ValueError):
        return {}
    row: dict[str, Any] = next((row for row in reversed(rows) if row.get("step") == step), {})
    return {key: value for key, value in row.items() if key not in NO_SCORES}


def finite(value: float | None) -> float | None:
    """A number that JSON can hold, or nothing."""
    return value if value is not None and math.isfinite(value) else None
