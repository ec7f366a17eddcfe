"""Train in processes that are killed or get signals; prints what became of each, as JSON.

Imports once and forks, in a process of its own with one thread, so that forking is safe:
killed_training.py FOLDER (kills N | signals [unsaved])
"""

import json
import os
import random
import signal
import sys
from pathlib import Path

from run_fakes import CALLS, FullDisk, KillAt, config_of, steps, train

from trainer_cli import storage
from trainer_cli.__main__ import main as command
from trainer_cli.job import Job
from trainer_cli.run import Run
from trainer_cli.watched import WatchedReader

MAX_KILLS = 7


class Killer(FullDisk):
    """Kills the process at storage call number `at`: before it, or in the middle of a write."""

    def call(self, name, *args):
        self.n_calls += 1
        if self.n_calls in self.failing:
            if name == "write":
                os.write(args[0], args[1][: len(args[1]) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return getattr(os, name)(*args)


class KillProcessAt(KillAt):
    def step(self, step, state):
        if step.position.step == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def forked(act):
    """Run `act` in a process of its own; how that ended, as `os.waitstatus_to_exitcode` says it."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            code = act()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def killed_runs(folder, n):
    """Each run is killed at random steps and storage calls until it gets through, or seven times."""
    found = {}
    for seed in range(n):
        numbers, codes = random.Random(seed), []

        def attempt(numbers=numbers, seed=seed, codes=codes):
            in_save, at = numbers.random() < 0.5, numbers.randrange(1, 400)
            progress = None
            if len(codes) < MAX_KILLS and in_save:
                storage.os = Killer([at])
            elif len(codes) < MAX_KILLS:
                progress = KillProcessAt(steps_done(folder / str(seed)) + at % 20 + 1)
            config = config_of(folder, "--checkpoints.max_seconds", 1e-9 if seed % 2 else 300)
            train(config, folder / str(seed), resume=True, progress=progress)
            return 0

        while not codes or codes[-1] != 0:
            codes.append(forked(attempt))
            numbers.random()
            assert len(codes) < 50
        found[seed] = codes
    return found


def steps_done(run_dir):
    return (steps(run_dir) or [0])[0]


def send(number, times=1):
    for _ in range(times):
        os.kill(os.getpid(), number)


def after(method, owner, act):
    """Have `act` done before the method of that name."""
    original = getattr(owner, method)

    def acting(self, *args, **kwargs):
        act()
        return original(self, *args, **kwargs)

    setattr(owner, method, acting)


def countdown(n, act):
    left = [n]

    def count():
        left[0] -= 1
        if left[0] == 0:
            act()

    return count


def in_a_step(act):
    after("step", Run, countdown(17, act))


def in_an_evaluation(act):
    after("evaluate", Job, countdown(2, act))


def in_the_last_evaluation(act):
    after("evaluate", Job, countdown(9, act))


def while_reading(act):
    after("blocks", WatchedReader, countdown(1, act))


def in_a_save(act):
    storage.os = Calling(120, act)


def in_the_first_save(act):
    storage.os = Calling(30, act)


class Calling(FullDisk):
    def __init__(self, at, act):
        super().__init__()
        self.count = countdown(at, act)

    def call(self, name, *args):
        self.count()
        return getattr(os, name)(*args)


PHASES = [in_a_step, in_an_evaluation, in_the_last_evaluation, while_reading, in_a_save, in_the_first_save]


def save_nothing_more(act):
    """The planted bug: what a signal interrupts is not saved."""
    save = Run.save
    Run.save = lambda run, required: None if run.flag.received else save(run, required=required)
    in_a_step(act)


def signalled_runs(folder, bug=""):
    """One run for each phase and signal, and one with a second signal at once."""
    found = {}
    config_of(folder)
    for phase in PHASES[:1] if bug else PHASES:
        for number, times in ((signal.SIGTERM, 1), (signal.SIGINT, 1), (signal.SIGHUP, 1), (signal.SIGTERM, 2)):
            name = f"{phase.__name__} {number.name} {times}"

            def attempt(phase=phase, number=number, times=times, name=name):
                (save_nothing_more if bug else phase)(lambda: send(number, times))
                sys.argv = ["trainer", "train", str(folder / "run.cfg"), "-o", str(folder / name), "--quiet"]
                sys.argv.append("--checkpoints.max_seconds=1e-9")
                with open(folder / f"{name}.txt", "w") as file:
                    os.dup2(file.fileno(), 2)
                    try:
                        command()
                    except SystemExit as end:
                        return end.code
                return 0

            found[name] = forked(attempt)
    return found


def main(folder, what, *args):
    assert "fsync" in CALLS
    os.fsync = lambda fd: None  # a kill loses nothing that the kernel has
    print(json.dumps(killed_runs(folder, int(args[0])) if what == "kills" else signalled_runs(folder, *args)))


if __name__ == "__main__":
    for inherited in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # ignored, if the tests run in the background
        signal.signal(inherited, signal.SIG_DFL)
    main(Path(sys.argv[1]), *sys.argv[2:])
