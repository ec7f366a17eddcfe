"""What holds for every metric that is registered."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from trainer_cli.arrays import Ragged
from trainer_cli.metrics import Tally
from trainer_cli.metrics.pairs import as_pairs
from trainer_cli.registry import registry

RNG = np.random.default_rng(0)
P, LABELS = RNG.dirichlet(np.ones(6), 40), RNG.integers(0, 6, 40)
CLASSES = P, LABELS
FLAGS = RNG.random((40, 3)), RNG.integers(0, 2, (40, 3)).astype(np.float32)
NUMBERS = RNG.normal(size=(40, 1)), RNG.normal(size=(40, 1))
LENGTHS = np.array([0, 15, 1, 24])
TOKENS = Ragged(RNG.dirichlet(np.ones(3), 40), LENGTHS), Ragged(RNG.integers(0, 3, 40), LENGTHS)

ROWS: dict[str, tuple[Any, Any]] = {
    "accuracy.v1": CLASSES,
    "auc.v1": CLASSES,
    "average_precision.v1": CLASSES,
    "brier.v1": CLASSES,
    "calibration_error.v1": CLASSES,
    "f_score.v1": CLASSES,
    "log_loss.v1": CLASSES,
    "mae.v1": NUMBERS,
    "matthews.v1": CLASSES,
    "median_error.v1": NUMBERS,
    "multilabel_f.v1": FLAGS,
    "precision.v1": CLASSES,
    "r2.v1": NUMBERS,
    "recall.v1": CLASSES,
    "rmse.v1": NUMBERS,
    "spans.v1": TOKENS,
    "spearman.v1": NUMBERS,
    "top_k.v1": CLASSES,
}
EACH = pytest.mark.parametrize("name", ROWS)


def made(name: str) -> Any:
    tally = registry.metrics.get(name)()
    if hasattr(tally, "names"):
        tally.names = ("O", "B-PER", "I-PER")
    return tally


def test_the_table_has_every_metric() -> None:
    built_in = {name for name in registry.metrics.names() if registry.metrics.is_built_in(name)}
    assert set(ROWS) == built_in


@EACH
def test_it_is_a_tally_that_counts_and_can_be_copied_while_empty(name: str) -> None:
    configured = made(name)
    assert isinstance(configured, Tally)
    tally = copy.deepcopy(configured)
    tally.update(*ROWS[name])
    scores = tally.result() if isinstance(tally.result(), dict) else {"": tally.result()}
    assert all(type(score) is float and np.isfinite(score) for score in scores.values())
    np.testing.assert_equal(configured.result(), made(name).result())


@EACH
def test_merging_leaves_the_other_as_it_is(name: str) -> None:
    one, other = made(name), made(name)
    one.update(*ROWS[name])
    other.update(*ROWS[name])
    before = other.result()
    one.merge(other)
    one.update(*ROWS[name])
    assert other.result() == before
    other.update(*ROWS[name])
    assert one.result() != {}


@EACH
def test_rows_of_weight_1_count_as_rows_without(name: str) -> None:
    guesses, truths = ROWS[name]
    n = len(LENGTHS) if isinstance(guesses, Ragged) else len(guesses)
    plain, weighted = made(name), made(name)
    plain.update(guesses, truths)
    weighted.update(guesses, truths, np.ones(n))
    assert plain.result() == weighted.result()


def test_a_weight_that_is_ignored_would_be_noticed() -> None:
    """Rows by weight differ from rows alone, for each but the ones that look at no sum."""
    weights = np.random.default_rng(1).random(40) ** 4
    for name, (guesses, truths) in ROWS.items():
        plain, weighted = made(name), made(name)
        plain.update(guesses, truths)
        weighted.update(guesses, truths, weights[:4] if isinstance(guesses, Ragged) else weights)
        assert plain.result() != weighted.result(), name


def test_pairs_are_flat() -> None:
    guess, truth, weight = as_pairs("test", NUMBERS[0], NUMBERS[1][:, 0], None)
    assert guess.shape == truth.shape == weight.shape == (40,)
