"""What many workers would bring, from what two were measured to cost: docs/scaling.md's tables."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

NODES = (1, 2, 4, 8, 16, 32, 64)
GIGABITS = (1, 10, 100)
MEGABYTE = 1 << 20


class Cost(NamedTuple):
    """Milliseconds of a step: `compute` is divided among the nodes, `update` is the driver's alone, `first` is what the
    first worker adds and `more` what each other one does; `megabytes` go to each node and come back from it."""

    compute: float
    update: float
    first: float
    more: float
    megabytes: float

    def step(self, n_nodes: int, gigabits: float) -> float:
        """compute / N + update + first + (N - 1) more + the time on the driver's line: 2 (N - 1) megabytes.

        One node is one process, without workers.
        """
        if n_nodes == 1:
            return self.compute + self.update
        others = n_nodes - 1
        line = 2 * others * self.megabytes * MEGABYTE * 8 / (gigabits * 1e9) * 1e3
        return self.compute / n_nodes + self.update + self.first + others * self.more + line

    def speed_up(self, n_nodes: int, gigabits: float) -> float:
        return self.step(1, gigabits) / self.step(n_nodes, gigabits)


def cost(line: Mapping[str, Any]) -> Cost:
    """The cost of one measured network and batch size, where weights and sums go through the object store."""
    one, two = (line["overhead_ms"][f"{n}, object store"] for n in ("1 worker", "2 workers"))
    return Cost(
        line["gradient_ms"],
        max(0.0, line["update_ms"] - line["gradient_ms"]),
        one,
        max(0.0, two - one),
        line["megabytes"],
    )


def measured_table(lines: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            f"784-{line['width']}-{line['width']}-10, {line['megabytes']:.1f} MB",
            f"{line['batch_size']:,}",
            f"{line['gradient_ms']:.2f}",
            *(f"{line['overhead_ms'][name]:.2f}" for name in ("1 worker", "2 workers", "2 workers, object store")),
            *(ratio(line["speed"][name]) for name in ("2 workers", "2 workers, object store")),
        )
        for line in lines
    ]
    heads = ("network", "batch", "gradient, one process, ms", "overhead, 1 worker", "2 workers", "2, object store")
    return table((*heads, "speed, 2 workers over one process", "2, object store"), rows)


def predicted_table(lines: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for line in lines:
        for gigabits in GIGABITS:
            ups = [cost(line).speed_up(n, gigabits) for n in NODES]
            best = max(range(len(NODES)), key=ups.__getitem__)
            cells = [f"**{up:.2f}**" if i == best else f"{up:.2f}" for i, up in enumerate(ups)]
            rows.append((f"{line['megabytes']:.1f} MB, batch {line['batch_size']:,}", str(gigabits), *cells))
    return table(("network", "Gbit/s", *map(str, NODES)), rows)


def ratio(found: Sequence[float]) -> str:
    return f"{statistics.median(found):.2f} ({min(found):.2f} to {max(found):.2f})"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] + ["---:"] * (len(heads) - 1), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def winners(lines: Sequence[Mapping[str, Any]]) -> str:
    """Which of the measured ones two workers make faster, in a sentence."""
    won: dict[str, list[str]] = {}
    for line in lines:
        if statistics.median(line["speed"]["2 workers"]) > 1:
            won.setdefault(f"{line['megabytes']:.1f} MB", []).append(f"{line['batch_size']:,}")
    if not won:
        return "Two workers were faster than one process nowhere."
    sizes = [f"at {size} with batches of {' and '.join(batches)}" for size, batches in won.items()]
    return f"Two workers were faster than one process {', '.join(sizes)}."


def place(machine: Mapping[str, Any]) -> str:
    """What it was measured on, in a sentence."""
    threads = machine["OMP_NUM_THREADS"]
    what = f"{machine['cores']} cores of an {machine['cpu']}, {machine['system']}, Python {machine['python']}"
    return f"Measured on {what}, with a load of {machine['load']} at the end, OMP_NUM_THREADS {threads}."
