"""What a sweep keeps of itself in its folder, so that it can be gone on with after any kill."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from trainer_cli import changes, json_text, lock, names, storage
from trainer_cli.config.loaded import load, load_text
from trainer_cli.config.run_config import RunConfig
from trainer_cli.errors import ConfigError, ModelFileError, OutputError
from trainer_cli.lock import Lock
from trainer_cli.sweep.trial import Trial, from_row, line

PLAN, CONFIG, TRIALS, BEST = "sweep.json", "sweep.cfg", "trials.jsonl", "best.cfg"
FORMAT = 1


@dataclass(frozen=True)
class Plan:
    """What makes the trials of a sweep: two calls with the same have the same trials.

    space: the words of the command line. metric: the one that was asked for, if one was. seed: that of the config.
    """

    space: tuple[str, ...]
    search: str
    prune: str | None = None
    metric: str | None = None
    seed: int = 0

    def changes(self, now: Plan) -> list[str]:
        """What another plan has otherwise, a sentence each."""
        told = {
            "space": "the space",
            "search": "--search",
            "prune": "--prune",
            "metric": "--metric",
            "seed": "the seed",
        }
        return [
            f"{told[key]}: was {as_typed(value)}, is {as_typed(getattr(now, key))}"
            for key, value in vars(self).items()
            if value != getattr(now, key)
        ]


def as_typed(value: Any) -> str:
    """
    >>> as_typed(("a=1,2", "b=3,4")), as_typed(None)
    ('a=1,2 b=3,4', 'not given')
    """
    return " ".join(value) if isinstance(value, tuple) else "not given" if value is None else str(value)


@dataclass
class Record:
    """The files of a sweep; who writes them holds the lock of the folder.

    `n_trials` and `budget` (seconds) are its limits, None without one. `metric` is the score that is watched, known as
    soon as a trial has begun. `seconds` is how long it has taken in all its calls.
    """

    folder: Path
    plan: Plan
    n_trials: int | None = None
    budget: float | None = None
    metric: str | None = None
    higher_is_better: bool = True
    seconds: float = 0.0
    trials: dict[int, Trial] = field(default_factory=dict)
    _lines: dict[int, str] = field(default_factory=dict, repr=False)

    def save(self) -> None:
        """Write all but the trials."""
        kept = ("n_trials", "budget", "metric", "higher_is_better")
        facts = {name: getattr(self, name) for name in kept}
        facts |= {"format": FORMAT, "plan": asdict(self.plan), "seconds": round(self.seconds, 3)}
        storage.replace_file(self.folder / PLAN, json_text.dumps(facts))

    def put(self, trial: Trial) -> None:
        """Write a trial's row, in the place of the one it had."""
        self.trials[trial.trial] = trial
        for number, each in self.trials.items():
            if number == trial.trial or number not in self._lines:
                self._lines[number] = line(each)
        storage.replace_file(self.folder / TRIALS, "".join(self._lines[n] for n in sorted(self._lines)).encode())

    def turned(self, score: float | None) -> float | None:
        """A score turned so that higher is better, or back."""
        return score if score is None or self.higher_is_better else -score

    @property
    def best(self) -> Trial | None:
        """The trial with the best score; of equals the first."""
        candidates = [trial for trial in self.trials.values() if trial.is_candidate]
        return max(candidates, key=lambda each: (self.turned(each.score), -each.trial), default=None)

    @property
    def ranked(self) -> list[Trial]:
        """All trials, the best first; those that cannot be the best in their order at the end."""
        best_first = sorted(
            (trial for trial in self.trials.values() if trial.is_candidate),
            key=lambda each: (-(self.turned(each.score) or 0.0), each.trial),
        )
        return best_first + [each for _, each in sorted(self.trials.items()) if not each.is_candidate]


def is_sweep(folder: Path) -> bool:
    """Whether a folder holds a sweep."""
    return (folder / PLAN).is_file()


def check(folder: Path, *, resume: bool, overwrite: bool) -> None:
    """OutputError: the folder holds something else, or a sweep and it is not said what is to become of it."""
    if resume and overwrite:
        raise OutputError("--resume goes on with a sweep, --overwrite starts anew: give one of them")
    if os.path.lexists(folder) and not folder.is_dir():
        raise OutputError(f"{folder}: is no directory; name another --output")
    if folder.is_dir() and set(os.listdir(folder)) - {lock.NAME}:
        if not is_sweep(folder):
            raise OutputError(f"{folder}: is not empty, and holds no sweep; name another --output")
        if not resume and not overwrite:
            raise OutputError(f"{folder}: is not empty; use --resume to go on, --overwrite to set the sweep aside")


