"""Functions of JAX as a layer."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ragged, Rows
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.extras import required
from trainer_cli.layers.inputs import as_gradient
from trainer_cli.model import Backprop, Model, width
from trainer_cli.randomness import number
from trainer_cli.registry import registry
from trainer_cli.wrappers.jax_engine import JAXEngine
from trainer_cli.wrappers.padding import EVALUATION, TRAINING, Padded, pad, unpadded_gradient, with_zeros


@registry.layers("JAXWrapper.v1")
def JAXWrapper(module: Any) -> Model:
    """A pair of functions of JAX, `(init(rng, X), apply(params, X, is_train, rng))`, as a layer.

    `init` gives the parameters, any pytree, whose float leaves are trained under their path (`module.dense1.w`); whole
    numbers and flags stay as they are, and what has one axis or none does not decay. `apply` gives the outputs,
    (B, ...) floats. `is_train` is a plain bool and `rng` a key, another one each time in training. With state, as
    running means, they are `init(rng, X) -> (params, state)` and `apply(params, state, X, is_train, rng) ->
    (Y, state)`. An `apply` that takes a `mask` gets (B,) flags: which rows are the batch's. The others are padding,
    copies of its first row, that keep the number of shapes small, each of which compiles once.

    X is an array; of ragged rows the pair (data, lengths), of which as many outputs as data are ragged again; of
    several inputs a tuple or a dict. Whole numbers come as int32, of larger ones the low bits. ModuleError: a function
    fails, or gives what is no output; DivergedError: it gives one that is not finite in training.
    """
    required("jax", "JAXWrapper.v1")
    if not (isinstance(module, tuple) and len(module) == 2 and all(map(callable, module))):
        rule = "module must be a pair of functions (init(rng, X), apply(params, X, is_train, rng))"
        raise ArgumentError(f"JAXWrapper.v1: {rule}, got {module!r:.60}")
    attrs = {"layer": "JAXWrapper.v1", "engine": JAXEngine(module)}
    return Model("jax", forward, init=init, dims={"nO": None}, attrs=attrs)


def forward(model: Model, X: Any, is_train: bool) -> tuple[Any, Backprop]:
    engine: JAXEngine = model.attrs["engine"]
    if not engine.is_packed(model):  # while sizes are inferred: nothing is compiled for that
        return engine.tried(model, X), not_yet
    full, parts = (engine.rows.training, TRAINING) if is_train else (engine.rows.evaluation, EVALUATION)
    padded = pad(X, full, parts)
    seed = two_words(model.random_seed("jax")) if is_train else np.zeros(2, np.uint32)
    wants = model.input_gradient
    if not is_train:
        return cut(model, engine.predict(model, X, padded, seed), padded, X), partial(late, model, X)
    found, back = engine.begin_update(model, X, padded, seed, wants)
    Y = cut(model, found, padded, X)
    engine.check_finite(model.where, data(Y), X)

    def backprop(dY: Any) -> Any:
        gradient = with_zeros(gradient_of(model, dY, Y), len(found))
        own, dX = engine.backprop(model, X, back, gradient)
        if own is not None:
            engine.add_gradient(model, own)
        return unpadded_gradient(dX, X, model.dtype) if wants else None

    return Y, backprop


def two_words(number: int) -> Array:
    """The 64 bits of a key."""
    return np.array([number >> 32, number & 0xFFFFFFFF], np.uint32)


def not_yet(dY: Any) -> Any:
    raise ArgumentError("initialize comes before training")


def late(model: Model, X: Any, dY: Any) -> Any:
    """The gradient of a forward pass that predicted, which is made for this: seldom does anyone ask."""
    engine: JAXEngine = model.attrs["engine"]
    padded = pad(X, engine.rows.evaluation, EVALUATION)
    found, back = engine.begin_update(model, X, padded, np.zeros(2, np.uint32), True, is_train=False)
    Y = cut(model, found, padded, X)
    own, dX = engine.backprop(model, X, back, with_zeros(gradient_of(model, dY, Y), len(found)))
    if own is not None:
        engine.add_gradient(model, own)
    return unpadded_gradient(dX, X, model.dtype)


def cut(model: Model, Y: Array, padded: Padded, X: Rows) -> Array | Ragged:
    """The outputs of the batch's rows, or of their data."""
    if isinstance(X, Ragged) and len(Y) == padded.n_data:
        return X.like(np.array(Y[: padded.n_real_data], model.dtype))
    return np.array(Y[: padded.n_real], model.dtype)


def data(Y: Array | Ragged) -> Array:
    return Y.data if isinstance(Y, Ragged) else Y


def gradient_of(model: Model, dY: Any, Y: Array | Ragged) -> Array:
    if isinstance(Y, Ragged) != isinstance(dY, Ragged):
        raise ShapeError(f"{model.where}: its outputs are {type(Y).__name__}, their gradient {type(dY).__name__}")
    return as_gradient(model, data(dY), data(Y))


def init(model: Model, X: Any, Y: Any) -> None:
    if X is None:
        raise ArgumentError(f"{model.where}: JAXWrapper.v1 takes its sizes from rows: initialize with a sample of X")
    assert model.store_or_none is not None
    seed = number(model.store_or_none.moment.seed, "init", model.full_name("module"), n_bytes=8)
    engine: JAXEngine = model.attrs["engine"]
    engine.make(model, X, two_words(seed))
    shape = engine.shape(model, X)
    if Y is not None and width(Y) != shape[-1]:
        raise engine.failure(model.where, f"returned {shape}, the targets need a width of {width(Y)}", X)
    model.set_dim("nO", shape[-1], force=True)
