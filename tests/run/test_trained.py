"""A model folder can name parts of a model, and nothing that reads, writes or takes more than its files hold."""

import json

import numpy as np
import pytest
from run_fakes import config_of, train

from trainer_cli import lookup, trained
from trainer_cli.arrays import Ragged
from trainer_cli.data.encoders.labels import Labels
from trainer_cli.data.encoders.numbers import Numbers
from trainer_cli.errors import ConfigError, ModelFileError
from trainer_cli.metrics.errors import RootMeanSquaredError
from trainer_cli.pairing import with_largest


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


def test_a_sample_has_the_largest_ids_there_are():
    ids = Ragged(np.zeros(3, np.int64), np.array([1, 2]))
    X = {"text": (ids, Ragged(np.zeros(3, np.float32), ids.lengths)), "kinds": np.zeros((2, 2), np.int64)}
    shapes = json.loads(json.dumps(trained.shapes_of(X, {"text": 10, "kinds": (3, 5)})))
    found = trained.sample(shapes)
    assert [part.data.tolist() for part in found["text"]] == [[9], [0.0]]
    assert found["kinds"].tolist() == [[2, 4]]
    rows = with_largest(X, {"text": 10, "kinds": (3, 5)})
    assert (rows["text"][0].data.tolist(), rows["text"][0].lengths.tolist()) == ([0, 0, 0, 9], [1, 2, 1])
    assert rows["kinds"].tolist() == [[0, 0], [0, 0], [2, 4]]
    assert with_largest(ids, None) is ids


def test_metrics_that_ask_for_names_are_told_the_classes():
    class Named:
        names = None

    target = Labels.from_state({"column": "label", "names": ["a", "b"], "counts": [1, 1]}, {})
    metrics = {"named": Named(), "other": object()}
    trained.tell_metrics(metrics, target)
    assert metrics["named"].names == ("a", "b")


def test_metrics_of_numbers_are_told_the_unit():
    rmse = RootMeanSquaredError()
    trained.tell_metrics(
        {"rmse": rmse}, Numbers.from_state({"column": "y"}, {"mean": np.ones(1), "scale": np.full(1, 2.5)})
    )
    assert rmse.unit == 2.5
