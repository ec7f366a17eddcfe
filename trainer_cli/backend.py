"""Who computes the gradients and scores of a run: this process, or others that it directs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from trainer_cli.arrays import Batch
from trainer_cli.data.fingerprint import Contents
from trainer_cli.epochs import Data
from trainer_cli.evaluate import Scores
from trainer_cli.gradient import BatchGradient
from trainer_cli.job import Job, Watch


class Backend(Protocol):
    """What computes for a run: the same numbers to the bit, whoever it is."""

    def gradient(self, batch: Batch, step: int) -> float:
        """Leave the gradient of a batch, and the buffers that it makes, in the model's store; return its loss.

        DivergedError: the loss is not finite. The store's moment is that of the step.
        """
        ...

    def scores(self, name: str, watch: Watch) -> Scores:
        """The scores of a dev set, with the model's averages where the optimizer keeps them."""
        ...

    @property
    def note(self) -> str:
        """How many compute, for the bar; empty where there is nothing to tell."""
        ...

    @property
    def rows(self) -> Data:
        """What batches are cut from: the training rows, or only as much of them as `gradient` needs to be told."""
        ...


@dataclass(frozen=True)
class Work:
    """A run that is about to begin: `facts` are what run.json says of it, `contents` what was read of each data set.

    `say` tells the user a line, `check` raises `Stopped` if a signal has come.
    """

    job: Job
    facts: Mapping[str, Any]
    contents: Mapping[str, Contents]
    cache: Path | None
    say: Callable[[str], None]
    check: Callable[[], None]


class Cluster(Protocol):
    """What `[cluster]` makes: it opens the backend of a run, and closes it."""

    def open(self, work: Work) -> AbstractContextManager[Backend]: ...


class InProcess:
    """This process computes."""

    note = ""

    def __init__(self, job: Job):
        self.job = job
        self.rows: Data = job.train
        self._gradient = BatchGradient(job.model, job.trained.loss, job.accumulate)

    def gradient(self, batch: Batch, step: int) -> float:
        return self._gradient(batch, step)

    def scores(self, name: str, watch: Watch) -> Scores:
        return self.job.evaluate(self.job.dev[name], watch)
