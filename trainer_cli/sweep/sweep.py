"""A sweep driven to its end: trials started, listened to, stopped and written down."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from trainer_cli.config.run_config import read_run_config
from trainer_cli.errors import ClusterError, TrainerError
from trainer_cli.session import CONFIG
from trainer_cli.signals import StopFlag
from trainer_cli.sweep import budget, record
from trainer_cli.sweep.display import Display
from trainer_cli.sweep.executor import Began, Ended, Executor, Moved, Report, Scored, Task
from trainer_cli.sweep.reached import reached
from trainer_cli.sweep.record import Record
from trainer_cli.sweep.search import Search
from trainer_cli.sweep.source import Source
from trainer_cli.sweep.trial import Trial, folder_of

# So long nothing is looked at while nothing happens.
TICK = 0.1
# Between two notes of how long a sweep has taken, and the part of its budget that this may be.
NOTE_SECONDS, NOTE_SHARE = 1.0, 0.005


@dataclass(frozen=True)
class Resources:
    """What trials are given: files of the user's own parts, so many cores each, and whether they are pruned."""

    output: Path
    code: tuple[str, ...] = ()
    n_cores: int = 1
    prunes: bool = False


class Sweep:
    """The trials of one call. `why` is what ended it before its trials did: a signal's name, `budget`, or nothing."""

    def __init__(
        self,
        record: Record,
        source: Source,
        search: Search,
        executor: Executor,
        resources: Resources,
        display: Display,
        flag: StopFlag,
        start_time: float,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.record = record
        self.source = source
        self.search = search
        self.executor = executor
        self.resources = resources
        self.display = display
        self.flag = flag
        self.clock = clock
        self.why = ""
        self.is_exhausted = False
        self._earlier_seconds = record.seconds
        self._start_time = start_time
        self._noted = -1e9
        self._running: dict[int, Trial] = {}
        self._undone: list[Trial] = []

    def go(self) -> None:
        """Train until there are no more trials, or the budget is spent, or a signal comes.

        ClusterError: the machines of the trials are lost, which are killed; not where a signal was the end of both."""
        try:
            self.take_over()
            while self.fill():
                for report in self.executor.wait(TICK):
                    self.take(report)
                self.look()
        except ClusterError as err:
            self.executor.close()
            for number, trial in list(self._running.items()):
                self.end(trial, Ended(number, "killed", str(err), err.exit_code))
            if self.flag.received is None:
                raise ClusterError(f"{err}. Next: the same command with --resume") from err
        finally:
            self.executor.close()
            self.display.close()
            self.record.seconds = self.seconds
            self.record.save()

    @property
    def seconds(self) -> float:
        """How long the sweep has taken, earlier calls included."""
        return self._earlier_seconds + self.clock() - self._start_time

    def take_over(self) -> None:
        """Tell the search of the trials of earlier calls, and line up those that are not over."""
        if (best := self.record.best) is not None:
            self.keep_best(best)  # a kill may have come before it was written
        for number, trial in sorted(self.record.trials.items()):
            self.search.adopt(number, trial.params)
            for step, value in trial.curve or () if not trial.is_undone else ():
                self.search.report(number, int(step), value)
            if trial.is_undone:
                self._undone.append(trial)
            else:
                self.search.close(number, self.record.turned(trial.score), trial.state)

    def fill(self) -> bool:
        """Start as many trials as there is room for; whether there is one to wait for."""
        while len(self._running) < self.executor.n_workers and not self.why and self.has_time:
            trial = self.next_trial()
            if trial is None:
                break
            self.start(trial)
        return bool(self._running)

    @property
    def has_time(self) -> bool:
        return self.record.budget is None or self.seconds < budget.asked_at(self.record.budget)

    def next_trial(self) -> Trial | None:
        if self._undone:
            return self._undone.pop(0)
        number = len(self.record.trials) + 1
        if self.record.n_trials is not None and number > self.record.n_trials:
            return None
        params = self.search.suggest(number)
        self.is_exhausted = params is None
        return None if params is None else Trial(number, params, folder=folder_of(number))

    def start(self, trial: Trial) -> None:
        again = trial.trial in self.record.trials
        trial = replace(trial, state="running", reason="", exit_code=None)
        self.record.put(trial)
        self._running[trial.trial] = trial
        resources = self.resources
        self.executor.submit(
            Task(
                trial=trial.trial,
                name=self.source.name,
                text=self.source.text,
                words=self.source.words_with(trial.params),
                environment=self.source.environment,
                folder=str(self.record.folder / trial.folder),
                code=resources.code,
                n_cores=resources.n_cores,
                asks=resources.prunes,
            )
        )
        self.display.started(trial, again=again)

    def take(self, report: Report) -> None:
        """Do what a report asks for."""
        trial = self._running[report.trial]
        if isinstance(report, Began):
            self._running[report.trial] = replace(trial, threads=report.threads)
            self.record.metric, self.record.higher_is_better = report.metric, report.higher_is_better
        elif isinstance(report, Moved):
            self.display.moved(report, self.record.turned(report.score))
        elif isinstance(report, Scored):
            self.judge(trial, report)
        else:
            self.end(trial, report)

    def judge(self, trial: Trial, report: Scored) -> None:
        """Let a trial go on, or end it for being behind."""
        behind = self.search.report(report.trial, report.step, report.value)
        earlier = [point for point in trial.curve or () if point[0] < report.step]
        self._running[report.trial] = replace(trial, curve=[*earlier, [report.step, report.value]])
        if not report.is_past:
            self.executor.answer(report.trial, go_on=not behind)

    def end(self, trial: Trial, ended: Ended) -> None:
        """Write down what came of a trial."""
        del self._running[trial.trial]
        ended = self.asked_of_all(ended)
        reason = self.why if ended.state == "stopped" and self.why else ended.reason
        names = ("score", "score_step", "scores", "steps", "seconds")
        known = {name: getattr(ended, name) for name in names}
        if ended.steps is None and self.record.metric is not None:  # its process could not tell
            folder = self.record.folder / trial.folder
            known |= reached(folder, higher_is_better=self.record.higher_is_better)
        trial = record.updated(trial, {**known, "state": ended.state, "reason": reason, "exit_code": ended.exit_code})
        before = self.record.best
        self.record.put(trial)
        if not trial.is_undone:
            self.search.close(trial.trial, self.record.turned(trial.score), trial.state)
        is_best = self.record.best is trial
        if is_best and trial != before:
            self.keep_best(trial)
        self.display.ended(trial, is_best=is_best)

    def asked_of_all(self, ended: Ended) -> Ended:
        """What became of a trial, which was stopped where a signal may have ended who kept it: to a whole group of
        processes it comes to those of a cluster too, and a trial that nobody keeps any more saves and ends."""
        if ended.state != "killed" or self.flag.received is None:
            return ended
        return replace(ended, state="stopped", reason=self.flag.received.name, exit_code=128 + signal.SIGTERM)

    def keep_best(self, trial: Trial) -> None:
        """Write the config of the best trial, as its run directory has it."""
        path = self.record.folder / trial.folder / CONFIG
        try:
            # Which number of threads "auto" stands for depends on how many trials there were at once.
            threads = [] if trial.threads is None else [f"--system.threads={trial.threads}"]
            text = read_run_config(path, overrides=threads).filled_text()
        except TrainerError as err:
            self.display.note(f"best.cfg could not be written: {err}")
            return
        score = f"{self.record.metric} {trial.score} after {trial.score_step} updates"
        set_to = " ".join(f"{name}={value}" for name, value in trial.params.items())
        record.write_best(self.record, text, {f"Trial {trial.trial} of {self.resources.output}": score, "Set": set_to})

    def look(self) -> None:
        """See to the clock and to signals."""
        if self.flag.received is not None and not self.why:
            self.stop(self.flag.received.name)
        limit, seconds = self.record.budget, self.seconds
        if limit is not None and seconds >= budget.asked_at(limit) and not self.why:
            self.stop("budget")
        if limit is not None and seconds >= budget.forced_at(limit):
            for number in self._running:
                self.executor.kill(number)
        if self.clock() - self._noted >= max(NOTE_SECONDS, NOTE_SHARE * (limit or 0)):
            self._noted = self.clock()
            self.record.seconds = seconds
            self.record.save()
        self.display.look(self.record, seconds, list(self._running.values()))

    def stop(self, why: str) -> None:
        """Ask all trials to save and end."""
        self.why = why
        self.display.stopping(why, len(self._running))
        for number in self._running:
            self.executor.stop(number)
