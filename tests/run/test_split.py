"""Runs whose dev data are a part of one file: the same rows in training, at a resume, and when scored again."""

import json

import numpy as np
import pytest
from run_fakes import CONFIG, Silent, config_of, outcome_of, rows, train, train_until
from typer.testing import CliRunner

from trainer_cli import assembly, provenance
from trainer_cli.cli import app
from trainer_cli.data.block import Block
from trainer_cli.errors import ArgumentError, ConfigError, DataError
from trainer_cli.inspection import inspect
from trainer_cli.registry import registry
from trainer_cli.signals import StopFlag

DEV = CONFIG[CONFIG.index("[data.dev]") : CONFIG.index("[target]")]
TEXT = CONFIG.replace(DEV, '[data.split]\n@splits = "random.v1"\ndev = 0.3\ntest = 0.2\n\n')


def lines_of(reader):
    return [block.place(row)[1] for block in reader.blocks() for row in range(len(block))]


def lines_in(data):
    return [data.place(row)[1] for row in range(data.n)]


def test_a_run_trains_on_the_rest_and_scores_what_is_held_out(data):
    config = config_of(data, text=TEXT)
    job = assembly.assemble(config, StopFlag())
    assert (job.train.n, job.dev["dev"].n) == (11, 7)  # of 23
    train(config, data / "run")
    dev, last = lines_of(provenance.dev_readers(data / "run")["dev"]), lines_of(provenance.last_reader(data / "run"))
    assert dev == lines_in(job.dev["dev"])
    assert sorted([*lines_in(job.train), *dev, *last]) == list(range(2, 25))


def with_gaps(data):
    """Data some rows of which have no target, and a config that leaves them out."""
    first, *others = (data / "train.csv").read_text().splitlines()
    lines = [line.rpartition(",")[0] + "," if i % 4 == 1 else line for i, line in enumerate(others)]
    (data / "train.csv").write_text("\n".join([first, *lines]) + "\n")
    return config_of(data, "--target.missing", "skip", text=TEXT), {i + 2 for i in range(len(lines)) if i % 4 != 1}


def test_rows_without_a_target_are_in_no_part(data):
    config, labelled = with_gaps(data)
    job = assembly.assemble(config, StopFlag())
    assert job.notes == ["data.train: 6 rows without a target left out"]
    train(config, data / "run")
    target = job.trained.target[1]
    dev = lines_of(provenance.dev_readers(data / "run", target)["dev"])
    last = lines_of(provenance.last_reader(data / "run", target))
    assert dev == lines_in(job.dev["dev"])
    assert sorted([*lines_in(job.train), *dev, *last]) == sorted(labelled)


def test_parts_of_all_rows_would_be_noticed(data, monkeypatch):
    config, _ = with_gaps(data)
    job = assembly.assemble(config, StopFlag())
    train(config, data / "run")
    monkeypatch.setattr(provenance, "labelled", lambda reader, target: reader)
    assert lines_of(provenance.dev_readers(data / "run", job.trained.target[1])["dev"]) != lines_in(job.dev["dev"])


def test_rows_without_a_target_stay_out_of_files_and_of_a_resume(data):
    config, _ = with_gaps(data)
    train(config, data / "memory")
    in_files = config_of(data, "--target.missing", "skip", "--system.data_memory", 0, text=TEXT)
    train(in_files, data / "files")
    assert outcome_of(data / "files") == outcome_of(data / "memory")
    train_until(8, config, data / "stopped")
    train(config, data / "stopped", resume=True)
    assert outcome_of(data / "stopped") == outcome_of(data / "memory")


def test_the_seed_decides_which_rows(data):
    for seed in (0, 1):
        train(config_of(data, "--system.seed", seed, "--training.max_steps", 2, text=TEXT), data / str(seed))
    found = [lines_of(provenance.dev_readers(data / str(seed))["dev"]) for seed in (0, 1)]
    assert len(found[0]) == len(found[1])
    assert found[0] != found[1]