def claim(folder: Path, *, resume: bool, overwrite: bool) -> Lock:
    """Lock the folder of a sweep, making it if need be."""
    storage.make_folder(folder)
    held = Lock(folder.resolve())
    try:
        check(folder, resume=resume, overwrite=overwrite)  # another sweep may have come and gone in between
    except BaseException:
        held.release()
        raise
    return held


def set_aside(folder: Path) -> Path | None:
    """Rename what an earlier sweep wrote into one new folder `.old-<n>`, and return it; None where there was none."""
    found = [name for name in sorted(os.listdir(folder)) if is_ours(name)]
    if not found:
        return None
    old = names.unused(folder / ".old")
    storage.make_folder(old)
    for name in sorted(found, key=lambda each: each != PLAN):
        storage.rename(folder / name, old / name)
    return old


def is_ours(name: str) -> bool:
    return name in (PLAN, CONFIG, TRIALS, BEST) or name.startswith("trial-")


def begin(folder: Path, plan: Plan, config: RunConfig) -> Record:
    """A new sweep."""
    record = Record(folder, plan)
    storage.replace_file(folder / CONFIG, config.filled_text().encode())
    record.save()
    return record


def read(folder: Path) -> Record:
    """The sweep that the folder holds. ModelFileError: its files are not as they were written."""
    path = folder / PLAN
    try:
        facts = json_text.loads(path.read_bytes())
        if facts["format"] > FORMAT:
            raise ModelFileError(f"{path}: was written by a newer version of trainer")
        plan = Plan(**{**facts["plan"], "space": tuple(facts["plan"]["space"])})
        kept = {name: facts[name] for name in ("n_trials", "budget", "metric", "higher_is_better")}
        record = Record(folder, plan, seconds=float(facts["seconds"]), **kept)
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise ModelFileError(f"{path}: is no file of a sweep ({err}); --overwrite sets the sweep aside") from err
    record.trials = {trial.trial: trial for trial in rows(folder / TRIALS)}
    return record


def rows(path: Path) -> list[Trial]:
    """The trials that a file has. ModelFileError: it is not as it was written."""
    if not path.exists():
        return []
    found = []
    for number, text in enumerate(path.read_bytes().splitlines(), 1):
        try:
            found.append(from_row(json_text.loads(text), f"{path}:{number}"))
        except ValueError as err:
            raise ModelFileError(f"{path}:{number}: {err}; --overwrite sets the sweep aside") from err
    if [trial.trial for trial in found] != list(range(1, len(found) + 1)):
        raise ModelFileError(f"{path}: trials are missing or twice there; --overwrite sets the sweep aside")
    return found


def check_same(record: Record, plan: Plan, config: RunConfig) -> None:
    """Refuse to go on with other trials than were begun. ConfigError: what has changed."""
    began = load(record.folder / CONFIG).config
    now = load_text(config.filled_text()).config
    lines = [*record.plan.changes(plan), *changes.of_config(began, now), *changes.of_limits(began, now)]
    if lines:
        told = "\n".join(f"  {each}" for each in lines)
        raise ConfigError(
            f"{record.folder}: this sweep began otherwise, and its trials could not be compared.\n{told}\n"
            "--overwrite sets it aside and starts anew, another --output keeps both."
        )


def write_best(record: Record, text: str, heading: Mapping[str, Any]) -> None:
    """Write the config of the best trial."""
    comments = "".join(f"# {key}: {value}\n" for key, value in heading.items())
    storage.replace_file(record.folder / BEST, (comments + text).encode())


def updated(trial: Trial, values: Mapping[str, Any]) -> Trial:
    """A trial with the values that are known."""
    return replace(trial, **{key: value for key, value in values.items() if value is not None})


def json_of(record: Record) -> str:
    """The whole sweep as JSON."""
    best = record.best
    facts = {
        "metric": record.metric,
        "higher_is_better": record.higher_is_better,
        "best": None if best is None else best.row(),
        "trials": [record.trials[number].row() for number in sorted(record.trials)],
        "seconds": round(record.seconds, 3),
    }
    return json.dumps(facts, indent=2, allow_nan=False) + "\n"
