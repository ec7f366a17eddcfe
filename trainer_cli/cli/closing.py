"""The last line of `trainer train`: why it stopped, what it reached, and what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from trainer_cli.checkpoint import step_of
from trainer_cli.errors import ClusterError, DivergedError, Stopped
from trainer_cli.session import Ending
from trainer_cli.wrappers.engine import module_error


def closing(ending: Ending, words: Sequence[str], output: Path, code: Sequence[Path]) -> str:
    """The last line; after an error, what explains it comes above. `words` is the command as it was typed."""
    if ending.cause is None:
        return finished(ending, evaluate_command(output, code, on_dev=ending.has_dev))
    # Stopped before an earlier run was set aside, there is only that one to resume.
    again = "--overwrite" if ending.saved is None and "--overwrite" in words else "--resume"
    if isinstance(ending.cause, Stopped):
        return f"Stopped ({ending.cause.signal_name}): {saved_step(ending)}. Next: {train_command(words, again)}"
    if isinstance(ending.cause, DivergedError):
        remedy = f"{remedy_of(ending.cause, ending)}, then {train_command(words, '--overwrite')}"
        last = f"the last good checkpoint is {ending.saved}" if ending.saved else "there is no checkpoint yet"
        return f"{ending.cause}\nStopped (diverged): {last}. Next: {remedy}"
    if isinstance(ending.cause, ClusterError):
        return f"{ending.cause}\nStopped (workers lost): {saved_step(ending)}. Next: {train_command(words, again)}"
    remedy = f"make room, then {train_command(words, again)}"
    return f"{ending.cause}\nStopped (storage failed): {saved_step(ending)}. Next: {remedy}"


def remedy_of(cause: DivergedError, ending: Ending) -> str:
    """What may help against numbers that are not finite; those of a module's first pass come of no learning rate."""
    failure = module_error(cause)
    if failure is None:
        return "lower the learning rate"
    is_first = ending.saved is None or step_of(ending.saved.name) == 0
    other = ", which no update has changed yet" if is_first else ", or lower the learning rate"
    return f"look at what the {failure.module} computes of these rows{other}"


def finished(ending: Ending, next_command: str) -> str:
    state = ending.state
    over = "This run is finished" if ending.was_over else "Finished"
    best = f" Best {ending.best}." if ending.best else ""
    return f"{over} ({state.reason}) after step {state.position.step}.{best} Next: {next_command}"


def saved_step(ending: Ending) -> str:
    return f"the run is saved at step {step_of(ending.saved.name)}" if ending.saved else "nothing is saved yet"


def train_command(words: Sequence[str], flag: str) -> str:
    """The command that was typed, with `flag` in the place of --resume or --overwrite."""
    return shlex.join(["trainer", *(word for word in words if word not in ("--resume", "--overwrite")), flag])


def evaluate_command(output: Path, code: Sequence[Path], *, on_dev: bool) -> str:
    """What scores the run again, on its dev data; one without needs a file in the place of DATA."""
    words = ["trainer", "evaluate", str(output), *([] if on_dev else ["DATA"])]
    return shlex.join([*words, *(word for path in code for word in ("--code", str(path)))])
