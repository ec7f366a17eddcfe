from __future__ import annotations

import json

import numpy as np
import pytest

from trainer_cli.data.dataset import fit, load
from trainer_cli.data.encoder import pack, unpack
from trainer_cli.data.encoders.columns import Columns
from trainer_cli.data.encoders.labels import Labels
from trainer_cli.data.readers.csv import CSVReader
from trainer_cli.errors import ModelFileError
from trainer_cli.registry import registry


@pytest.fixture
def packed(write):
    """A reader, its dataset, and the packed encoders after a journey through JSON."""
    reader, features, target = CSVReader(write("a,b,label\n0.1,3,x\n0.7,5,y\n0.2,4,x\n")), Columns(), Labels()
    fit(reader, features, target)
    states, arrays = pack({"features": ("columns.v1", features), "target": ("labels.v1", target)})
    return reader, load(reader, features, target), json.loads(json.dumps(states)), arrays


def test_saved_encoders_encode_to_the_same_bits(packed):
    reader, data, states, arrays = packed
    encoders = unpack(states, arrays)
    again = load(reader, encoders["features"], encoders["target"])
    assert again.X.tobytes() == data.X.tobytes()
    assert again.Y.tobytes() == data.Y.tobytes()
    assert sorted(arrays) == ["features.mean", "features.scale"]


def test_a_state_that_rounds_would_be_noticed(packed):
    reader, data, states, arrays = packed
    rounded = {name: array.astype(np.float32).astype(np.float64) for name, array in arrays.items()}
    encoders = unpack(states, rounded)
    assert load(reader, encoders["features"], encoders["target"]).X.tobytes() != data.X.tobytes()


@pytest.mark.parametrize(
    "damage",
    [
        lambda states, arrays: (None, arrays),
        lambda states, arrays: ({**states, "target": []}, arrays),
        lambda states, arrays: ({**states, "target": {**states["target"], "name": "labels.v9"}}, arrays),
        lambda states, arrays: ({**states, "target": {**states["target"], "name": ["labels.v1"]}}, arrays),
        lambda states, arrays: ({**states, "target": {**states["target"], "more": 1}}, arrays),
        lambda states, arrays: ({**states, "target": {**states["target"], "state": "x"}}, arrays),
        lambda states, arrays: ({**states, "target": {**states["target"], "arrays": ["mean"]}}, arrays),
        lambda states, arrays: ({**states, "features": {**states["features"], "arrays": [1]}}, arrays),
        lambda states, arrays: (states, {**arrays, "stray": np.zeros(1)}),
        lambda states, arrays: (states, {"features.mean": arrays["features.mean"]}),
        lambda states, arrays: (states, {}),
    ],
)
def test_what_does_not_fit_together_is_refused(packed, damage):
    _, _, states, arrays = packed
    with pytest.raises(ModelFileError):
        unpack(*damage(states, arrays))


def test_every_built_in_encoder_can_be_saved():
    for name in registry.encoders.names():
        if registry.encoders.is_built_in(name):
            assert hasattr(registry.encoders.get(name), "from_state")
