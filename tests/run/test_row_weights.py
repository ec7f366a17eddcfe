"""A column of weights: how much each row counts in losses and scores, in training and when scored again."""

import numpy as np
import pytest
from run_fakes import config_of, outcome_of, rows, train, train_until

from trainer_cli.assembly import assemble
from trainer_cli.errors import ConfigError, DataError
from trainer_cli.inspection import inspect
from trainer_cli.signals import StopFlag

# What each row of a file counts.
WEIGHTS = [1, 0.5, 2, 0, 3]


def weigh(path, weights):
    """Add a column w to a file, the weights over and over."""
    head, *lines = path.read_text().splitlines()
    with_weights = [f"{line},{weights[row % len(weights)]}" for row, line in enumerate(lines)]
    path.write_text("\n".join([f"{head},w", *with_weights]) + "\n")


def weighed(data, *overrides, weights=WEIGHTS, dev=True):
    weigh(data / "train.csv", weights)
    if dev:
        weigh(data / "dev.csv", weights)
    return config_of(data, "--training.weight_column", "w", *overrides)


def test_rows_have_their_weights_and_the_column_is_no_feature(data):
    job = assemble(weighed(data), StopFlag())
    assert job.train.weights.tolist() == [WEIGHTS[row % 5] for row in range(23)]
    assert job.dev["dev"].weights.tolist() == [WEIGHTS[row % 5] for row in range(12)]
    assert job.train.X.shape == (23, 2)


def test_dev_rows_without_the_column_count_alike(data):
    job = assemble(weighed(data, dev=False), StopFlag())
    assert job.dev["dev"].weights is None


def test_weights_of_one_train_as_none_do(data):
    train(config_of(data), data / "plain")
    train(weighed(data, weights=[1]), data / "weighed")
    assert [row["train_loss"] for row in rows(data / "weighed")] == pytest.approx(
        [row["train_loss"] for row in rows(data / "plain")], rel=1e-4
    )


def test_a_row_of_weight_0_changes_nothing_and_one_of_2_counts_twice(data):
    """The loss of some outputs, beside that of rows which are there as often as their weights say."""
    lines = (data / "train.csv").read_text().splitlines()
    weighted = assemble(weighed(data, weights=[1, 2, 0]), StopFlag())
    (data / "train.csv").write_text("\n".join([lines[0], *repeated(lines[1:], [1, 2, 0])]) + "\n")
    often = assemble(
        config_of(data, "--features.@encoders", "columns.v1", "--features.columns", '["a", "b"]'), StopFlag()
    )
    losses = []
    for job in (weighted, often):
        guesses = np.tile(np.array([0.3, 0.7], np.float32), (job.train.n, 1))
        losses.append(job.trained.loss.get_loss(guesses, job.train.Y, job.train.weights))
    assert losses[0] == pytest.approx(losses[1])


def repeated(lines, weights):
    return [line for row, line in enumerate(lines) for _ in range(weights[row % len(weights)])]


def test_dev_scores_are_weighted(data):
    train(weighed(data, "--training.max_steps", 7), data / "run")
    job = assemble(config_of(data, "--training.weight_column", "w"), StopFlag())
    weights = job.dev["dev"].weights
    score = rows(data / "run")[0]["accuracy"] * weights.sum()
    assert (score * 2) % 1 == pytest.approx(0, abs=1e-6)  # a sum of some of the weights, which are halves


def test_a_run_with_weights_that_is_stopped_comes_to_the_same_bits(data):
    config = weighed(data)
    train(config, data / "whole")
    for step in (1, 7, 8, 30, 55):
        train_until(step, config, data / "stopped")
    train(config, data / "stopped", resume=True)
    assert outcome_of(data / "stopped") == outcome_of(data / "whole")


def test_weights_in_files_are_those_in_memory(data):
    config = weighed(data)
    train(config, data / "memory")
    train(config_of(data, "--training.weight_column", "w", "--system.data_memory", 0), data / "files")
    assert outcome_of(data / "files") == outcome_of(data / "memory")


def test_the_check_sees_weights_that_are_lost(data):
    train(weighed(data), data / "whole")
    exclude = ["--features.@encoders", "columns.v1", "--features.exclude", '["w"]']
    train(config_of(data, *exclude), data / "lost")
    assert rows(data / "whole") != rows(data / "lost")


def test_what_is_evaluated_again_is_weighted_too(data):
    import json

    from typer.testing import CliRunner

    from trainer_cli.cli import app

    train(weighed(data, "--training.max_steps", 7), data / "run")
    for words in ([], [str(data / "dev.csv")]):
        done = CliRunner().invoke(app, ["evaluate", str(data / "run"), *words, "--json", "--quiet"])
        found = json.loads(done.stdout)
        row = rows(data / "run")[0]
        assert (found["accuracy"], found["loss"]) == (row["accuracy"], pytest.approx(row["loss"]))


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ([1, -1], r"train\.csv:3: w: a weight is at least 0, got -1"),
        ([1, "much"], r"train\.csv:3: w: .*much"),
        ([1, ""], r"train\.csv:3: w: "),
        ([0], r"training\.weight_column: every training row has the weight 0: there is nothing to learn"),
    ],
)
def test_weights_that_are_none_are_refused_at_their_line(data, weights, said):
    with pytest.raises((ConfigError, DataError), match=said):
        assemble(weighed(data, weights=weights), StopFlag())


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("v", r'training\.weight_column: no column is called "v"'),
        ("label", r"training\.weight_column: is the column to predict"),
    ],
)
def test_a_column_that_cannot_hold_weights_is_refused(data, column, said):
    with pytest.raises(ConfigError, match=said):
        assemble(config_of(data, "--training.weight_column", column), StopFlag())


def test_debug_config_takes_weights(data):
    found = inspect(weighed(data))
    assert found.samples[0].weights.tolist()[:2] == [1, 0.5]


@pytest.mark.parametrize("n_parts", [1, 3])
def test_a_batch_none_of_whose_rows_counts_changes_nothing(data, n_parts):
    more = ("--training.accumulate_gradient", n_parts, "--batch_size.start", 1.0, "--batch_size.stop", 2.0)
    ending = train(weighed(data, *more, weights=[0, 0, 0, 1]), data / "run")
    assert ending.cause is None
    assert all(np.isfinite(row["train_loss"]) for row in rows(data / "run"))
