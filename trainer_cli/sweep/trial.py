"""One trial of a sweep: what it tries, in which state it is, and what came of it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from trainer_cli.errors import ModelFileError, StorageError
from trainer_cli.sweep.space import Params

# running: not over (or its sweep was killed); finished: by a limit of its config; pruned: ended for being behind;
# stopped: with the sweep, by a signal or the budget; killed: its process was ended from outside; diverged, failed: by
# itself.
State = Literal["running", "finished", "pruned", "stopped", "killed", "diverged", "failed"]
STATES: tuple[State, ...] = get_args(State)
# Those that --resume goes on with.
UNDONE = ("running", "stopped", "killed")
# Those whose config may be trained again and reaches the same score.
SOUND = ("finished", "pruned", "stopped", "killed", "running")


@dataclass(frozen=True)
class Trial:
    """A row of trials.jsonl.

    `params`: the swept keys as they were typed, with their values. `reason`: the limit that ended a run, or what went
    wrong. `score`: the best of the score that is watched, `score_step` after how many updates, `scores` all others
    there. `steps`, `seconds`: updates and training time. `exit_code`: of the process that trained it last. `curve`:
    where trials are pruned, after how many updates it had which score at best, turned so that higher is better, or
    none that is a finite number.
    """

    trial: int
    params: Params
    state: State = "running"
    reason: str = ""
    score: float | None = None
    score_step: int | None = None
    scores: Mapping[str, float | None] = field(default_factory=dict)
    steps: int = 0
    seconds: float = 0.0
    threads: int | None = None
    exit_code: int | None = None
    folder: str = ""
    curve: list[list[Any]] | None = None

    @property
    def is_undone(self) -> bool:
        """Whether --resume goes on with it; a disk that was full may have room again."""
        return self.state in UNDONE or (self.state == "failed" and self.exit_code == StorageError.exit_code)

    @property
    def is_candidate(self) -> bool:
        """Whether it can be the best."""
        return self.score is not None and math.isfinite(self.score) and self.state in SOUND

    def row(self) -> dict[str, Any]:
        """Its row as JSON; what is not known and what need not be is left out."""
        optional = {"threads", "exit_code", "curve"}
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {key: value for key, value in values.items() if value is not None or key not in optional}


def line(trial: Trial) -> str:
    """Its line of trials.jsonl."""
    return json.dumps(trial.row(), allow_nan=False) + "\n"


def from_row(row: Any, place: str) -> Trial:
    """The trial of a row. ModelFileError: it is none of ours."""
    try:
        found = Trial(**row)
        is_ours = type(found.trial) is int and isinstance(found.params, dict) and found.state in STATES
    except TypeError:
        is_ours = False
    if not is_ours:
        raise ModelFileError(f"{place}: is no row of a sweep")
    return found


def folder_of(number: int) -> str:
    """The name of a trial's run directory."""
    return f"trial-{number:04d}"
