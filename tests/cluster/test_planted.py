"""Mistakes that a run with workers might make, each planted: the bits differ, so the tests of the bits would see it."""

import os
import string

import pytest
from cluster_runs import IDLE, of_words, trained, write_texts
from run_fakes import CONFIG, PARTS, import_parts, outcome_of, write_data
from test_batching import TEXT

from trainer_cli.cluster.driver import Driver

pytest.importorskip("ray")

NORM = '[model.*.norm]\n@layers = "BatchNorm.v1"\n\n[model.*.output]'
SHORT = ("--training.max_steps", 8, "--training.eval_frequency", 4)

# What a worker is told with --code: it is not the driver, whose process imports these files as well.
IN_WORKER = """

import os
from pathlib import Path

from trainer_cli.buffers import Buffers
from trainer_cli.cluster import worker
from trainer_cli.cluster.worker import Worker

if os.getpid() != {driver}:
"""

OWN_SEED = """
    Moment = worker.Moment
    worker.Moment = lambda seed, step, micro: Moment(os.getpid(), step, micro)
"""

# Before each step the numbers of the one before come back.
ONE_STEP_OLD = """
    take, old = Worker.take, {}

    def taken(self, weights, flat):
        take(self, weights, flat)
        values = self.model.store.values
        now = values.copy()
        values[...] = old.get(id(self), now)
        old[id(self)] = now

    Worker.take = taken
"""

BUFFERS_THAT_GO_ON = """
    Buffers.restart = lambda self: None
"""

# The first worker of a run dies in its second step; who comes after it thinks that its first block is done.
SKIPPED_BLOCK = """
    died = Path(__file__).parent / "died"
    gradient, has_died = Worker.gradient, died.exists()
    n_calls = [0]

    def skipping(self, *given):
        n_calls[0] += 1
        if not died.exists() and n_calls[0] == 2:
            died.touch()
            os._exit(1)
        answers = gradient(self, *given)
        if has_died and n_calls[0] == 1 and SKIPS:
            answers[0].sums.tables.clear()
            memory = self.mapped(given[0].memory)
            store = self.model.store
            memory.array(store.dtype, store.dense.size + store.buffers.fresh.size, 0)[:] = 0
        return answers

    Worker.gradient = skipping
"""

BUGS = {
    "a worker that uses its own seed": OWN_SEED,
    "weights one step old": ONE_STEP_OLD,
    "buffers that are not restarted": BUFFERS_THAT_GO_ON,
}


@pytest.fixture
def folder(tmp_path):
    import_parts(write_data(tmp_path))
    return tmp_path


def outcomes(folder, bug, n_workers=3):
    """Of a run without workers, and of one with some and a bug."""
    text = CONFIG.replace("[model.*.output]", NORM)
    alone = trained(folder, 0, *SHORT, text=text)
    (folder / "parts.py").write_text(PARTS + (IN_WORKER.format(driver=os.getpid()) + bug if bug else ""))
    return outcome_of(alone), outcome_of(trained(folder, n_workers, *SHORT, text=text, name="planted"))


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_seen(cluster, folder, bug):
    alone, planted = outcomes(folder, BUGS[bug])
    assert planted["optimizer"] != alone["optimizer"]
    assert planted["state"]["step"] == alone["state"]["step"]


@pytest.mark.parametrize("skips", [True, False])
def test_a_restarted_worker_that_skips_its_block_is_seen(cluster, folder, skips):
    """That the first one dies does no harm by itself."""
    alone, planted = outcomes(folder, SKIPPED_BLOCK.replace("SKIPS", str(skips)), n_workers=1)
    assert (folder / "died").exists()
    assert (planted["optimizer"] == alone["optimizer"]) == (not skips)


# Of the rows of tables only those that have changed last are taken, also after a step without this worker.
ROWS_OF_ONE_STEP = """
    take = Worker.take

    def taken(self, weights, flat):
        if 0 <= self.version < weights.version:
            self.version = weights.version - 1
        take(self, weights, flat)

    Worker.take = taken
"""


def test_a_worker_that_takes_only_the_rows_changed_last_is_seen(cluster, folder):
    write_texts(folder, [*string.ascii_lowercase], n_most=3)
    alone = trained(folder, 0, *IDLE, text=of_words(TEXT))
    (folder / "parts.py").write_text(PARTS + IN_WORKER.format(driver=os.getpid()) + ROWS_OF_ONE_STEP)
    planted = trained(folder, 3, *IDLE, text=of_words(TEXT), name="planted")
    assert outcome_of(planted)["optimizer"] != outcome_of(alone)["optimizer"]


def test_a_sum_in_the_order_of_arrival_is_seen(cluster, folder, monkeypatch):
    """Answers that come from the last worker first, and are added as they come."""
    add_up = Driver.add_up
    monkeypatch.setattr(Driver, "add_up", lambda self, found: add_up(self, reversed(list(found))))
    alone, planted = outcomes(folder, "")
    assert planted["optimizer"] != alone["optimizer"]
