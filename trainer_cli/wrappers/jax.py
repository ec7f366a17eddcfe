"""Functions of JAX as a layer."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Batch, Ragged, Rows, n_rows
from trainer_cli.errors import ArgumentError
from trainer_cli.extras import required
from trainer_cli.losses.loss import Loss
from trainer_cli.model import Backprop, Model, width
from trainer_cli.randomness import number
from trainer_cli.registry import registry
from trainer_cli.wrappers.given import told
from trainer_cli.wrappers.jax_engine import NO_SEED, JAXEngine
from trainer_cli.wrappers.jax_losses import has_measure, measure_of
from trainer_cli.wrappers.outputs import data_of, gradient_of
from trainer_cli.wrappers.padding import (
    Padded,
    any_ragged,
    pad,
    piece,
    pieces,
    training_size,
    unpadded_gradient,
    with_zeros,
)


@registry.layers("JAXWrapper.v1")
def JAXWrapper(module: Any) -> Model:
    """A pair of functions of JAX, `(init(rng, X), apply(params, X, is_train, rng))`, as a layer.

    `init` gives the parameters, any pytree, whose float leaves are trained under their path (`module.dense1.w`); whole
    numbers and flags stay as they are, and what has one axis or none does not decay. `apply` gives the outputs,
    (B, ...) floats. `is_train` is a plain bool and `rng` a key, another one each time in training. With state, as
    running means, they are `init(rng, X) -> (params, state)` and `apply(params, state, X, is_train, rng) ->
    (Y, state)`. An `apply` that takes a `mask` gets (B,) flags: which rows are the batch's. The others are padding,
    copies of its first row, that keep the number of shapes small, each of which compiles once. What it gives of a row
    must not depend on them. Of a layer that is the whole model outputs, loss and gradient are one program, where JAX
    computes the loss too (`wrappers/jax_losses.py`): its value is a sum in float32 then.

    X is an array; of ragged rows the pair (data, lengths), of which as many outputs as data are ragged again; of
    several inputs a tuple or a dict. Whole numbers come as int32, of larger ones the low bits. ModuleError: a function
    fails, or gives what is no output; DivergedError: it gives one that is not finite, in training or
    where it is scored.
    """
    required("jax", "JAXWrapper.v1")
    if not (isinstance(module, tuple) and len(module) == 2 and all(map(callable, module))):
        rule = "module must be a pair of functions (init(rng, X), apply(params, X, is_train, rng))"
        raise ArgumentError(f"JAXWrapper.v1: {rule}, got {made(module)}")
    attrs = {"layer": "JAXWrapper.v1", "engine": JAXEngine(module), "whole": whole}
    return Model("jax", forward, init=init, dims={"nO": None}, attrs=attrs)


def made(module: Any) -> str:
    """What stands in the place of a pair, and how it becomes one."""
    kinds = {base.__module__.partition(".")[0] for base in type(module).__mro__}
    adapter = next((f"{kind}_pair" for kind in ("flax", "equinox") if kind in kinds), "")
    return told(module) + (f": return {adapter}(module), from trainer_cli.api" if adapter else "")


def forward(model: Model, X: Any, is_train: bool) -> tuple[Any, Backprop]:
    engine: JAXEngine = model.attrs["engine"]
    if not engine.is_packed(model):  # while sizes are inferred
        padded = pad(X, n_rows(X))
        return cut(model, engine.tried(model, X, padded), padded, X), not_yet
    if not is_train:
        Y = predicted(model, X)
        if engine.is_scored:
            engine.check_finite(model.where, Y, X)
        return Y, partial(late, model, X)
    seed = two_words(model.random_seed("jax"))
    Y, backprop = begun(model, X, seed, wants=model.input_gradient, is_train=True)
    engine.check_finite(model.where, data_of(Y), X)
    return Y, backprop


def predicted(model: Model, X: Any) -> Any:
    engine: JAXEngine = model.attrs["engine"]
    size = piece(engine.rows.evaluation)
    found = []
    for rows in pieces(X, size):
        padded = pad(rows, size)
        found.append(cut(model, engine.predict(model, X, padded), padded, rows))
    return end_to_end(found)


def begun(model: Model, X: Any, seed: Array, *, wants: bool, is_train: bool) -> tuple[Any, Backprop]:
    """Outputs, and the callback for their gradient, which gives that of X only if someone wants it."""
    engine: JAXEngine = model.attrs["engine"]
    padded = pad(X, training_size(X, engine.rows))
    found, state = engine.begin_update(model, X, padded, seed, wants, is_train)
    Y = cut(model, found, padded, X)

    def backprop(dY: Any) -> Any:
        dX = engine.backprop(model, X, state, with_zeros(gradient_of(model, dY, Y), len(found)))
        return unpadded_gradient(dX, X, model.dtype) if wants else None

    return Y, backprop


def whole(model: Model, loss: Loss, batch: Batch, share: float) -> float | None:
    """Add the gradient of a batch, by its share, and give what it adds to the loss, all in one program.

    None: that is not possible, as the layer is a part of a model, its rows are ragged, its numbers are float64, or
    JAX does not compute the loss. The gradient of a loss that is not finite is not added.
    """
    engine: JAXEngine = model.attrs["engine"]
    store, X = model.store_or_none, batch.X
    is_one = store is not None and store.root is model and model.dtype == np.float32 and engine.is_packed(model)
    if not is_one or not has_measure(loss) or any_ragged(X):
        return None
    assert store is not None
    padded = pad(X, training_size(X, engine.rows))
    shape = engine.shape_trained(model, X, padded)
    measure = measure_of(loss, (padded.n_real, *shape[1:]), batch.Y, batch.weights, share)
    if measure is None:
        return None
    with store.one_pass():
        seed = two_words(model.random_seed("jax"))
        Y, value, gradients = engine.measured(model, X, padded, seed, measure)
        engine.check_finite(model.where, padded.real(Y), X)
    if math.isfinite(value):
        engine.add(model, gradients)
    return value


def two_words(number: int) -> Array:
    """The 64 bits of a key."""
    return np.array([number >> 32, number & 0xFFFFFFFF], np.uint32)


def not_yet(dY: Any) -> Any:
    raise ArgumentError("initialize comes before training")


def late(model: Model, X: Any, dY: Any) -> Any:
    """The gradient of a forward pass that predicted, which is made for this: seldom does anyone ask."""
    return begun(model, X, NO_SEED, wants=True, is_train=False)[1](dY)


def cut(model: Model, Y: Array, padded: Padded, X: Rows) -> Array | Ragged:
    """The outputs of the batch's rows, or of their data."""
    real = np.array(padded.real(Y), model.dtype)
    return X.like(real) if isinstance(X, Ragged) and padded.is_of_data(Y) else real


def end_to_end(parts: list[Any]) -> Any:
    """The outputs of all pieces."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], Ragged):
        lengths = np.concatenate([part.lengths for part in parts])
        return Ragged(np.concatenate([part.data for part in parts]), lengths)
    return np.concatenate(parts)


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
