"""What a person sees of a run: a bar while it works, a table row at each evaluation."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.text import Text

from trainer_cli import streams
from trainer_cli.arrays import Batch
from trainer_cli.loop import Step
from trainer_cli.state import Limits, RunState
from trainer_cli.table import Column, columns

if TYPE_CHECKING:
    from tqdm import tqdm

T = TypeVar("T")

REFRESH_SECONDS = 0.1
BAR_WIDTH = 20  # the percentage, the times and the least of a bar
PIPE_WIDTH = 10_000
BAR_FORMAT = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"


class Progress:
    """A bar on stderr where that is a terminal, and the table of evaluations on stdout. Nothing here can end a run.

    `note` stands at the head of the bar: who computes.
    """

    def __init__(self, *, quiet: bool = False, verbose: bool = False):
        self.out = console(streams.stdout())
        self.err = console(streams.stderr())
        self.quiet = quiet
        self.verbose = verbose
        self.note = ""
        self._bar: tqdm[None] | None = None
        self._columns: list[Column] = []
        self._last_shown = -math.inf

    def say(self, line: str, style: str = "") -> None:
        """One line about the run, above the bar."""
        if not self.quiet:
            self._above_bar(self.err, Text(line, style), is_prose=True)

    def detail(self, line: str) -> None:
        """One line for those who asked for more."""
        if self.verbose:
            self.say(line, "dim")

    def warn(self, line: str) -> None:
        """One line about something that went wrong and did not end the run."""
        self._above_bar(self.err, Text(line, "yellow"), is_prose=True)

    def tell(self, line: str, style: str = "") -> None:
        """One line that belongs to the result."""
        self._above_bar(self.out, Text(line, style))

    def start(self, state: RunState, limits: Limits, rows_per_epoch: int) -> None:
        """Show the bar from `state` on."""
        if self.quiet or not self.err.is_terminal:
            return
        from tqdm import tqdm

        self._limits, self._rows_per_epoch, self._first = limits, rows_per_epoch, state
        self._bar = tqdm(
            total=1.0,
            initial=self._done(state),
            file=self.err.file,
            bar_format=BAR_FORMAT,
            ncols=self._bar_columns(),
            leave=False,
            ascii=None if "utf" in self.err.encoding.lower() else True,
        )

    def step(self, step: Step, state: RunState) -> None:
        """Show one more update, ten times a second at most."""
        if self._bar is None or not self._is_due():
            return
        at = step.position
        seconds = state.seconds - self._first.seconds
        rate = (at.samples - self._first.position.samples) / seconds if seconds > 0 else 0.0
        self._bar.n, self._bar.ncols = self._done(state), self._bar_columns()
        at_step = f"{self.note}, step {at.step}" if self.note else f"step {at.step}"
        long = [at_step, f"loss {step.loss:.4g}", f"epoch {at.epoch + 1}", f"rate {step.learn_rate:.3g}"]
        short = [at_step, f"loss {step.loss:.3g}", f"rate {step.learn_rate:.2g}", f"{thousands(rate)}/s"]
        room = self._bar_columns() - BAR_WIDTH
        text = ", ".join([*long, f"{rate:,.0f} samples/s"])
        self._bar.set_description_str(text if len(text) <= room else fitted([*short, f"epoch {at.epoch + 1}"], room))

    def evaluating(self, items: Iterable[T], n_items: int) -> Iterator[T]:
        """The items, with how many of them are done shown in the bar."""
        for index, item in enumerate(items):
            if self._bar is not None and self._is_due():
                self._bar.set_description_str(f"evaluating {index / n_items:.0%}", refresh=True)
            yield item

    def reading(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Batches of data whose length nobody knows yet, with the rows counted in a bar."""
        if self.quiet or not self.err.is_terminal:
            yield from batches
            return
        from tqdm import tqdm

        with tqdm(unit=" rows", file=self.err.file, dynamic_ncols=True, leave=False) as bar:
            for batch in batches:
                yield batch
                bar.update(len(batch.rows))

    def row(self, row: Mapping[str, Any], score_names: Sequence[str], is_best: bool) -> None:
        """One line of the table, with the headings above the first one."""
        if self.quiet:
            return
        if not self._columns:
            self._columns = columns(score_names, self.out.width if self.out.is_terminal else None)
            heading = " ".join(column.title.rjust(column.width) for column in self._columns)
            self._above_bar(self.out, Text(heading, "bold"))
        cells = " ".join(column.cell(row) for column in self._columns)
        self._above_bar(self.out, Text(cells + (" *" if is_best else ""), "green" if is_best else ""))

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
            if not self.err.is_dumb_terminal:
                self.err.file.write("\r\x1b[K")  # what a typed ^C has moved along
                self.err.file.flush()

    def _bar_columns(self) -> int:
        """The terminal's columns as they are now, but for those in which it shows a typed ^C."""
        return max(1, self.err.width - len("^C") - 1)

    def _is_due(self) -> bool:
        now = time.monotonic()
        if now - self._last_shown < REFRESH_SECONDS:
            return False
        self._last_shown = now
        return True

    def _done(self, state: RunState) -> float:
        """How much of the run is behind it, from 0 to 1, by the limit that is nearest."""
        limits, at = self._limits, state.position
        parts = [
            at.step / limits.max_steps if limits.max_steps else 0.0,
            at.samples / (limits.max_epochs * self._rows_per_epoch) if limits.max_epochs else 0.0,
            state.seconds / limits.max_time if limits.max_time else 0.0,
        ]
        return min(1.0, max(parts))

    def _above_bar(self, where: Console, text: Text, *, is_prose: bool = False) -> None:
        """Print a line; one that is prose goes on in the next one between words."""
        if self._bar is not None:
            self._bar.clear()
        where.print(text, soft_wrap=not is_prose)
        if self._bar is not None:
            self._bar.refresh()


def console(stream: streams.QuietStream) -> Console:
    """A console on a stream. What is no terminal has no width: nothing is folded there."""
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(file=stream, highlight=False, soft_wrap=True, width=width)  # type: ignore[arg-type]


def thousands(number: float) -> str:
    """
    >>> thousands(12.3), thousands(8_450), thousands(84_500), thousands(2_345_678)
    ('12', '8.4k', '84k', '2.3M')
    """
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f}{letter}" if number < 10 * size else f"{number / size:.0f}{letter}"
    return f"{number:.0f}"


def fitted(parts: Sequence[str], width: int) -> str:
    """As many of the parts as `width` holds, the first one always."""
    text = parts[0]
    for part in parts[1:]:
        if len(text) + 2 + len(part) > width:
            break
        text += f", {part}"
    return text
