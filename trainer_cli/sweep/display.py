"""What a person sees of a sweep: a line for each trial that is over, and below them those that run."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from trainer_cli import streams
from trainer_cli.progress import console
from trainer_cli.sweep.budget import shown
from trainer_cli.sweep.executor import Moved
from trainer_cli.sweep.record import Record
from trainer_cli.sweep.space import Params, Space
from trainer_cli.sweep.trial import Trial
from trainer_cli.table import score_text

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

REFRESH_SECONDS = 0.2
BAR_WIDTH = 10
STYLES = {"finished": "", "pruned": "dim", "stopped": "yellow", "killed": "red", "diverged": "red", "failed": "red"}
# So many rows has the table of a terminal; trials.jsonl has them all.
MOST_ROWS = 20


class Display:
    """Lines on stderr; where that is a terminal, those of the running trials change in place."""

    def __init__(self, space: Space, *, quiet: bool = False):
        self.err: Console = console(streams.stderr())
        self.quiet = quiet
        self.names = short([each.name for each in space])
        self._live: Live | None = None
        self._moved: dict[int, tuple[Moved, float | None]] = {}
        self._last_shown = -1e9

    def note(self, line: str, style: str = "yellow") -> None:
        """One line about something that the user should know."""
        self._print(Text(line, style), fold=True)

    def say(self, line: str) -> None:
        """One line for who watches."""
        if not self.quiet:
            self._print(Text(line), fold=True)

    def started(self, trial: Trial, *, again: bool) -> None:
        if again:
            self.say(f"trial {trial.trial} goes on")

    def moved(self, report: Moved, score: float | None) -> None:
        self._moved[report.trial] = report, score

    def ended(self, trial: Trial, *, is_best: bool) -> None:
        self._moved.pop(trial.trial, None)
        if self.quiet and trial.state in ("finished", "pruned", "stopped"):
            return
        score = "-" if trial.score is None else score_text(trial.score)
        head = f"trial {trial.trial:>3} {trial.state:<8} {score:>8} {'*' if is_best else ' '} "
        text = head + self.params(trial.params)
        self._print(Text(text, "green" if is_best else STYLES.get(trial.state, "")))
        if trial.state in ("failed", "diverged", "killed"):
            self._print(Text(f"          {trial.reason.splitlines()[0] if trial.reason else ''}", "red"), fold=True)

    def stopping(self, why: str, n_running: int) -> None:
        if n_running:
            what = "the budget is spent" if why == "budget" else why
            self.say(f"{what}: {n_running} running trial{'s' if n_running > 1 else ''} will save and stop")

    def look(self, record: Record, seconds: float, running: Sequence[Trial]) -> None:
        """Show the trials that run, a few times a second."""
        now = time.monotonic()
        if self.quiet or not self.err.is_terminal or now - self._last_shown < REFRESH_SECONDS:
            return
        self._last_shown = now
        if self._live is None:
            from rich.live import Live

            self._live = Live(console=self.err, auto_refresh=False, transient=True)
            self._live.start()
        width = self.err.width
        lines = [head_line(record, seconds, len(running)), *(self._line(trial) for trial in running)]
        self._live.update(Text("\n".join(line[: width - 1] for line in lines)), refresh=True)

    def _line(self, trial: Trial) -> str:
        report, score = self._moved.get(trial.trial, (None, None))
        done = 0.0 if report is None else report.done
        full, empty = ("█", "░") if "utf" in self.err.encoding.lower() else ("#", "-")
        n_full = int(done * BAR_WIDTH)
        text = "-" if score is None else score_text(score)
        bar = full * n_full + empty * (BAR_WIDTH - n_full)
        return f"trial {trial.trial:>3} {bar} {done:4.0%} {text:>8}  {self.params(trial.params)}"

    def params(self, params: Params) -> str:
        """Values by the shortest names that tell them apart: `learn_rate=0.00123 nO=64`."""
        return " ".join(f"{self.names.get(name, name)}={value_text(value)}" for name, value in params.items())

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _print(self, text: Text, *, fold: bool = False) -> None:
        if fold or not self.err.is_terminal:
            self.err.print(text, soft_wrap=not fold)
        else:
            self.err.print(text, soft_wrap=False, no_wrap=True, overflow="ellipsis", crop=True)


def head_line(record: Record, seconds: float, n_running: int) -> str:
    """How far the sweep is, in one line."""
    n_over = len(record.trials) - n_running
    of = "" if record.n_trials is None else f" of {record.n_trials}"
    spent = f"{shown(seconds)} of {shown(record.budget)}" if record.budget else shown(seconds)
    best = record.best
    reached = f", best {score_text(best.score)} (trial {best.trial})" if best and best.score is not None else ""
    return f"{n_over}{of} trials, {spent}{reached}"


def short(names: Sequence[str]) -> dict[str, str]:
    """The shortest end of each name that no other name has.

    >>> short(["model.h1.nO", "model.h2.nO", "optimizer.learn_rate"])
    {'model.h1.nO': 'h1.nO', 'model.h2.nO': 'h2.nO', 'optimizer.learn_rate': 'learn_rate'}
    """
    return {name: shortest(name, [other for other in names if other != name]) for name in names}


def shortest(name: str, others: Sequence[str]) -> str:
    parts = name.split(".")
    for n in range(1, len(parts)):
        end = ".".join(parts[-n:])
        if not end.startswith("@") and not any(other == end or other.endswith(f".{end}") for other in others):
            return end
    return name


def value_text(value: Any) -> str:
    """
    >>> value_text(0.00123456), value_text(64), value_text("Adam.v1"), value_text([1, 2])
    ('0.001235', '64', 'Adam.v1', '[1,2]')
    """
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def table(record: Record, display: Display, *, is_short: bool) -> Table:
    """The trials, the best first, and how each ended; a short one has no more than a screen of them."""
    from rich import box
    from rich.table import Table

    ranked = record.ranked
    shown_ones = ranked[:MOST_ROWS] if is_short else ranked
    more = len(ranked) - len(shown_ones)
    caption = f"and {more} more: {record.folder.name}/trials.jsonl" if more else None
    found = Table(box=box.SIMPLE, caption=caption, caption_justify="left", pad_edge=False)
    for heading, justify in (("trial", "right"), (record.metric or "score", "right"), ("state", "left")):
        found.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    found.add_column("set to", overflow="fold")
    for trial in shown_ones:
        score = "-" if trial.score is None else score_text(trial.score)
        found.add_row(str(trial.trial), score, trial.state, Text(display.params(trial.params)))
    return found
