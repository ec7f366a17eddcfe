"""Take possession of a run's output directory without ever writing over what lies there."""

from __future__ import annotations

import os
from pathlib import Path

from trainer_cli import checkpoint, lock, names, pointers, retention, storage
from trainer_cli.errors import ArgumentError, OutputError
from trainer_cli.lock import Lock

# What a run writes, the checkpoints first: a crash on the way of setting them aside leaves no run to resume.
OURS = (
    checkpoint.FOLDER,
    "config.cfg",
    "run.json",
    "metrics.jsonl",
    pointers.BEST,
    pointers.BEST_LINK,
    pointers.LAST_LINK,
    "report.html",
)


def claim(folder: Path, *, resume: bool, overwrite: bool) -> Lock:
    """Lock the output directory of a run, making it if need be; `lock.folder` is its resolved path.

    Not empty: an OutputError, and nothing is touched, unless `resume` or `overwrite`. `resume` goes on with a run or
    begins one. `overwrite` only takes the directory: `set_aside` makes room, once it is sure that a new run can begin.
    """
    if resume and overwrite:
        raise ArgumentError("--resume goes on with a run, --overwrite starts anew: give one of them")
    try:
        run_dir = folder.resolve()
    except (OSError, RuntimeError) as err:  # a loop of links, which Python tells in two ways
        raise OutputError(f"{folder}: cannot be resolved: a loop of links; name another --output") from err
    _check(run_dir, resume or overwrite)
    storage.make_folder(run_dir)
    held = Lock(run_dir)
    try:
        _check(run_dir, resume or overwrite)  # another run may have come and gone in between
        retention.tidy(run_dir, held)
    except BaseException:
        held.release()
        raise
    return held


def _check(run_dir: Path, allowed: bool) -> None:
    if not os.path.lexists(run_dir):
        return
    if not os.path.isdir(run_dir):
        raise OutputError(f"{run_dir}: is no directory; name another --output")
    with storage.reported(run_dir):
        found = set(os.listdir(run_dir)) - {lock.NAME}
    if not found:
        return
    if not allowed:
        rule = "use --resume to go on, --overwrite to set an earlier run aside"
        held = rule if found.intersection(OURS) and _is_run(run_dir) else "it holds no run; name another --output"
        raise OutputError(f"{run_dir}: is not empty; {held}")
    clash = sorted(found.intersection(OURS))
    if clash and not _is_run(run_dir):
        raise OutputError(f"{run_dir}: has a {clash[0]!r} but holds no run; name another --output")


def _is_run(run_dir: Path) -> bool:
    """Whether a run of ours wrote here: it locks before anything else, and a copy has at least checkpoints."""
    return os.path.isfile(run_dir / lock.NAME) or bool(checkpoint.steps(run_dir))


def set_aside(held: Lock) -> Path | None:
    """Rename the files of an earlier run into one new folder `.old-<n>` beside them, and return it; None without any.

    Nothing else is touched: the cache stays, and so does what no run wrote.
    """
    assert held.held
    found = [name for name in OURS if os.path.lexists(held.folder / name)]
    if not found:
        return None
    old = names.unused(held.folder / ".old")
    storage.make_folder(old)
    for name in found:
        storage.rename(held.folder / name, old / name)
    return old
