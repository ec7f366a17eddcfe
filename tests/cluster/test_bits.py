"""The same bits without a cluster and with any number of workers."""

import json
import pickle
import string

import jax_runs
import numpy as np
import pytest
import torch_runs
from cluster_runs import IDLE, of_words, trained, write_texts
from run_fakes import CONFIG, Silent, import_parts, outcome_of, rows, train, write_data
from test_batching import BY_LENGTH, TEXT, WORDS
from test_row_weights import weigh

from trainer_cli.cluster import driver
from trainer_cli.cluster.calls import Calls
from trainer_cli.cluster.crew import Crew
from trainer_cli.cluster.pipe import Pipe
from trainer_cli.config.run_config import read_run_config
from trainer_cli.metrics.spill import Spill

pytest.importorskip("ray")

HIDDEN = CONFIG[CONFIG.index("[model.*.hidden]") : CONFIG.index("[model.*.output]")]
DEV = CONFIG[CONFIG.index("[data.dev]") : CONFIG.index("[target]")]
# Chunks of a few rows go to the disk, where no other process can read them.
SPILLING = "\nfrom trainer_cli.metrics import spill\n\nspill.MEMORY_BYTES = 64\n"
SHORT = ("--training.max_steps", 24, "--training.eval_frequency", 6, "--training.eval_batch_size", 3)


@pytest.fixture
def folder(tmp_path):
    import_parts(write_data(tmp_path))
    return tmp_path


def same(folder, *overrides, n_workers=3, progress=None, text=None, code="parts.py", **more):
    """Train without workers and with some; the rows of the log, which are the same as all else is."""
    given = {"text": text, "code": code}
    alone = trained(folder, 0, *overrides, **given)
    shared = trained(folder, n_workers, *overrides, progress=progress, **given, **more)
    assert outcome_of(shared) == outcome_of(alone)
    return rows(alone)


def plateau(rate):
    return json.dumps({"@schedules": "plateau.v1", "initial_rate": rate, "factor": 0.5, "patience": 1})


@pytest.mark.parametrize("n_workers", [1, 2, 3, 4])
def test_workers_have_the_bits_of_one_process(cluster, folder, n_workers):
    """Dropout, averages, a ragged last batch, batches that grow, dev data in several parts."""
    same(folder, n_workers=n_workers)


@pytest.mark.parametrize("shares", [True, False])
def test_with_pipes_and_shared_memory_or_through_ray_alone(cluster, folder, monkeypatch, shares):
    """The second is how workers of other machines are reached, and all where there is no such memory."""
    lines = set()
    await_answer = Crew.await_answer

    def watched(self, member, job):
        if job is not None:
            lines.add(type(member.line))
        await_answer(self, member, job)

    monkeypatch.setattr(Crew, "await_answer", watched)
    monkeypatch.setattr(driver, "can_share", lambda: shares)
    same(folder, *SHORT)
    assert lines == {Pipe if shares else Calls}


def test_with_compiled_kernels(cluster, folder):
    same(folder, *SHORT, "--system.ops", "numba")


def test_with_schedules_that_follow_the_scores_running_means_and_metrics_that_keep_their_rows(cluster, folder):
    (folder / "parts.py").write_text((folder / "parts.py").read_text() + SPILLING)
    (folder / "hard.csv").write_text((folder / "dev.csv").read_text())
    norm = '[model.*.norm]\n@layers = "BatchNorm.v1"\n\n'
    text = CONFIG.replace("[model.*.output]", f"{norm}[model.*.output]")
    text = text.replace(DEV, f"{DEV.replace('data.dev', 'data.dev.easy')}{DEV.replace('data.dev', 'data.dev.hard')}")
    found = same(
        folder,
        *(*SHORT, "--data.dev.hard.path", folder / "hard.csv", "--metrics.auc.@metrics", "auc.v1"),
        *("--optimizer.learn_rate", plateau(0.05), "--model.hidden.dropout", plateau(0.4)),
        text=text,
    )
    assert {"easy.auc", "hard.accuracy"} <= found[0].keys()
    assert found[-1]["learn_rate"] < found[0]["learn_rate"]


def test_with_a_table_first_numbers_weights_balance_and_rows_that_the_driver_sends(cluster, folder):
    for name in ("train", "dev"):
        weigh(folder / f"{name}.csv", [1, 0.5, 2, 0, 3])
    text = CONFIG.replace(HIDDEN, '[model.*.cells]\n@layers = "cells.v1"\nnO = 6\n\n')
    overrides = (*SHORT, "--training.weight_column", "w", "--training.balance", "true")
    trained(folder, 0, *overrides, text=text, name="first")
    more = ("--training.init_from", folder / "first", "--loss.class_weights", '{"yes": 2.0, "no": 1.0}')
    same(folder, *overrides, *more, text=text, data="driver")


