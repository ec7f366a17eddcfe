"""A sweep without processes: trials that are over as soon as somebody looks, in an order that is not theirs."""

import json
import random

from trainer_cli.sweep.executor import Began, Ended, Scored
from trainer_cli.sweep.record import Plan, Record, rows
from trainer_cli.sweep.sweep import Resources, Sweep


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Instant:
    """An executor: each look takes `seconds` and ends one of the running trials, as `ends(task)` says."""

    def __init__(self, n_workers, ends, clock=None, seconds=1.0, order=0, curve=(), higher=True):
        self.n_workers, self.ends = n_workers, ends
        self.clock, self.seconds = clock or Clock(), seconds
        self.random = random.Random(order)
        self.curve, self.higher = curve, higher
        self.tasks, self.asked, self.stopped, self.killed, self.submitted = [], {}, [], [], []

    def submit(self, task):
        assert len(self.tasks) < self.n_workers
        self.tasks.append(task)
        self.submitted.append(task)

    def wait(self, seconds):
        self.clock.now += self.seconds
        if not self.tasks:
            return []
        task = self.tasks.pop(self.random.randrange(len(self.tasks)))
        began = Began(task.trial, "accuracy", self.higher, 1, 0)
        scored = [Scored(task.trial, step, value) for step, value in self.curve] if task.asks else []
        return [began, *scored, self.ends(task)]

    def answer(self, trial, *, go_on):
        self.asked.setdefault(trial, []).append(go_on)

    def stop(self, trial):
        self.stopped.append(trial)

    def kill(self, trial):
        self.killed.append(trial)

    def close(self):
        self.tasks = []


class Deaf(Instant):
    """Its trials end only when they are killed."""

    def wait(self, seconds):
        self.clock.now += self.seconds
        found = [task.trial for task in self.tasks if task.trial in self.killed]
        self.tasks = [task for task in self.tasks if task.trial not in found]
        return [Ended(trial, "stopped", "SIGKILL", 137) for trial in found]


class Mute:
    """A display that shows nothing, and remembers."""

    def __init__(self):
        self.lines = []

    def note(self, line, style=""):
        self.lines.append(line)

    def started(self, trial, *, again): ...

    def moved(self, report, score): ...

    def ended(self, trial, *, is_best): ...

    def stopping(self, why, n_running): ...

    def look(self, record, seconds, running): ...

    def close(self): ...


class Source:
    """A config that nobody reads."""

    name, text, environment = "run.cfg", "", ""

    def words_with(self, params):
        return (json.dumps(params),)


def finished(task, **values):
    return Ended(task.trial, "finished", "max_steps", 0, **{"score": 0.5, "score_step": 7, "steps": 14, **values})


def record_in(folder, n_trials=None, budget=None, space=("a.x=0..1",)):
    record = Record(folder, Plan(space, "random"), n_trials=n_trials, budget=budget)
    record.save()
    return record


def run(record, search, executor, flag, **more):
    """Drive a sweep to its end; its rows as the file has them."""
    driver = Sweep(
        record,
        Source(),
        search,
        executor,
        Resources(record.folder, **more),
        Mute(),
        flag,
        start_time=executor.clock.now,
        clock=executor.clock,
    )
    driver.go()
    return driver, rows(record.folder / "trials.jsonl")
