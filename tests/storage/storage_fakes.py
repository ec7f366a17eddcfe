"""Disks that record, fail or kill, and the small run that is played on them."""

import errno
import os
import signal
from functools import partial

import numpy as np

from trainer_cli import checkpoint, pointers, retention
from trainer_cli.checkpoint import Checkpoint
from trainer_cli.journal import Journal

CALLS = ("open", "write", "fsync", "close", "mkdir", "rename", "unlink", "rmdir", "symlink", "ftruncate")


class Disk:
    """Stands in for `os` within `storage`: every changing call goes through `call`, numbered from 1."""

    def __init__(self):
        self.n_calls = 0
        for name in CALLS:
            setattr(self, name, partial(self.counted, name))

    def __getattr__(self, name):
        return getattr(os, name)

    def counted(self, name, *args):
        self.n_calls += 1
        return self.call(name, *args)

    def call(self, name, *args):
        return None if name == "fsync" else getattr(os, name)(*args)


class Recorder(Disk):
    """Keeps each call that changes something, with paths for descriptors; `mark` puts a remark in between."""

    def __init__(self):
        super().__init__()
        self.paths = {}
        self.log = []

    def mark(self, remark):
        self.log.append(("mark", remark))

    def call(self, name, *args):
        result = super().call(name, *args)
        if name == "open":
            self.paths[result] = str(args[0])
            if args[1] & os.O_CREAT:
                self.log.append(("create", str(args[0])))
        elif name in ("write", "fsync", "ftruncate"):
            extra = {"write": lambda: bytes(args[1][:result]), "ftruncate": lambda: args[1], "fsync": lambda: None}
            self.log.append((name, self.paths[args[0]], extra[name]()))
        elif name in ("mkdir", "unlink", "rmdir"):
            self.log.append((name, str(args[0])))
        elif name == "rename":
            self.log.append((name, str(args[0]), str(args[1])))
        elif name == "symlink":
            self.log.append((name, str(args[1]), args[0]))
        return result


class Faulty(Disk):
    """Fails call number `at` with `code`, and every later one too if `persistent`."""

    def __init__(self, at, code, persistent=False):
        super().__init__()
        self.at, self.code, self.persistent = at, code, persistent

    def call(self, name, *args):
        if self.n_calls != self.at and not (self.persistent and self.n_calls > self.at):
            return super().call(name, *args)
        if name == "close":
            os.close(*args)  # the descriptor is gone even when close reports an error
        if name == "write":
            os.write(args[0], args[1][: len(args[1]) // 2])  # a disk fills up in the middle of a call
        raise OSError(self.code, os.strerror(self.code))


class Short(Disk):
    """Writes at most seven bytes a call."""

    def call(self, name, *args):
        return super().call(name, args[0], args[1][:7]) if name == "write" else super().call(name, *args)


class Killer(Disk):
    """Kills the process at call number `at`: before it, or in the middle of a write."""

    def __init__(self, at):
        super().__init__()
        self.at = at

    def call(self, name, *args):
        if self.n_calls == self.at:
            if name == "write":
                os.write(args[0], args[1][: len(args[1]) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return super().call(name, *args)


BEST = {0: 0, 100: 0, 200: 200}
LAST = max(BEST)


def make(step, best=None, version=0, log_bytes=0, n=5):
    """A checkpoint whose every part is a function of the step."""
    rng = np.random.default_rng(step)
    model = {"config.cfg": b"[model]\nstep = %d\n" % step, "params.safetensors": rng.bytes(64), "meta.json": b"{}\n"}
    optimizer = {"m.W": rng.normal(size=(n, 2)), "v.W": rng.random(n).astype(np.float32), "t": np.int64(step)}
    state = {"version": version, "log_bytes": log_bytes, "rate": 0.1 + step, "worst": float("-inf")}
    state["best"] = None if best is None else {"step": best, "score": best / 1000}
    return Checkpoint(step, model, {name: np.asarray(value) for name, value in optimizer.items()}, state)


def play(run_dir, acknowledge, keep=1):
    """A run of three checkpoints, the last one saved twice: log, save, point, prune; `acknowledge(version)` each."""
    journal = Journal(run_dir / "metrics.jsonl")
    for version, step in enumerate((*BEST, LAST), start=1):
        saved = make(step, BEST[step], version, journal.append(b'{"version": %d}\n' % version))
        checkpoint.save(run_dir, saved)
        acknowledge(version)
        pointers.refresh(run_dir, {**saved.state, "step": step})
        retention.prune(run_dir, keep)


def is_the_one(found):
    """Whether every bit of a loaded checkpoint is what `play` wrote at that step."""
    state = found.state
    best = state["best"] and state["best"]["step"]
    return equal(found, make(found.step, best, state["version"], state["log_bytes"]))


def equal(a, b):
    return (
        (a.step, dict(a.model)) == (b.step, dict(b.model))
        and {**a.state, "step": a.step} == {**b.state, "step": b.step}
        and a.optimizer.keys() == b.optimizer.keys()
        and all(same_bits(a.optimizer[name], b.optimizer[name]) for name in a.optimizer)
    )


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def tree(folder):
    """Everything in a folder: content of files, target of links, None for folders."""
    found = {}
    for path in sorted(folder.rglob("*")):
        link, name = path.is_symlink(), str(path.relative_to(folder))
        found[name] = os.readlink(path) if link else path.read_bytes() if path.is_file() else None
    return found


ERRNOS = [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EMFILE, errno.EINTR]
