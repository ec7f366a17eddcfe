"""Numbers of functions of JAX to a file, and from one, by the names of their leaves."""

import numpy as np
import pytest

pytest.importorskip("jax")

import jax.numpy as jnp

from trainer_cli import weights
from trainer_cli.api import registry
from trainer_cli.config.sections import InitFrom
from trainer_cli.errors import ArgumentError

X = np.ones((2, 3), np.float32)


def init(rng, X):
    return {"one": {"w": jnp.ones((3, 4)), "b": jnp.ones(4)}, "two": [jnp.ones((4, 2)), jnp.ones(2)]}


def apply(params, X, is_train, rng):
    return jnp.tanh(X @ params["one"]["w"] + params["one"]["b"]) @ params["two"][0] + params["two"][1]


def made():
    return registry.layers.get("JAXWrapper.v1")((init, apply)).initialize(X)


def test_leaves_are_written_and_read_by_their_paths():
    model = made()
    model.store.values[:] = np.arange(model.store.values.size) / 10
    found = weights.exported(model)
    assert {name: array.shape for name, array in found.items()} == {
        "one.b": (4,),
        "one.w": (3, 4),
        "two.0": (4, 2),
        "two.1": (2,),
    }
    again = made()
    assert not np.array_equal(again.predict(X), model.predict(X))
    weights.fill(again, {name: array.copy() for name, array in found.items()}, InitFrom("w.safetensors"))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_a_leaf_that_is_missing_is_told():
    found = weights.exported(made())
    found["two.2"] = found.pop("two.1")
    with pytest.raises(ArgumentError, match=r"the model's two\.1 is not in it\. The nearest there is two\.2"):
        weights.fill(made(), found, InitFrom("w.safetensors"))
