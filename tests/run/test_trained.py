"""A model folder can name parts of a model, and nothing that reads, writes or takes more than its files hold."""

import json

import pytest
from run_fakes import config_of, train

from trainer_cli import lookup, trained
from trainer_cli.errors import ConfigError, ModelFileError


@pytest.fixture
def files(data):
    train(config_of(data, "--training.max_steps", 3), data / "run")
    return dict(lookup.find(data / "run").files), data


@pytest.mark.parametrize(
    "section",
    [
        '[metrics.x]\n@readers = "csv.v1"\npath = "/etc/passwd"\n',
        '[metrics.x]\n@optimizers = "Adam.v1"\n',
        '[metrics.x]\n@loggers = "any.v1"\n',
    ],
)
def test_other_kinds_than_a_model_needs_are_refused(files, section):
    files, folder = files
    assert trained.from_files(files, folder).model.layers
    files["config.cfg"] += f"\n\n{section}".encode()
    with pytest.raises(ConfigError, match="only @initializers"):
        trained.from_files(files, folder)


def test_kinds_that_were_open_would_be_seen(files, monkeypatch):
    files, folder = files
    files["config.cfg"] += b'\n\n[metrics.x]\n@optimizers = "Adam.v1"\n'
    monkeypatch.setattr(trained, "KINDS", None)
    assert trained.from_files(files, folder).metrics["x"] is not None


@pytest.mark.parametrize("shape", [[2**40], [2**20, 2**20], [-1], [2.5]])
def test_an_input_that_no_machine_holds_is_refused(files, shape):
    files, folder = files
    meta = json.loads(files["meta.json"])
    files["meta.json"] = json.dumps(meta | {"input": {"shape": shape, "dtype": "<f4"}}).encode()
    with pytest.raises(ModelFileError, match="the sizes it declares"):
        trained.from_files(files, folder)