def test_encoders_see_training_rows_alone(data):
    job = assembly.assemble(config_of(data, text=TEXT), StopFlag())
    assert job.train.X.mean(axis=0) == pytest.approx([0, 0], abs=1e-6)
    assert abs(job.dev["dev"].X.mean(axis=0)).min() > 1e-3
    assert sum(job.trained.target[1].counts) == job.train.n


@pytest.mark.parametrize("split", ["random.v1", "stratified.v1", "hash.v1", "time.v1"])
def test_a_run_with_a_split_that_is_stopped_comes_to_the_same_bits(data, split):
    column = ["--data.split.column", "a"] if split in ("hash.v1", "time.v1") else []
    config = config_of(data, "--data.split.@splits", split, "--data.split.test", 0.4, *column, text=TEXT)
    assert train(config, data / "whole").cause is None
    for step in (1, 3, 8, 20, 33, 50):
        train_until(step, config, data / "stopped")
    assert train(config, data / "stopped", resume=True).cause is None
    assert outcome_of(data / "stopped") == outcome_of(data / "whole")


def test_parts_in_files_have_the_bits_of_those_in_memory(data):
    train(config_of(data, text=TEXT), data / "memory")
    train(config_of(data, "--system.data_memory", 0, text=TEXT), data / "files")
    assert outcome_of(data / "files") == outcome_of(data / "memory")


def test_the_check_sees_other_rows(data, monkeypatch):
    config = config_of(data, text=TEXT)
    train(config, data / "whole")
    train_until(8, config, data / "stopped")
    divide = assembly.Sources.divided
    monkeypatch.setattr(assembly.Sources, "divided", lambda self, config, *rest: divide(self, other(config), *rest))
    train(config, data / "stopped", resume=True)
    assert outcome_of(data / "stopped") != outcome_of(data / "whole")


def other(config):
    from dataclasses import replace

    return replace(config, system=replace(config.system, seed=5))


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (("--data.split.dev", 0.2), "data.split.dev: was 0.3, is 0.2"),
        (("--data.split.@splits", "stratified.v1"), "data.split.@splits: was 'random.v1', is 'stratified.v1'"),
    ],
)
def test_a_changed_split_is_refused_at_a_resume(data, override, said):
    train_until(8, config_of(data, text=TEXT), data / "run")
    with pytest.raises(ConfigError) as caught:
        train(config_of(data, *override, text=TEXT), data / "run", resume=True)
    assert said in str(caught.value)


def test_changed_data_is_told_once(data):
    train_until(8, config_of(data, text=TEXT), data / "run")
    (data / "train.csv").write_text((data / "train.csv").read_text().replace("yes", "no", 1))
    with pytest.raises(ConfigError) as caught:
        train(config_of(data, text=TEXT), data / "run", resume=True)
    assert str(caught.value).count("its content has changed") == 1


def test_rows_of_changed_data_are_not_scored_again(data):
    train(config_of(data, text=TEXT), data / "run", progress=Silent())
    with (data / "train.csv").open("a") as file:
        file.write("0.1,0.2,yes\n")
    with pytest.raises(ArgumentError, match="the data has changed since this run: which of its rows were held out"):
        provenance.dev_readers(data / "run")["dev"]


def test_a_run_without_test_rows_says_so(data):
    train(config_of(data, "--data.split.test", 0.0, text=TEXT), data / "run")
    with pytest.raises(ArgumentError, match=r"this run held no test rows out; \[data.split\] test = 0.1 does"):
        provenance.last_reader(data / "run")


def test_a_damaged_split_in_run_json_is_told(data):
    train(config_of(data, "--training.max_steps", 2, text=TEXT), data / "run")
    path = data / "run" / "run.json"
    facts = json.loads(path.read_text())
    del facts["data"]["split"]["target"]
    path.write_text(json.dumps(facts))
    with pytest.raises(provenance.ModelFileError, match="the split is not what a run writes there"):
        provenance.dev_readers(data / "run")["dev"]


