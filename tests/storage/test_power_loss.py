"""What a power loss may leave, after each operation of a run: the last acknowledged checkpoint must load."""

import os
import random
import shutil
from pathlib import Path

import pytest
from storage_fakes import Disk, Recorder, is_the_one, play

from trainer_cli import checkpoint, output, storage
from trainer_cli.errors import TrainerError

STATES_PER_CALL = int(os.environ.get("POWER_LOSS_STATES", "10"))


class File:
    """Content as programs see it, and as it is on the disk since the last fsync."""

    def __init__(self):
        self.now = self.durable = b""

    def after_loss(self, rng):
        """What was synced stays under what was added to it; of the rest any part may be missing or zero."""
        kept = self.durable if self.now.startswith(self.durable) else b""
        rest = self.now[len(kept) :]
        return rng.choice(
            [self.durable, self.now, kept + rest[: rng.randrange(len(rest) + 1)], kept + bytes(len(rest))]
        )


class Link:
    def __init__(self, target):
        self.target = target


class Folder:
    """Entries as programs see them; `durable` since the last fsync, and the changes made to names since."""

    def __init__(self):
        self.now, self.durable, self.pending = {}, {}, []

    def apply(self, changes):
        self.now = changed(self.now, changes)
        self.pending.append(changes)

    def sync(self):
        self.durable, self.pending = dict(self.now), []

    def after_loss(self, rng):
        """Any of the unsynced changes may have reached the disk; a rename is one change of two names."""
        kind = rng.randrange(4)
        entries = self.durable
        for changes in self.pending:
            if kind == 0 or (kind > 1 and rng.random() < 0.5):
                entries = changed(entries, changes)
        return entries


def changed(entries, changes):
    entries = {**entries, **changes}
    return {name: inode for name, inode in entries.items() if inode is not None}


class Model:
    """A file system in memory that follows a recorded log below `root`."""

    def __init__(self, root):
        self.root, self.top = str(root), Folder()

    def find(self, path):
        inode = self.top
        for part in Path(path).relative_to(self.root).parts:
            inode = inode.now[part]
        return inode

    def play(self, name, path, extra=None):
        parent, leaf = os.path.split(path)
        if name == "fsync":
            inode = self.find(path)
            inode.sync() if isinstance(inode, Folder) else setattr(inode, "durable", inode.now)
        elif name == "write":
            self.find(path).now += extra
        elif name == "ftruncate":
            self.find(path).now = self.find(path).now[:extra]
        elif name == "create":
            if leaf not in self.find(parent).now:
                self.find(parent).apply({leaf: File()})
        elif name == "mkdir":
            self.find(parent).apply({leaf: Folder()})
        elif name in ("unlink", "rmdir"):
            self.find(parent).apply({leaf: None})
        elif name == "symlink":
            self.find(parent).apply({leaf: Link(extra)})
        else:
            assert name == "rename"
            assert os.path.dirname(extra) == parent
            self.find(parent).apply({leaf: None, os.path.basename(extra): self.find(path)})


def build(entries, place, rng):
    """Write what a loss of power leaves of `entries` to a real folder."""
    place.mkdir()
    for name, inode in entries.items():
        if isinstance(inode, Folder):
            build(inode.after_loss(rng), place / name, rng)
        elif isinstance(inode, Link):
            (place / name).symlink_to(inode.target)
        else:
            (place / name).write_bytes(inode.after_loss(rng))


def record(monkeypatch, root):
    """The log of a run in `root`/run."""
    root.mkdir()
    disk = Recorder()
    monkeypatch.setattr(storage, "os", disk)
    with output.claim(root / "run", resume=False, overwrite=False):
        play(root / "run", disk.mark)
    monkeypatch.setattr(storage, "os", Disk())
    return disk.log


def lost(log, root, scratch, n_states=STATES_PER_CALL, seed=0):
    """How many states were built, and whether the last had lost an acknowledged checkpoint or loaded a wrong one."""
    model, acknowledged, n_lost, n_built = Model(root), 0, 0, 0
    rng = random.Random(seed)
    for entry in log:
        if entry[0] == "mark":
            acknowledged = entry[1]
            continue
        model.play(*entry)
        for _ in range(n_states):
            place = scratch / "state"
            build(model.top.after_loss(rng), place, rng)
            n_built += 1
            n_lost += not recovers(place / "run", acknowledged)
            shutil.rmtree(place)
            if n_lost:
                return n_built, n_lost
    return n_built, n_lost


def recovers(run_dir, acknowledged):
    try:
        with output.claim(run_dir, resume=True, overwrite=False) as lock:
            found = checkpoint.newest(run_dir, lock).checkpoint
    except TrainerError:
        return acknowledged == 0
    if found is None:
        return acknowledged == 0
    lines = b"".join(b'{"version": %d}\n' % n for n in range(1, found.state["version"] + 1))
    log = run_dir / "metrics.jsonl"
    logged = log.exists() and log.read_bytes().startswith(lines)
    leftovers = [name for name in os.listdir(run_dir / "checkpoints") if name.startswith((".tmp", ".was", ".dead"))]
    return is_the_one(found) and found.state["version"] >= acknowledged and logged and not leftovers


def test_no_acknowledged_checkpoint_is_lost_whenever_the_power_goes(tmp_path, monkeypatch):
    log = record(monkeypatch, tmp_path / "disk")
    n_built, n_lost = lost(log, tmp_path / "disk", tmp_path)
    assert n_lost == 0
    assert n_built > 150 * STATES_PER_CALL


def is_folder(path):
    return os.path.basename(path).startswith(("step-", ".tmp-step-", "checkpoints", "model", "run"))


@pytest.mark.parametrize(
    "forgets",
    [
        lambda entry: entry[0] == "fsync",
        lambda entry: entry[0] == "fsync" and not is_folder(entry[1]),
        lambda entry: entry[0] == "fsync" and is_folder(entry[1]),
        lambda entry: entry[0] == "fsync" and entry[1].endswith("/model"),
        lambda entry: entry[0] == "fsync" and entry[1].endswith("/metrics.jsonl"),
    ],
    ids=["no fsync", "no fsync of files", "no fsync of folders", "no fsync of the inner folder", "no fsync of lines"],
)
def test_a_run_that_forgets_an_fsync_loses_some(tmp_path, monkeypatch, forgets):
    log = [entry for entry in record(monkeypatch, tmp_path / "disk") if not forgets(entry)]
    assert lost(log, tmp_path / "disk", tmp_path, n_states=2)[1]


def test_a_run_that_deletes_the_old_one_first_loses_some(tmp_path, monkeypatch):
    good = checkpoint.save

    def save(run_dir, saved):
        for step in checkpoint.steps(run_dir):
            storage.remove_folder(checkpoint.step_path(run_dir, step), checkpoint.FILES)
        return good(run_dir, saved)

    monkeypatch.setattr(checkpoint, "save", save)
    log = record(monkeypatch, tmp_path / "disk")
    assert lost(log, tmp_path / "disk", tmp_path, n_states=1)[1] > 0
