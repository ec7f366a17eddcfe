"""Data that lie in files give the bits of data in memory, and are encoded once."""

import os
from dataclasses import replace

import pytest
from run_fakes import config_of, outcome_of, rows, train, train_until

from trainer_cli import loading, user_code
from trainer_cli.assembly import assemble
from trainer_cli.data import dataset
from trainer_cli.data.cache import Cache, key_of
from trainer_cli.data.row_weights import RowWeights
from trainer_cli.data.stored import StoredArray
from trainer_cli.errors import DataError
from trainer_cli.loading import Loading
from trainer_cli.session import cache_of
from trainer_cli.signals import StopFlag
from trainer_cli.sources import sources

IN_FILES = ("--system.data_memory", "0")


def caches(folder):
    return sorted(os.listdir(folder))


def test_a_run_on_rows_in_files_has_the_bits_of_one_in_memory(data):
    assert train(config_of(data), data / "memory").cause is None
    assert train(config_of(data, *IN_FILES), data / "files").cause is None
    assert outcome_of(data / "files") == outcome_of(data / "memory")
    assert len(caches(data / "files" / "cache")) == 2
    assert not (data / "memory" / "cache").exists()


def test_the_comparison_sees_a_row_in_the_place_of_another(data, monkeypatch):
    take = StoredArray.take
    monkeypatch.setattr(StoredArray, "take", lambda self, indexes: take(self, (indexes + 1) % len(self)))
    train(config_of(data), data / "memory")
    train(config_of(data, *IN_FILES), data / "files")
    assert rows(data / "files") != rows(data / "memory")


def test_a_stopped_run_goes_on_with_the_files_or_without_them(data):
    config = config_of(data, *IN_FILES)
    train(config, data / "whole")
    for then in (IN_FILES, ()):
        run_dir = data / f"stopped{len(then)}"
        train_until(20, config, run_dir)
        assert train(config_of(data, *then), run_dir, resume=True).cause is None
        assert outcome_of(run_dir) == outcome_of(data / "whole")


def test_runs_that_name_one_cache_share_it(data, monkeypatch):
    config = config_of(data, *IN_FILES, "--paths.cache", data / "shared")
    train(config, data / "first")
    assert len(caches(data / "shared")) == 2
    assert not (data / "first" / "cache").exists()
    monkeypatch.setattr(Cache, "_written", lambda self, path, blocks: pytest.fail("encoded again"))
    train(config, data / "second")
    assert outcome_of(data / "first") == outcome_of(data / "second")


@pytest.mark.parametrize("change", ["data", "encoder", "split"])
def test_other_rows_are_other_files(data, change):
    first = config_of(data, *IN_FILES, "--paths.cache", data / "shared")
    train(first, data / "first")
    if change == "data":
        with (data / "train.csv").open("a") as file:
            file.write("0.5,0.25,yes\n")
    text = (data / "run.cfg").read_text()
    if change == "encoder":
        text = text.replace("[target]", '[features]\n@encoders = "columns.v1"\ncolumns = ["b", "a"]\n\n[target]')
    text = split_text(data) if change == "split" else text.replace("{", "{{").replace("}", "}}")
    config = config_of(data, *IN_FILES, "--paths.cache", data / "shared", text=text)
    assert train(config, data / "second").cause is None
    assert len(caches(data / "shared")) == 4


def split_text(data):
    """The config's text with a split in the place of the dev data."""
    text = (data / "run.cfg").read_text()
    start, end = text.index("[data.dev]"), text.index("[target]")
    text = text[:start] + '[data.split]\n@splits = "random.v1"\ndev = 0.3\n\n' + text[end:]
    return text.replace("{", "{{").replace("}", "}}")


def key_parts(data):
    """The keys of one fitted data set in the cache: as it is, with another seed, with weights. Encoders are the same,
    as those of labels, dates and images that see other rows may be."""
    config_of(data)
    text = split_text(data)
    config, other = config_of(data, text=text), config_of(data, "--system.seed", "7", text=text)
    whole = sources(config)
    found = whole.divided(config, StopFlag())
    dataset.fit(found.train, found.features[1], found.target[1])
    weighted = replace(found, weights=RowWeights("a"))
    loadings = [(config, found), (config, found), (other, found), (config, weighted)]
    return [Loading(one, whole, each, StopFlag(), None).key("train") for one, each in loadings]


def test_rows_of_another_seed_s_split_and_rows_with_weights_are_other_files(data):
    first, again, other_seed, weighted = key_parts(data)
    assert again == first
    assert len({first, other_seed, weighted}) == 3


def test_a_key_without_seed_or_weights_would_be_noticed(data, monkeypatch):
    monkeypatch.setattr(loading, "key_of", lambda data, source, *parts: key_of(data, {}, *parts))
    with pytest.raises(AssertionError):
        test_rows_of_another_seed_s_split_and_rows_with_weights_are_other_files(data)


def test_rows_that_other_code_has_encoded_are_other_files(data, monkeypatch):
    code = data / "code.py"
    config = config_of(data)
    whole = sources(config)
    found = whole.divided(config, StopFlag())
    dataset.fit(found.train, found.features[1], found.target[1])
    monkeypatch.setattr(user_code, "imported", lambda: [str(code)])
    keys = []
    for text in ("x = 1", "x = 1", "x = 2"):
        code.write_text(text)
        keys.append(Loading(config, whole, found, StopFlag(), None).key("train"))
    monkeypatch.setattr(user_code, "imported", list)
    keys.append(Loading(config, whole, found, StopFlag(), None).key("train"))
    first, again, changed, without = keys
    assert again == first
    assert len({first, changed, without}) == 3


def test_a_key_without_the_code_would_be_noticed(data, monkeypatch):
    monkeypatch.setattr(loading, "key_of", lambda data, source, encoders, code: key_of(data, source, encoders, []))
    with pytest.raises(AssertionError):
        test_rows_that_other_code_has_encoded_are_other_files(data, monkeypatch)


def test_where_a_row_stands_is_looked_up_in_the_data(data):
    job = assemble(config_of(data, *IN_FILES), StopFlag(), Cache(data / "cache"))
    known = assemble(config_of(data), StopFlag())
    for row in (0, 7, 22):
        assert job.train.place(row) == known.train.place(row) == (str(data / "train.csv"), row + 2)
        assert job.train.number(row) == known.train.number(row)


def test_a_mistake_in_a_late_row_is_told_with_its_line_and_leaves_no_files(data):
    with (data / "dev.csv").open("a") as file:
        file.write("0.5,oops,yes\n")
    with pytest.raises(DataError, match=r"dev\.csv:14: b: expected a number"):
        train(config_of(data, *IN_FILES), data / "run")
    assert len(caches(data / "run" / "cache")) == 1  # the training rows


def test_the_size_is_judged_by_the_first_rows_where_their_number_is_known(data, monkeypatch):
    config = config_of(data)
    assert cache_of(config, data / "run").folder == data / "run" / "cache"
    seen = []
    load_within = dataset.load_within

    def watched(most, reader, *parts):
        found = load_within(most, reader, *parts)
        seen.append((most, found is None))
        return found

    monkeypatch.setattr(dataset, "load_within", watched)
    train(config_of(data, "--system.data_memory", "0.0001"), data / "small")
    train(config_of(data, "--system.data_memory", "1"), data / "large")
    assert [kind for _, kind in seen] == [True, True, False, False]
