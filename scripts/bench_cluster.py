"""What workers cost and bring: samples a second with two workers beside one process, and where a step's time goes.

    python scripts/bench_cluster.py                 every size, docs/scaling.json and the tables in docs/scaling.md
    python scripts/bench_cluster.py --page          the tables alone, from docs/scaling.json

Run it with the Python of .venv-engines on a machine with two idle cores. The networks are 784-n-n-10 on made-up rows,
each batch in two micro-batches; one process, one worker and two take turns, and a round is so many updates of each,
after as many to warm up. A step's overhead is its time without the driver's own update, less the time in which the
slower worker computed: forward, backward, and the sum of its micro-batches.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from benchmark.running import ROOT, machine, seconds
from benchmark.scaling import measured_table, place, predicted_table, winners

from trainer_cli import loop
from trainer_cli.backend import Backend, InProcess, Work
from trainer_cli.cluster import driver
from trainer_cli.cluster.connection import QUIET, own
from trainer_cli.cluster.driver import Driver
from trainer_cli.cluster.ray import RayCluster
from trainer_cli.config.run_config import read_run_config
from trainer_cli.epochs import Epochs
from trainer_cli.progress import Progress
from trainer_cli.session import Ready, Session
from trainer_cli.signals import StopFlag
from trainer_cli.threads import computing

NUMBERS, PAGE = ROOT / "docs" / "scaling.json", ROOT / "docs" / "scaling.md"
WIDTHS = (32, 256, 1536)
BATCH_SIZES = (128, 1024)
N_ROWS = 8192
SETTINGS = ("2 workers", "1 worker", "2 workers, object store", "1 worker, object store")

CONFIG = """
[data.train]
@readers = "npz.v1"
path = "{folder}/rows.npz"
[model]
@layers = "chain.v1"
[model.*.first]
@layers = "Relu.v1"
nO = {width}
[model.*.second]
@layers = "Relu.v1"
nO = {width}
[model.*.output]
@layers = "Softmax.v1"
[loss]
@losses = "CategoricalCrossentropy.v4"
[optimizer]
@optimizers = "Adam.v1"
[system]
threads = 1
[training]
max_steps = 1
batch_size = {batch_size}
accumulate_gradient = 2
"""


class Timed:
    """A backend whose gradients are timed: all of each, and of it what is not the slower worker's computing."""

    def __init__(self, backend: Backend):
        self.backend = backend
        self.all: list[float] = []
        self.overheads: list[float] = []
        if isinstance(backend, Driver):
            add_up = backend.add_up

            def watched(found: Any) -> float:
                found = list(found)
                self.slowest = max(sum(answer.seconds for answer in answers) for answers in found)
                return add_up(found)

            backend.add_up = watched  # type: ignore[method-assign]

    def forget(self) -> None:
        self.all.clear()
        self.overheads.clear()

    def gradient(self, batch: Any, step: int) -> float:
        start = time.perf_counter()
        loss = self.backend.gradient(batch, step)
        self.all.append(time.perf_counter() - start)
        self.overheads.append(self.all[-1] - getattr(self, "slowest", self.all[-1]))
        return loss

    def steps(self, ready: Ready) -> Iterator[Any]:
        job = ready.job
        return loop.train(job.model, job.optimizer, Epochs(self.backend.rows, job.batch_size, seed=0), self.gradient)


@contextmanager
def backends(ready: Ready) -> Iterator[dict[str, Timed]]:
    """One process, and workers with shared memory and without it, ready to compute the same run."""
    work = Work(ready.job, ready.facts, ready.contents, None, print, lambda: None)
    import ray

    with ExitStack() as stack:
        os.environ |= QUIET
        stack.enter_context(own(ray, n_cpus=6))
        found: dict[str, Backend] = {"one process": InProcess(ready.job)}
        for name in SETTINGS:
            with patch.object(driver, "can_share", lambda is_near="store" not in name: is_near):
                found[name] = stack.enter_context(RayCluster(workers=int(name[0])).open(work))
        yield {name: Timed(backend) for name, backend in found.items()}


def measured(folder: Path, width: int, batch_size: int, rounds: int, n: int) -> dict[str, Any]:
    path = folder / "run.cfg"
    path.write_text(CONFIG.format(folder=folder, width=width, batch_size=batch_size))
    session = Session(Progress(quiet=True), StopFlag())
    ready = session.prepare(folder / "out", read_run_config(path), None)
    store = ready.job.model.store
    with computing(1, ready.job.model), backends(ready) as found:
        steps = {name: timed.steps(ready) for name, timed in found.items()}
        for each in steps.values():
            seconds(each, n)
        for timed in found.values():
            timed.forget()
        taken = [{name: seconds(each, n) for name, each in steps.items()} for _ in range(rounds)]
    plain = "one process"
    return {
        "width": width,
        "batch_size": batch_size,
        "megabytes": round(store.values.nbytes / 2**20, 3),
        "updates": n,
        "gradient_ms": ms(found[plain].all),
        "update_ms": ms([t[plain] / n for t in taken]),
        "speed": {name: [round(t[plain] / t[name], 4) for t in taken] for name in steps if name != plain},
        "overhead_ms": {name: ms(timed.overheads) for name, timed in found.items() if name != plain},
    }


def ms(seconds: list[float]) -> float:
    return round(1000 * statistics.median(seconds), 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--page", action="store_true", help="write the tables anew from the numbers that are there")
    asked = parser.parse_args()
    if not asked.page:
        with tempfile.TemporaryDirectory() as name:
            numbers = np.random.default_rng(0)
            X = numbers.normal(size=(N_ROWS, 784)).astype(np.float32)
            np.savez(Path(name) / "rows.npz", X=X, Y=numbers.integers(0, 10, N_ROWS))
            lines = []
            for width in WIDTHS:
                for size in BATCH_SIZES:
                    lines.append(measured(Path(name), width, size, asked.rounds, asked.steps))
                    print(json.dumps(lines[-1]), flush=True)
        NUMBERS.write_text(json.dumps({"machine": machine(), "lines": lines}, indent=1) + "\n", encoding="utf-8")
    found = json.loads(NUMBERS.read_text(encoding="utf-8"))
    write("measured", f"{measured_table(found['lines'])}\n{winners(found['lines'])} {place(found['machine'])}\n")
    write("computed", predicted_table(found["lines"]))


def write(mark: str, text: str) -> None:
    """Put a text between its two marks on the page."""
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition(f"<!-- {mark} -->\n")
    end = f"<!-- /{mark} -->"
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
