"""Files that a worker reads and the driver has not read."""

import hashlib

import pytest
from run_fakes import config_of, write_data

from trainer_cli.cluster.proof import check_code, check_data
from trainer_cli.data.fingerprint import contents, fingerprint
from trainer_cli.errors import ConfigError, DataError

N_SHARDS = 12


@pytest.fixture
def config(tmp_path):
    """Of training data in many files."""
    write_data(tmp_path)
    head, *rows = (tmp_path / "train.csv").read_text().splitlines()
    for index in range(N_SHARDS):
        (tmp_path / f"shard-{index:02}.csv").write_text("\n".join([head, *rows[index::N_SHARDS]]) + "\n")
    return config_of(tmp_path, "--data.train.path", tmp_path / "shard-*.csv")


def read(config):
    return {name: contents(config.build(f"data.{name}")) for name in config.readers}


def edit(tmp_path, *indexes):
    for index in indexes:
        with (tmp_path / f"shard-{index:02}.csv").open("a") as file:
            file.write("0,0,yes\n")


def told(config, before):
    with pytest.raises(DataError) as caught:
        check_data(config, before)
    return str(caught.value).splitlines()


def test_what_was_not_changed_passes_and_has_the_fingerprint_of_its_files(config):
    before = read(config)
    check_data(config, before)
    digests = "".join(digest for _, digest in before["train"])
    assert hashlib.sha256(digests.encode()).hexdigest() == fingerprint(config.build("data.train"))


def test_of_many_files_the_one_that_differs_is_named(config, tmp_path):
    before = read(config)
    edit(tmp_path, 7)
    remedy = 'Copy the driver\'s anew, or set data = "driver"'
    rule = "is another file than the driver's: its sha256 differs"
    assert told(config, before) == [f"{tmp_path}/shard-07.csv: {rule}. {remedy}"]


def test_of_many_that_differ_three_are_named_and_the_others_counted(config, tmp_path):
    before = read(config)
    edit(tmp_path, 1, 3, 5, 8, 9)
    names = ", ".join(f"{tmp_path}/shard-0{index}.csv" for index in (1, 3, 5))
    assert told(config, before)[0].startswith(f"{names}, 2 more: are other files than the driver's: their sha256 diff")


def test_files_that_are_there_on_one_side_alone_are_named(config, tmp_path):
    before = read(config)
    (tmp_path / "shard-03.csv").rename(tmp_path / "shard-xx.csv")
    missing, added = told(config, before)
    assert missing.startswith(f"{tmp_path}/shard-03.csv: is there for the driver, and not here.")
    assert added.startswith(f"{tmp_path}/shard-xx.csv: is here, and not there for the driver.")


def test_code_that_differs_is_named_and_code_that_is_missing_left_to_who_imports_it(tmp_path):
    path = tmp_path / "parts.py"
    path.write_text("a = 1\n")
    code = [(str(path), hashlib.sha256(b"a = 1\n").hexdigest()), (str(tmp_path / "no.py"), "0")]
    check_code(code)
    path.write_text("a = 2\n")
    with pytest.raises(ConfigError, match=r"parts\.py: is another file than the driver's: its sha256 differs"):
        check_code(code)