def test_debug_config_tells_the_sizes_of_all_parts(data):
    found = inspect(config_of(data, text=TEXT))
    assert (found.n_fitted, dict(found.held_out), [each.name for each in found.samples]) == (
        11,
        {"dev": 7, "test": 5},
        ["train", "dev"],
    )


def test_of_a_large_file_debug_config_divides_the_first_rows(data, monkeypatch):
    monkeypatch.setattr("trainer_cli.inspection.WHOLE_BYTES", 10)
    monkeypatch.setattr("trainer_cli.inspection.FIRST_ROWS", 10)
    monkeypatch.setattr("trainer_cli.data.readers.fileset.BLOCK_ROWS", 5)
    found = inspect(config_of(data, text=TEXT))
    assert (found.n_fitted, dict(found.held_out), found.is_whole) == (5, {"dev": 3, "test": 2}, False)


def test_a_label_whose_rows_are_all_held_out_names_the_way_out(data):
    with (data / "train.csv").open("a") as file:
        file.write("".join(f"0.1,0.2,rare{i}\n" for i in range(9)))
    for act in (inspect, lambda config: assembly.assemble(config, StopFlag())):
        with pytest.raises(DataError, match=r"(?s)train\.csv:.*not in the training data.*stratified\.v1 always"):
            act(config_of(data, text=TEXT))
    job = assembly.assemble(config_of(data, "--data.split.@splits", "stratified.v1", text=TEXT), StopFlag())
    assert set(job.trained.target[1].names) == {"yes", "no", *(f"rare{i}" for i in range(9))}


def test_a_split_of_ones_own_needs_two_methods(own_parts):
    registry.splits("half.v1")(lambda: object())
    text = TEXT.replace("random.v1", "half.v1").replace("dev = 0.3\ntest = 0.2\n", "")
    with pytest.raises(
        ConfigError, match=r"data\.split: a split has the methods choose.*object has no choose and no di"
    ):
        assembly.assemble(config_of(own_parts, text=text), StopFlag())


def test_evaluate_scores_the_dev_rows_and_the_test_rows(data):
    train(config_of(data, "--training.max_steps", 7, text=TEXT), data / "run")
    found = {}
    for words in ((), ("--test",)):
        done = CliRunner().invoke(app, ["evaluate", str(data / "run"), *words, "--json", "--quiet"])
        found[words] = json.loads(done.stdout)
    (row,) = rows(data / "run")
    assert (found[()]["n"], found[("--test",)]["n"]) == (7, 5)
    assert (found[()]["accuracy"], found[()]["loss"]) == (row["accuracy"], row["loss"])
    done = CliRunner().invoke(app, ["evaluate", str(data / "run"), str(data / "dev.csv"), "--test"])
    assert done.exit_code == 2
    assert "--test scores the rows that a run held out of its data: name no other data" in done.output


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (("--data.split.dev", 0.01), "data.split.dev: of the 23 rows the split makes"),
        (("--data.split.dev", 5), "data.split.dev: must be a share of the rows"),
        (("--data.split.@splits", "hash.v1", "--data.split.column", "c"), 'data.split.column: no column is called "c"'),
    ],
)
def test_what_a_split_refuses_stands_at_its_key(data, override, said):
    with pytest.raises((ArgumentError, ConfigError, DataError)) as caught:
        assembly.assemble(config_of(data, *override, text=TEXT), StopFlag())
    assert said in str(caught.value)


def test_a_diverging_batch_names_rows_by_their_number_in_the_file(data):
    from trainer_cli.data.block import Places
    from trainer_cli.data.dataset import Dataset
    from trainer_cli.run import named_rows

    X = np.zeros((2, 1))
    places = Places("rows.npz", numbers=np.array([4, 9]))
    assert named_rows(Dataset(X, X, None, (0,), (places,)), [1]) == ". Its batch: rows.npz[9]"
    assert Block({"x": X}, places).numbers.tolist() == [4, 9]
