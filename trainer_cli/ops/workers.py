"""Work on parts of a batch, on several threads at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

# The rows of a batch are dealt out in so many runs, whatever the number of threads: sums over them keep their order.
N_RUNS = 16


class Workers:
    """`n` threads, the caller's among them, that take the next part whenever they are done with one.

    Who does a part must not matter for its numbers: what parts give is added up in their order, not as they come.
    """

    def __init__(self, n: int = 1):
        self.n = n
        self._pool: ThreadPoolExecutor | None = None

    def each(self, n_parts: int, work: Callable[[int], None]) -> None:
        """Call `work` with 0 to `n_parts - 1`; what one of them raises is raised."""
        n_helpers = min(self.n, n_parts) - 1
        if n_helpers < 1:
            for part in range(n_parts):
                work(part)
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.n - 1, thread_name_prefix="trainer-ops")
        todo = iter(range(n_parts))  # handing out the next number is one step of the interpreter
        quiet = np.geterr()

        def help_out() -> None:
            with np.errstate(**quiet):
                for part in todo:
                    work(part)

        helpers = [self._pool.submit(help_out) for _ in range(n_helpers)]
        for part in todo:
            work(part)
        for helper in helpers:
            helper.result()

    def on_rows(self, n_rows: int, work: Callable[[slice], None]) -> None:
        """Call `work` with every run of the rows."""
        self.each(min(N_RUNS, n_rows), lambda run: work(rows_of(run, n_rows)))


def rows_of(run: int, n_rows: int) -> slice:
    """Which rows of a batch a run has."""
    n_runs = min(N_RUNS, n_rows)
    return slice(n_rows * run // n_runs, n_rows * (run + 1) // n_runs)
