"""The parts of features keep their order wherever it is written down: in files of rows, and in a model folder."""

import json

import numpy as np
import pytest
from run_fakes import outcome_of, train

from trainer_cli import trained
from trainer_cli.config.run_config import read_run_config
from trainer_cli.lookup import find

CONFIG = """
[data.train]
@readers = "csv.v1"
path = "{folder}/train.csv"

[data.split]
@splits = "random.v1"
dev = 0.2

[features]
@encoders = "columns.v1"

[features.*.words]
@encoders = "categories.v1"
columns = ["w"]
encoding = "embedding"
min_count = 1

[features.*.cities]
@encoders = "categories.v1"
columns = ["c"]
encoding = "embedding"
min_count = 1

[features.*.amounts]
@encoders = "numbers.v1"
columns = ["n"]

[target]
@encoders = "labels.v1"
column = "label"

[model]
@layers = "tabular.v1"
hidden = [8]

[loss]
@losses = "CategoricalCrossentropy.v4"

[optimizer]
@optimizers = "Adam.v1"

[metrics.accuracy]
@metrics = "accuracy.v1"

[training]
max_steps = 30
eval_frequency = 10
batch_size = 16
"""


@pytest.fixture
def config(tmp_path):
    """Parts that are not in the order of the alphabet, of different sizes."""
    rng = np.random.default_rng(0)
    rows = [f"w{rng.integers(50)},c{rng.integers(3)},{rng.normal():.3f},{'ab'[rng.integers(2)]}" for _ in range(200)]
    (tmp_path / "train.csv").write_text("\n".join(["w,c,n,label", *rows]) + "\n")

    def make(*overrides):
        return read_run_config("-", stdin=CONFIG.format(folder=tmp_path), overrides=overrides)

    return make


def test_parts_in_files_are_those_in_memory(config, tmp_path):
    assert train(config(), tmp_path / "memory").cause is None
    for _ in range(2):  # written, and read again
        assert (
            train(config("--system.data_memory", "0", "--paths.cache", str(tmp_path / "c")), tmp_path / "f").cause
            is None
        )
        assert outcome_of(tmp_path / "f") == outcome_of(tmp_path / "memory")
        (tmp_path / "f").rename(tmp_path / f"{len(list(tmp_path.iterdir()))}")


def test_a_saved_model_has_its_tables_by_their_parts(config, tmp_path):
    train(config(), tmp_path / "run")
    saved = find(tmp_path / "run")
    loaded = trained.from_files(saved.files, saved.folder)
    assert [name for name, _ in json.loads(saved.files["meta.json"])["input"]["dict"]] == ["words", "cities", "amounts"]
    assert loaded.model.store.segments
