"""A model of thinc as a layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ragged
from trainer_cli.errors import ArgumentError
from trainer_cli.extras import required
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry
from trainer_cli.wrappers.given import told
from trainer_cli.wrappers.global_seed import seeded
from trainer_cli.wrappers.outputs import data_of, gradient_of
from trainer_cli.wrappers.thinc_engine import ThincEngine
from trainer_cli.wrappers.thinc_values import as_ours, as_theirs, gradient_of_input

NAME = "ThincWrapper.v1"


@registry.layers(NAME)
def ThincWrapper(module: Any, weights: Path | None = None) -> Model:
    """Run a `thinc.model.Model`; its parameters are this layer's, called by where they stand: `module.relu0.W`.

    They are the memory of the model's arrays, and so are their gradients. An array comes to the module as it is,
    ragged rows as thinc's Ragged, or as a list of arrays if its first layer makes something of one (`list2ragged`,
    `list2array`, `list2padded`); a tuple or dict has its parts turned likewise. A list that comes out is ragged again.
    The module draws its first numbers itself, unless it has some, and in training its dropout, both from the run's
    seed. It computes with numpy (`NumpyOps`), and matrices are multiplied by numpy's BLAS. A module that ends in
    thinc's Softmax takes the gradient of the logits, as Softmax.v1 does.

    `weights` names a file with what `model.to_bytes()` of a model like this one wrote, to begin with. Nothing in it is
    run: numbers alone are read. The `seed` by which a layer hashes is taken from it, and is kept with the parameters;
    one that is not given is another one in each process that trains.

    Errors: no model of thinc, or one with shims, which are other libraries' (ArgumentError); a module that raises, or
    returns what is no output (ModuleError), or numbers that are not finite, in training and where it is scored
    (DivergedError); a file that holds another model's numbers, or none (ModelFileError).
    """
    thinc_model = required("thinc", NAME) and required("thinc.model", NAME)
    if not isinstance(module, thinc_model.Model):
        raise ArgumentError(f"{NAME}: module must be a thinc Model that a function of yours makes, got {told(module)}")
    if shims := [node.name for node in module.walk() if node.shims]:
        raise ArgumentError(f"{NAME}: {shims[0]} wraps another library's module: give that to a wrapper of its own")
    engine = ThincEngine(module)
    attrs = {"layer": NAME, "engine": engine, **engine.output()}
    attrs |= {} if weights is None else {"weights": str(weights)}
    return Model("thinc", forward, init=init, dims={"nO": None}, attrs=attrs)


def forward(model: Model, X: Any, is_train: bool) -> tuple[Any, Backprop]:
    engine: ThincEngine = model.attrs["engine"]
    engine.bind(model)
    given = as_theirs(X, engine.takes_lists)
    with engine.failing(model.where, X):
        if is_train:
            with seeded(model.random_seed("thinc")):
                found, back = engine.module(given, True)
            engine.collect(model)
        else:
            found, back = engine.module(given, False)
        Y = as_ours(found, X, engine.per_token)
        engine.check_form(data_of(Y).shape)
    if is_train or engine.is_scored:
        engine.check_finite(model.where, Y, X)
    wants = model.input_gradient

    def backprop(dY: Any) -> Any:
        with engine.failing(model.where, X):
            dX = back(like_output(model, dY, Y, found))
            engine.collect(model)
            return gradient_of_input(dX, X, model.dtype) if wants else None

    return Y, backprop


def like_output(model: Model, dY: Any, Y: Array | Ragged, found: Any) -> Any:
    """A gradient in the form of what the module gave, in memory of its own: layers of thinc write to it."""
    gradient = np.array(gradient_of(model, dY, Y), model.dtype, order="C")
    if isinstance(Y, Ragged) and not isinstance(found, np.ndarray):
        return as_theirs(Ragged(gradient, Y.lengths), isinstance(found, list))
    return gradient


def init(model: Model, X: Any, Y: Any) -> None:
    store = model.store_or_none
    assert store is not None
    engine: ThincEngine = model.attrs["engine"]
    weights = model.attrs.get("weights") if not store.blank else None
    with seeded(store.moment.seed, "init", model.full_name("module")):
        engine.make(model, X, Y, None if weights is None else Path(weights))
