"""A schedule as a curve over a run: its values, and what they are in words."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.schedules.schedule import Schedule

# Of a longer run this many steps are looked at, evenly spread from the first to the last.
MOST_POINTS = 1_000_000


@dataclass(frozen=True)
class Curve:
    """The `values` of a schedule at `steps`, both (n,). `name` is what it sets, `text` how it is written."""

    name: str
    text: str
    steps: Array
    values: Array
    note: str = ""

    @property
    def summary(self) -> str:
        """First, last and largest value."""
        at = int(self.values.argmax())
        found = f"first {number(self.values[0])}, last {number(self.values[-1])}"
        found += f", largest {number(self.values[at])} at step {self.steps[at]:,}"
        return f"{found}; {self.note}" if self.note else found

    def thinned(self, n_spans: int) -> Curve:
        """The same line to the eye: of each of `n_spans` spans the first, lowest, highest and last point."""
        if len(self.steps) <= 4 * n_spans:
            return self
        edges = np.linspace(0, len(self.steps), n_spans + 1).astype(np.intp)
        kept: set[int] = set()
        for start, stop in pairwise(edges.tolist()):
            span = self.values[start:stop]
            kept |= {start, start + int(span.argmin()), start + int(span.argmax()), stop - 1}
        index = np.array(sorted(kept))
        return Curve(self.name, self.text, self.steps[index], self.values[index], self.note)


def curve(name: str, schedule: Schedule, n_steps: int, eval_frequency: int = 200) -> Curve:
    """The values that a run of `n_steps` updates uses; nothing is drawn from the schedule.

    One that follows the dev score is given the same score after every `eval_frequency` updates.
    """
    steps = np.unique(np.linspace(0, n_steps - 1, min(n_steps, MOST_POINTS)).round().astype(np.int64))
    note = f"{len(steps):,} of {n_steps:,} steps were looked at" if len(steps) < n_steps else ""
    if schedule.reads_scores:
        schedule = copy.deepcopy(schedule)
        for step in range(eval_frequency, n_steps, eval_frequency):
            schedule.observe(0.0, step)
        note = "it follows the dev score, and is drawn as if that never got better"
    values = np.array([schedule(step) for step in steps.tolist()], np.float64)
    return Curve(name, str(schedule), steps, values, note)


def number(value: float) -> str:
    """A value in four digits.

    >>> number(0.01), number(1234567.0), number(16.0)
    ('0.01', '1.235e+06', '16')
    """
    return f"{value:.4g}"
