"""What a run writes and when: log lines at once, checkpoints as often as costs little, never later than is promised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trainer_cli import checkpoint, json_text, pointers, retention
from trainer_cli.checkpoint import Checkpoint
from trainer_cli.errors import StorageError
from trainer_cli.journal import Journal

# A save may take this part of the time: the figure of CheckFreq (Mohan, Phanishayee and Chidambaram, FAST 2021).
COST_SHARE = 1 / 30


class Saver:
    """Writes the log and the checkpoints of one run.

    After an evaluation a save is due once the time since the last one exceeds 30 times that one's cost; at any step
    once `max_seconds` have passed. Until then the best is kept in memory. What could not be written is told, kept,
    and tried again with the next save; nothing is written that refers to something that is not there yet.

    `saved` is the state of the newest checkpoint, as JSON; None while there is none. `tell` takes what went wrong,
    `detail` what went well.
    """

    def __init__(
        self,
        run_dir: Path,
        log: Path,
        *,
        keep: int,
        max_seconds: float,
        clock: Callable[[], float],
        tell: Callable[[str], None],
        detail: Callable[[str], None],
    ):
        self.run_dir = run_dir
        self.keep = keep
        self.max_seconds = max_seconds
        self.clock = clock
        self.tell = tell
        self.detail = detail
        self.saved: Mapping[str, Any] | None = None
        self._log = log
        self._journal: Journal | None = None
        self._unwritten: list[bytes] = []
        self._bests: list[Checkpoint] = []
        self._last_end = clock()
        self._last_cost = 0.0

    def open_log(self, length: int) -> None:
        """Cut the log to `length` bytes: lines beyond are of steps that will be made again."""
        self._journal = Journal(self._log, length)
        if self._journal.is_changed:
            self.tell(
                f"{self._log}: the rows of earlier evaluations were changed or deleted; new ones follow all the same"
            )

    def log(self, line: bytes) -> int:
        """Add a line to the log; how long the log is with it."""
        assert self._journal is not None, "open_log comes first"
        self._unwritten.append(line)
        try:
            self._flush(self._journal)
        except StorageError as err:
            self.tell(f"the log waits for the next save: {err}")
        return self._journal.length + sum(map(len, self._unwritten))

    def keep_best(self, best: Checkpoint, *, final: bool) -> None:
        """Hold the best until the next save. The one that a `final` one beats stays: it holds if the run goes on."""
        self._bests = [*(self._bests if final else []), best]

    def has(self, state: Mapping[str, Any]) -> bool:
        """Whether the newest checkpoint has this state."""
        # As it is written, since a NaN does not equal itself.
        return self.saved is not None and json_text.encode(dict(self.saved)) == json_text.encode(dict(state))

    def is_due(self, *, evaluated: bool) -> bool:
        waited = self.clock() - self._last_end
        return waited >= self.max_seconds or (evaluated and waited * COST_SHARE > self._last_cost)

    def save(self, newest: Checkpoint, *, required: bool) -> None:
        """Write the best that is held, then `newest`, and delete what is no longer needed.

        A StorageError is raised if the save is `required`, else told.
        """
        start = self.clock()
        try:
            self._write_all(newest)
        except StorageError as err:
            if required:
                raise
            self.tell(f"step {newest.step} is not saved, the next save tries again: {err}")
        else:
            self._prune()
        self._last_end = self.clock()
        self._last_cost = self._last_end - start

    def save_best(self) -> None:
        """Write the best that is held, where the run as it is cannot be saved."""
        if self._bests:
            self.save(self._bests[-1], required=False)

    def _write_all(self, newest: Checkpoint) -> None:
        if self._journal is not None:
            self._flush(self._journal)
        while self._bests and self._bests[0].step != newest.step:
            self._write(self._bests[0])
            self._bests.pop(0)
        self._write(newest)
        self._bests.clear()

    def _flush(self, journal: Journal) -> None:
        while self._unwritten:
            journal.append(self._unwritten[0])
            self._unwritten.pop(0)

    def _write(self, new: Checkpoint) -> None:
        checkpoint.save(self.run_dir, new)
        pointers.refresh(self.run_dir, new.state)
        self.saved = new.state
        self.detail(f"saved step {new.step}")

    def _prune(self) -> None:
        try:
            retention.prune(self.run_dir, self.keep)
        except StorageError as err:
            self.tell(f"old checkpoints are not deleted, the next save tries again: {err}")
