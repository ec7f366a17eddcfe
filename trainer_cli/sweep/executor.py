"""What a sweep asks of whoever runs its trials: processes of this machine, or a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from trainer_cli.errors import TrainerError


@dataclass(frozen=True)
class Task:
    """One trial to train, in texts and numbers, so that it can be sent anywhere.

    name, text: the config file as it was read when the sweep began, and what messages call it.
    words, environment: the overrides, those of the trial at the end of the words.
    folder: the run directory; a run in it is gone on with.
    code: the files of the user's own parts. n_cores: how many cores the trial may take.
    asks: whether the trial waits, after each evaluation, to be told to go on.
    """

    trial: int
    name: str
    text: str
    words: tuple[str, ...]
    environment: str
    folder: str
    code: tuple[str, ...] = ()
    n_cores: int = 1
    asks: bool = False

    def message(self) -> dict[str, Any]:
        return asdict(self)


def task_of(message: Mapping[str, Any]) -> Task:
    """The task that was sent as `message`."""
    return Task(**{**message, "words": tuple(message["words"]), "code": tuple(message["code"])})


@dataclass(frozen=True)
class Began:
    """A trial trains: which score is watched, on how many threads, from which update on."""

    trial: int
    metric: str
    higher_is_better: bool
    threads: int
    step: int


@dataclass(frozen=True)
class Moved:
    """How far a trial is, from 0 to 1, and its best score."""

    trial: int
    done: float
    step: int
    score: float | None


@dataclass(frozen=True)
class Scored:
    """What a trial had at best after the evaluation at `step`, turned so that higher is better; None where that is no
    finite number. Where its task asks, it waits for `answer` unless this `is_past`: an evaluation of a run that is gone
    on with, but for its last."""

    trial: int
    step: int
    value: float | None
    is_past: bool = False


@dataclass(frozen=True)
class Ended:
    """A trial is over. `signal` is the number of the signal that ended its process."""

    trial: int
    state: str
    reason: str
    exit_code: int
    score: float | None = None
    score_step: int | None = None
    scores: Mapping[str, float | None] | None = None
    steps: int | None = None
    seconds: float | None = None


Report = Began | Moved | Scored | Ended
KINDS: dict[str, type[Report]] = {"began": Began, "moved": Moved, "scored": Scored, "ended": Ended}


def message_of(report: Report) -> dict[str, Any]:
    """A report as it is sent."""
    return {"kind": type(report).__name__.lower(), **asdict(report)}


def report_of(message: Mapping[str, Any]) -> Report:
    """The report that was sent as `message`. TrainerError: it is none."""
    kind = KINDS.get(str(message.get("kind")))
    if kind is None:
        raise TrainerError(f"a trial sent {message!r:.80}, which is no report")
    return kind(**{key: value for key, value in message.items() if key != "kind"})


class Executor(Protocol):
    """Runs trials, `n_workers` at once. Every trial that was submitted ends in exactly one `Ended`."""

    n_workers: int

    def submit(self, task: Task) -> None:
        """Start a trial; there is a worker free for it."""
        ...

    def wait(self, seconds: float) -> list[Report]:
        """What has happened since the last call; waits so long at most for something to happen."""
        ...

    def answer(self, trial: int, *, go_on: bool) -> None:
        """What a trial waits for after a `Scored`, if its task asks."""
        ...

    def stop(self, trial: int) -> None:
        """Ask a trial to save and end."""
        ...

    def kill(self, trial: int) -> None:
        """End a trial at once; what it has saved stays."""
        ...

    def close(self) -> None:
        """Leave nothing behind; trials that are not over are killed."""
        ...
