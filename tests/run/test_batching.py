"""Batchers and balance in whole runs: the config, the resume, and what does not fit the data."""

import random

import numpy as np
import pytest
from run_fakes import CONFIG, config_of, outcome_of, rows, train, train_until

from trainer_cli.api import Model
from trainer_cli.assembly import assemble
from trainer_cli.config.run_config import read_run_config
from trainer_cli.errors import ConfigError
from trainer_cli.inspection import inspect
from trainer_cli.registry import registry
from trainer_cli.signals import StopFlag

SIZE = CONFIG[CONFIG.index("[batch_size]") : CONFIG.index("[metrics.accuracy]")]
HIDDEN = CONFIG[CONFIG.index("[model.*.hidden]") : CONFIG.index("[model.*.output]")]
TEXT = CONFIG.replace(HIDDEN, '[model.*.bag]\n@layers = "bag.v1"\n\n').replace(
    "[target]", '[features]\n@encoders = "text.v1"\ncolumn = "text"\nmin_count = 1\n\n[target]'
)
WORDS = TEXT.replace(SIZE, "") + '\n[training.batcher]\n@batchers = "words.v1"\nsize = 12\n'
BY_LENGTH = TEXT + '\n[training.batcher]\n@batchers = "by_length.v1"\npool = 10\nrun = 3\n'


def bag():
    """How often each of eight groups of ids is in a row."""

    def forward(model, X, is_train):
        counts = np.zeros((len(X.lengths), 8), np.float32)
        np.add.at(counts, (np.repeat(np.arange(len(X.lengths)), X.lengths), X.data % 8), 1)
        return counts, lambda dY: X

    return Model("bag", forward)


@pytest.fixture
def reviews(own_parts):
    """Texts of different lengths, and a layer that takes them."""
    registry.layers("bag.v1")(bag)
    numbers = random.Random(1)
    for name, n in (("train", 41), ("dev", 12)):
        lines = []
        for _ in range(n):
            words = numbers.choices(
                ["good", "bad", "fine", "poor", "so", "very", "much", "less"], k=numbers.randint(1, 9)
            )
            lines.append(f"{' '.join(words)},{'yes' if words.count('good') else 'no'}")
        (own_parts / f"{name}.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    return own_parts


@pytest.mark.parametrize("text", [WORDS, BY_LENGTH], ids=["words", "by length"])
def test_a_run_with_a_batcher_that_is_stopped_comes_to_the_same_bits(reviews, text):
    config = config_of(reviews, text=text)
    assert train(config, reviews / "whole").cause is None
    for step in (1, 2, 6, 7, 8, 25, 40, 59):
        train_until(step, config, reviews / "stopped")
    assert train(config, reviews / "stopped", resume=True).cause is None
    assert outcome_of(reviews / "stopped") == outcome_of(reviews / "whole")


@pytest.mark.parametrize("text", [WORDS, BY_LENGTH], ids=["words", "by length"])
def test_texts_in_files_come_in_the_same_batches(reviews, text):
    more = ("--training.balance", "true")
    train(config_of(reviews, *more, text=text), reviews / "memory")
    train(config_of(reviews, *more, "--system.data_memory", 0, text=text), reviews / "files")
    assert outcome_of(reviews / "files") == outcome_of(reviews / "memory")


def test_a_balanced_run_that_is_stopped_comes_to_the_same_bits(data):
    config = config_of(data, "--training.balance", "true")
    train(config, data / "whole")
    for step in (1, 2, 6, 7, 8, 25, 40, 59):
        train_until(step, config, data / "stopped")
    train(config, data / "stopped", resume=True)
    assert outcome_of(data / "stopped") == outcome_of(data / "whole")
    train(config_of(data), data / "other")
    assert rows(data / "other") != rows(data / "whole")


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (("--training.balance", "true"), "training.balance: was False, is True"),
        (("--training.batcher.@batchers", "rows.v1"), "training.batcher.@batchers"),
    ],
)
def test_a_resume_compares_them(data, overrides, said):
    train_until(8, config_of(data), data / "run")
    with pytest.raises(ConfigError) as caught:
        train(config_of(data, *overrides), data / "run", resume=True)
    assert said in str(caught.value)


def test_an_epoch_of_a_balanced_run_has_all_its_rows(data):
    lines = (data / "train.csv").read_text().splitlines()
    rare = [line for line in lines[1:] if line.endswith("yes")][:3]
    common = [line for line in lines[1:] if line.endswith("no")]
    (data / "train.csv").write_text("\n".join([lines[0], *rare, *common]) + "\n")
    limits = ("--training.max_steps", 0, "--training.max_epochs", 3)
    train(config_of(data, "--training.balance", "true", *limits), data / "run")
    assert rows(data / "run")[-1]["samples"] == 3 * 2 * len(common)


def test_the_filled_config_of_a_run_reads_back(reviews):
    train(config_of(reviews, "--training.max_steps", 3, text=WORDS), reviews / "run")
    again = read_run_config(reviews / "run" / "config.cfg")
    assert again.training.batcher.tolerance == 0.2
    assert "batch_size" not in again.config["training"]
    assert rows(reviews / "run")[-1]["batch_size"] == 12


def test_debug_config_shows_the_schedule_of_words(reviews):
    text = (
        WORDS.replace("size = 12\n", '\n[training.batcher.size]\n@schedules = "compounding.v1"\n')
        + SIZE.partition('"compounding.v1"\n')[2]
    )
    found = inspect(config_of(reviews, text=text))
    assert "training.batcher.size" in found.schedules
    assert "batch_size" not in found.schedules


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("words.v1", r"training\.batcher.*: goes by the number of words in a row, and no feature has words"),
        ("by_length.v1", r"training\.batcher.*: goes by the number of words in a row"),
        ("word.v1", r"no batchers function is called 'word.v1'. Did you mean words.v1\?"),
    ],
)
def test_a_batcher_of_words_needs_words(data, name, said):
    text = CONFIG.replace(SIZE, "") if name == "words.v1" else CONFIG
    with pytest.raises(ConfigError, match=said):
        assemble(config_of(data, "--training.batcher.@batchers", name, text=text), StopFlag())


@pytest.mark.parametrize("size", [SIZE, "[training]\nbatch_size = 5\n"])
def test_a_size_in_rows_that_nobody_reads_is_refused(reviews, size):
    text = WORDS.replace("[training]\n", size + ("\n[training]\n" if size is SIZE else ""))
    with pytest.raises(ConfigError, match=r"batch_size: nothing reads it: \[training\.batcher\] has a size of its own"):
        assemble(config_of(reviews, text=text), StopFlag())


def test_a_part_of_another_kind_is_no_batcher(data):
    with pytest.raises(ConfigError, match=r"training\.batcher"):
        config_of(data, "--training.batcher.@losses", "L2Distance.v1")


def test_balance_needs_classes(data):
    text = CONFIG.replace('@encoders = "labels.v1"\ncolumn = "label"', '@encoders = "numbers.v1"\ncolumn = "a"')
    text = text.replace("Softmax.v1", "Linear.v1").replace("CategoricalCrossentropy.v4", "MeanSquaredError.v1")
    text = text.replace("accuracy.v1", "rmse.v1").replace(
        "[target]", '[features]\n@encoders = "columns.v1"\ncolumns = ["b"]\n\n[target]'
    )
    for act in (inspect, lambda config: assemble(config, StopFlag())):
        with pytest.raises(ConfigError, match=r"training\.balance: needs a target of one class a row"):
            act(config_of(data, "--training.balance", "true", text=text))
