"""The last line of a sweep: what it has found, and what to type next."""

from __future__ import annotations

import shlex
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from trainer_cli.sweep.budget import shown
from trainer_cli.sweep.record import BEST, Record
from trainer_cli.sweep.trial import STATES
from trainer_cli.table import score_text


def closing(
    record: Record, output: Path, words: Sequence[str], received: signal.Signals | None, code: Sequence[Path]
) -> str:
    """What a sweep came to. `words` is the command as it was typed."""
    again = shlex.join(["trainer", *(word for word in words if word not in ("--resume", "--overwrite")), "--resume"])
    head = f"{counted(record)} in {shown(record.seconds)}."
    found = best_line(record, output)
    if received is not None:
        return f"Stopped ({received.name}): {head}{found} Next: {again}"
    if record.best is None:
        if any(trial.is_undone for trial in record.trials.values()) or not record.trials:
            return f"{head} No trial has a score yet: give a larger --budget. Next: {again}"
        return f"{head} No trial has a score: {reason_of(record)}"
    options = [word for path in code for word in ("--code", str(path))]
    folder = output / record.best.folder
    evaluate = shlex.join(["trainer", "evaluate", str(folder), *options])
    train = shlex.join(["trainer", "train", str(output / BEST), "--output", "DIR", *options])
    return f"{head}{found} Next: {evaluate}, or {train}"


def counted(record: Record) -> str:
    """How many trials there are in each state: `20 trials: 18 finished, 2 diverged`."""
    counts = Counter(trial.state for trial in record.trials.values())
    told = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    n = len(record.trials)
    return f"{n} trial{'' if n == 1 else 's'}" + (f": {told}" if told else "")


def best_line(record: Record, output: Path) -> str:
    best = record.best
    if best is None or best.score is None:
        return ""
    return f" Best {record.metric} {score_text(best.score)}: trial {best.trial}, {output / BEST}."


def reason_of(record: Record) -> str:
    """Why the first trial has none."""
    first = record.trials[min(record.trials)]
    if first.state in ("finished", "pruned"):
        return f"{record.metric} was no finite number in trial {first.trial}"
    return first.reason or f"trial {first.trial} ended without an evaluation"


def exit_code(record: Record, received: signal.Signals | None) -> int:
    """0 where a trial has a score; else the exit code of the first that failed, or 2. A signal's is 128 and more."""
    if received is not None:
        return 128 + received
    if record.best is not None:
        return 0
    codes = [trial.exit_code for _, trial in sorted(record.trials.items()) if trial.exit_code]
    return next((code for code in codes if code < 128), codes[0] if codes else 2)
