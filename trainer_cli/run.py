"""A training run: the loop driven to its end, with evaluation, checkpoints, resumption and signals around it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from trainer_cli import loop, snapshot, state
from trainer_cli.backend import Backend, InProcess
from trainer_cli.checkpoint import STATE, Checkpoint
from trainer_cli.data.dataset import Dataset
from trainer_cli.data.faults import MAX_SHOWN, batch_at
from trainer_cli.epochs import Epochs
from trainer_cli.errors import ClusterError, DivergedError, Stopped
from trainer_cli.evaluate import Scores
from trainer_cli.job import Job, named
from trainer_cli.loggers.group import LoggerGroup
from trainer_cli.loggers.logger import Logger
from trainer_cli.loop import Step
from trainer_cli.progress import Progress
from trainer_cli.saver import Saver
from trainer_cli.signals import StopFlag
from trainer_cli.state import RunState
from trainer_cli.wrappers.engine import ModuleError

T = TypeVar("T")


class Run:
    """One job in one run directory, which the caller has locked.

    `state` is where the run stands. What an update still owes (an evaluation, a save, the end) is a function of that
    state alone, so a run that was killed or stopped anywhere goes on as if nothing had happened. `backend` is this
    process unless whoever drives it sets another one.
    """

    def __init__(self, job: Job, saver: Saver, progress: Progress, flag: StopFlag, clock: Callable[[], float]):
        self.job = job
        self.backend: Backend = InProcess(job)
        self.saver = saver
        self.progress = progress
        self.loggers = LoggerGroup({}, progress.warn)
        self.flag = flag
        self.clock = clock
        self.state = RunState()
        self.without_scores: set[str] = set()  # dev sets of which it was said
        self._last_time = clock()

    @property
    def is_over(self) -> bool:
        return self.state.reason is not None

    def resume(self, found: Checkpoint) -> None:
        """Take over a checkpoint. Under wider limits than it was finished by, a run goes on."""
        self.state = snapshot.restore(self.job, found)
        self.saver.saved = found.state
        extended = self.state.extended()
        if self.is_over and self.reason(extended) is None:
            self.state = extended
        with snapshot.of_file(STATE):
            self.job.remember(self.state.schedules)

    def go(self, loggers: Mapping[str, Logger]) -> None:
        """Train until a limit is reached. On `Stopped` and `DivergedError` the run is saved, ready to be resumed."""
        self.loggers = LoggerGroup(loggers, self.progress.warn)
        try:
            self.save(required=True)
            self.saver.open_log(self.state.log_bytes)
            self.progress.start(self.state, self.job.limits, self.job.rows_per_epoch)
            self._last_time = self.clock()
            self.settle()
            steps = self.steps()
            while not self.is_over:
                self.flag.check()
                self.step(next(steps))
                self.settle()
        except (Stopped, ClusterError):
            self.save(required=True)
            raise
        except DivergedError as err:
            self.rescue()
            raise DivergedError(str(err) + named_rows(self.job.train, err.rows)) from err
        except ModuleError as err:
            raise err.within(after=named_rows(self.job.train, err.rows)) from err.__cause__
        finally:
            self.progress.close()
            self.loggers.close()

    def steps(self) -> Iterator[Step]:
        job = self.job
        at, batcher, balance = self.state.position, job.batcher, job.balance
        rows = self.backend.rows
        epochs = Epochs(rows, job.batch_size, seed=job.seed, position=at, batcher=batcher, balance=balance)
        return loop.train(job.model, job.optimizer, epochs, self.backend.gradient)

    def step(self, step: Step) -> None:
        now = self.clock()
        self.state = self.state.after(step, now - self._last_time)
        self._last_time = now
        self.progress.note = self.backend.note
        self.progress.step(step, self.state)

    def settle(self) -> None:
        """Do what is owed after the last update: evaluate on the beat and at the end, see if it is the end, save."""
        step, n_evaluated = self.state.position.step, self.state.evaluated
        reason, on_beat = self.reason(self.state), self.is_on_beat(self.state)
        if n_evaluated < step and (on_beat or reason is not None):
            self.evaluate(final=not on_beat)
            reason = reason or self.reason(self.state)
        self.state = replace(self.state, reason=reason)
        if self.is_over or self.saver.is_due(evaluated=n_evaluated < self.state.evaluated):
            self.save(required=self.is_over)

    def reason(self, at: RunState) -> state.Reason | None:
        """Why a run in this state is over, by the limits of now."""
        limits = self.job.limits
        found = at.finished(limits, self.job.rows_per_epoch)
        if found is None and self.is_on_beat(at) and at.out_of_patience(limits):
            return "patience"
        return found

    def is_on_beat(self, at: RunState) -> bool:
        return at.position.step > 0 and at.position.step % self.job.eval_frequency == 0

    def evaluate(self, *, final: bool) -> None:
        """Score the dev data, write a row of the log, and keep the weights if they are the best."""
        scores = named({name: self.score(name) for name in self.job.dev})
        score = self.job.monitor.score(scores) if scores else None
        row = self.row(scores, final)
        log_bytes = self.saver.log(json.dumps(row).encode() + b"\n")
        self.state = self.state.scored(scores, score, log_bytes, final=final)
        if score is not None and not final:
            self.state = replace(self.state, schedules=self.job.observe(score, self.state.position.step))
        is_best = self.state.best is not None and self.state.best.step == self.state.position.step
        if is_best:
            self.saver.keep_best(self.snapshot(), final=final)
        self.progress.row(row, self.job.monitor.names, is_best)
        self.loggers.log(row)

    def score(self, name: str) -> Scores:
        """An evaluation that fails costs no update: what was trained is saved first."""
        try:
            return self.backend.scores(name, self.watch)
        except (Stopped, ClusterError):
            raise
        except DivergedError as err:
            return self.unscored(name, err)
        except Exception as err:
            self.rescue()
            if isinstance(err, ModuleError):
                raise err.within(after=named_rows(self.job.dev[name], err.rows)) from err.__cause__
            raise

    def unscored(self, name: str, err: DivergedError) -> Scores:
        """No score of a dev set with rows of which the model gives no numbers, which is said once: training goes on."""
        if name not in self.without_scores:
            self.without_scores.add(name)
            rows = named_rows(self.job.dev[name], err.rows, err.rows_are)
            self.progress.warn(f"no scores of {name}: {err}{rows}")
        own = self.job.monitor.names_of(name, self.job.dev)
        return Scores(self.job.dev[name].n, math.nan, dict.fromkeys(own, math.nan))

    def watch(self, batches: Iterable[T], n_batches: int) -> Iterator[T]:
        """The batches of an evaluation: shown in the bar, and left when a signal comes."""
        return self.progress.evaluating(self.flag.watch(batches), n_batches)

    def row(self, scores: Mapping[str, float], final: bool) -> dict[str, Any]:
        """One line of metrics.jsonl: the losses, the scores, and the hyper-parameters of the last update."""
        at, last = self.state.position, self.state.position.step - 1
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
        """The run as it is now, copied. DivergedError: a number is not finite, and must not be saved."""
        return snapshot.take(self.job, self.state)

    def save(self, *, required: bool) -> None:
        """Save the run as it is now, unless that is on the disk already."""
        if not self.saver.has(state.to_json(self.state)):
            self.saver.save(self.snapshot(), required=required)

    def rescue(self) -> None:
        """Save the run as it is before an update or evaluation that failed; if it is not finite, the best at least."""
        try:
            self.save(required=False)
        except DivergedError:
            self.saver.save_best()


def named_rows(data: Dataset, rows: Sequence[int], what: str = "Its batch") -> str:
    """Where the rows of a batch stand, for the end of a sentence; a file without lines has row numbers from 0."""
    if not rows:
        return ""
    return batch_at([(data.number(row), *data.place(row)) for row in rows[:MAX_SHOWN]], len(rows), what)