@pytest.mark.parametrize(
    ("text", "more", "data"),
    [(WORDS, (), "local"), (BY_LENGTH, ("--system.data_memory", 0), "local"), (WORDS, (), "driver")],
    ids=["words", "by length, in the cache", "words that the driver sends"],
)
def test_with_batches_that_go_by_the_lengths_of_texts(cluster, folder, text, more, data):
    write_texts(folder, ["good", "bad", "fine", "so", "very"])
    same(folder, *SHORT, *more, text=of_words(text), data=data)


def test_with_a_table_of_rows_and_a_worker_that_has_nothing_to_do_in_some_steps(cluster, folder):
    """The last batch of a pass has two rows for three workers: in the step after it one of them lacks the rows that
    the step before it has changed, and many of them are read."""
    write_texts(folder, [*string.ascii_lowercase], n_most=3)
    found = same(folder, *IDLE, text=of_words(TEXT))
    assert found[-1]["samples"] == 3 * 41


def test_with_dev_data_that_a_split_holds_out(cluster, folder):
    text = CONFIG.replace(DEV, '[data.split]\n@splits = "stratified.v1"\ndev = 0.3\ntest = 0.2\n\n')
    same(folder, *SHORT, text=text)


SETTINGS = (
    ('@optimizers = "Adam.v1"', '@optimizers = "TorchOptimizer.v1"\nname = "AdamW"'),
    (
        '@losses = "CategoricalCrossentropy.v4"\nfrom_logits = true',
        '@losses = "TorchLoss.v1"\nname = "CrossEntropyLoss"\nweight = [1.0, 3.0]',
    ),
)


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_with_modules_of_other_libraries(cluster, tmp_path, library):
    """Dropout, normalisation and a count of batches of theirs; frozen numbers that come from another run."""
    pytest.importorskip(library)
    runs = {"torch": torch_runs, "jax": jax_runs}[library]
    runs.write_files(tmp_path)
    import_parts(tmp_path)
    text = runs.CONFIG.replace('path = "', 'path = "{folder}/').replace("batch_size = 7", "batch_size = 12")
    for before, after in SETTINGS if library == "torch" else ():
        text = text.replace(before, after)
    trained(tmp_path, 0, "--system.seed", 5, "--training.max_steps", 3, text=text, name="first")
    same(tmp_path, "--training.init_from", tmp_path / "first", "--training.max_steps", 16, text=text)


def test_with_the_config_of_the_readme(cluster, tmp_path):
    overrides = ["--training.max_steps=30", "--training.eval_frequency=10", "--training.accumulate_gradient=3"]
    for n_workers in (0, 2):
        more = [f"--cluster.{word}" for word in ("@clusters=ray.v1", "workers=2")] if n_workers else []
        train(read_run_config("configs/digits.cfg", overrides=[*overrides, *more]), tmp_path / str(n_workers))
    assert outcome_of(tmp_path / "2") == outcome_of(tmp_path / "0")


def test_rows_that_were_kept_on_the_disk_travel(monkeypatch):
    monkeypatch.setattr("trainer_cli.metrics.spill.MEMORY_BYTES", 64)
    kept = Spill()
    for start in range(5):
        kept.add(np.arange(12.0).reshape(6, 2) + 100 * start)
    assert kept._chunks
    there = pickle.loads(pickle.dumps(kept))  # noqa: S301
    assert np.concatenate(list(there.blocks())).tolist() == np.concatenate(list(kept.blocks())).tolist()


class Watching(Silent):
    """Remembers the notes of the bar."""

    def __init__(self):
        super().__init__()
        self.notes = set()

    def step(self, step, state):
        self.notes.add(self.note)


def test_steps_with_less_to_do_than_workers_have_the_same_bits_and_are_told_once(cluster, folder, monkeypatch):
    """Where the schedule could not be looked at before the run."""
    monkeypatch.setattr("trainer_cli.assembly.check_workers", lambda config, n_steps: None)
    schedule = '{"@schedules": "constant_then.v1", "rate": 5, "steps": 10, "schedule": 2}'
    watching = Watching()
    same(folder, *SHORT, "--training.accumulate_gradient", schedule, progress=watching)
    told = "training.accumulate_gradient gives 2 micro-batches at step 10 for 3 workers"
    assert watching.warnings == [told]


def test_a_run_of_one_worker_goes_on_with_four_and_then_with_none(cluster, folder):
    whole = trained(folder, 0)
    seen = []
    for n_workers, max_steps in ((1, 17), (4, 38), (0, 60)):
        watching = Watching()
        run = trained(folder, n_workers, "--training.max_steps", max_steps, name="changing", progress=watching)
        seen.append(watching.notes)
    assert outcome_of(run) == outcome_of(whole)
    assert seen == [{"1 worker"}, {"4 workers"}, {""}]
