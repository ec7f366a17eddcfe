"""A training run: the loop driven to its end, with evaluation, checkpoints, resumption and signals around it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from trainer_cli import loop, state, tensors, trained
from trainer_cli.arrays import Batch
from trainer_cli.checkpoint import Checkpoint
from trainer_cli.epochs import Epochs
from trainer_cli.errors import DivergedError, Stopped
from trainer_cli.evaluate import Scores
from trainer_cli.job import Job
from trainer_cli.loop import Step
from trainer_cli.progress import Progress
from trainer_cli.saver import Saver
from trainer_cli.signals import StopFlag
from trainer_cli.state import RunState


class Run:
    """One job in one run directory, which the caller has locked.

    `state` is where the run stands. What an update still owes (an evaluation, a save, the end) is a function of that
    state alone, so a run that was killed or stopped anywhere goes on as if nothing had happened.
    """

    def __init__(self, job: Job, saver: Saver, progress: Progress, flag: StopFlag, clock: Callable[[], float]):
        self.job = job
        self.saver = saver
        self.progress = progress
        self.flag = flag
        self.clock = clock
        self.state = RunState()
        self.scores: Scores | None = None
        self._last_time = clock()

    @property
    def is_over(self) -> bool:
        return self.state.reason is not None

    def resume(self, found: Checkpoint) -> None:
        """Take over a checkpoint. Under wider limits than it was finished by, a run goes on."""
        load(self.job, found)
        self.state = state.from_json(found.state)
        self.saver.saved_step = found.step
        extended = self.state.extended()
        if self.is_over and self.reason(extended) is None:
            self.state = extended

    def go(self) -> None:
        """Train until a limit is reached. On `Stopped` and `DivergedError` the run is saved, ready to be resumed."""
        try:
            self.saver.open_log(self.state.log_bytes)
            if self.saver.saved_step < 0:
                self.saver.save(self.snapshot(), required=True)
            self.progress.start(self.state, self.job.limits, self.job.train.n)
            self._last_time = self.clock()
            self.settle()
            steps = self.steps()
            while not self.is_over:
                self.flag.check()
                self.step(next(steps))
                self.settle()
        except (Stopped, DivergedError):
            self.rescue()
            raise
        finally:
            self.progress.close()

    def steps(self) -> Iterator[Step]:
        job = self.job
        epochs = Epochs(job.train, job.batch_size, seed=job.seed, position=self.state.position)
        return loop.train(job.model, job.trained.loss, job.optimizer, epochs, job.accumulate)

    def step(self, step: Step) -> None:
        now = self.clock()
        self.state = self.state.after(step, now - self._last_time)
        self._last_time = now
        self.progress.step(step, self.state)

    def settle(self) -> None:
        """Do what is owed after the last update: evaluate on the beat and at the end, see whether it is the end, save."""
        step, n_evaluated = self.state.position.step, self.state.evaluated
        reason, on_beat = self.reason(self.state), self.is_on_beat(self.state)
        if n_evaluated < step and (on_beat or reason is not None):
            self.evaluate(final=not on_beat)
            reason = reason or self.reason(self.state)
        self.state = replace(self.state, reason=reason)
        if self.is_over or self.saver.is_due(evaluated=n_evaluated < self.state.evaluated):
            self.saver.save(self.snapshot(), required=self.is_over)

    def reason(self, at: RunState) -> state.Reason | None:
        """Why a run in this state is over, by the limits of now."""
        limits = self.job.limits
        found = at.finished(limits, self.job.train.n)
        if found is None and self.is_on_beat(at) and at.out_of_patience(limits):
            return "patience"
        return found

    def is_on_beat(self, at: RunState) -> bool:
        return at.position.step > 0 and at.position.step % self.job.eval_frequency == 0

    def evaluate(self, *, final: bool) -> None:
        """Score the dev data, write a row of the log, and keep the weights if they are the best."""
        score = None
        if self.job.dev is not None:
            self.scores = self.job.evaluate(self.job.dev, self.watch)
            score = self.job.monitor.score(self.scores)
        row = self.row(final)
        log_bytes = self.saver.log(json.dumps(row).encode() + b"\n")
        self.state = self.state.scored(score, log_bytes, final=final)
        is_best = self.state.best is not None and self.state.best.step == self.state.position.step
        if is_best:
            self.saver.pending_best = self.snapshot()
        self.progress.row(row, self.job.monitor.names, is_best)

    def watch(self, batches: Iterable[Batch], n_batches: int) -> Iterator[Batch]:
        """The batches of an evaluation: shown in the bar, and left when a signal comes."""
        return self.progress.evaluating(self.flag.watch(batches), n_batches)

    def row(self, final: bool) -> dict[str, Any]:
        """One line of metrics.jsonl: the losses, the scores, and the hyper-parameters of the last update."""
        at, last = self.state.position, self.state.position.step - 1
        scores = {} if self.scores is None else {"loss": self.scores.loss, **self.scores.metrics}
        row = {
            "step": at.step,
            "epoch": at.epoch + 1,
            "samples": at.samples,
            "train_loss": self.state.loss_sum / self.state.loss_rows,
            **scores,
            "learn_rate": self.job.optimizer.schedules["learn_rate"](last),
            "batch_size": int(self.job.batch_size(last)),
            "seconds": round(self.state.seconds, 3),
        }
        numbers = {key: value if math.isfinite(value) else None for key, value in row.items()}
        return numbers | ({"final": True} if final else {})

    def snapshot(self) -> Checkpoint:
        """The run as it is now, copied. DivergedError: a parameter is not finite, and must not be saved."""
        return snapshot(self.job, self.state, self.scores)

    def rescue(self) -> None:
        """Save what the run has, unless that is saved already; weights that are not finite are left out."""
        if self.saver.saved_step == self.state.position.step:
            return
        try:
            newest = self.snapshot()
        except DivergedError:
            if self.saver.pending_best is None:
                return
            newest = self.saver.pending_best
        self.saver.save(newest, required=True)


def snapshot(job: Job, at: RunState, scores: Scores | None) -> Checkpoint:
    store, optimizer = job.model.store, job.optimizer
    arrays = {name: array.copy() for name, array in optimizer.to_arrays(store).items()}
    weights = {name: array.copy() for name, array in store.named(store.values).items()}
    params = {name: arrays.pop(f"averages.{name}") for name in weights if f"averages.{name}" in arrays}
    if at.position.step > 0 and params:
        arrays |= {f"weights.{name}": array for name, array in weights.items()}
    else:
        params = weights
    for name, array in (*params.items(), *weights.items()):
        if not np.isfinite(array).all():
            raise DivergedError(f"diverged: {name} is not finite after update {at.position.step}")
    found = {} if scores is None else {"loss": scores.loss, **scores.metrics}
    files = trained.to_files(job.trained, params, found)
    return Checkpoint(at.position.step, files, arrays, state.to_json(at))


def load(job: Job, found: Checkpoint) -> None:
    """Give a job's model and optimizer the weights, averages and moments of a checkpoint."""
    store, optimizer = job.model.store, job.optimizer
    params = tensors.from_bytes(found.model["params.safetensors"])
    arrays = dict(found.optimizer)
    weights = {name.removeprefix("weights."): arrays.pop(name) for name in list(arrays) if name.startswith("weights.")}
    store.load(weights or params, store.values)
    if optimizer.use_averages:
        averages = params if weights else {name: np.zeros_like(array) for name, array in params.items()}
        arrays |= {f"averages.{name}": array for name, array in averages.items()}
    optimizer.from_arrays(store, arrays, n_updates=found.step)
    optimizer.position = found.step
