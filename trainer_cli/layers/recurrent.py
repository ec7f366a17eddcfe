"""What recurrent layers share: sequences of different lengths step by step, directions and layers of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ints, Ragged
from trainer_cli.errors import ArgumentError
from trainer_cli.initializers import Initializer, glorot_uniform_init, zero_init
from trainer_cli.layers.chain import chain
from trainer_cli.layers.concatenate import concatenate
from trainer_cli.layers.dropout import Dropout, checked
from trainer_cli.layers.inputs import sizes
from trainer_cli.layers.rowwise import gradient_of
from trainer_cli.layers.sequences import as_ragged
from trainer_cli.model import Backprop, Model
from trainer_cli.schedules.schedule import Schedule

# One step: from the inputs' part of the gates (k, g), the states before (k, n) and the products of the hidden ones with
# U (k, g) to the states after, and the way back.
Step = Callable[[Array, tuple[Array, ...], Array], tuple[tuple[Array, ...], Callable[..., Any]]]


def recurrent(
    layer: str,
    step: Step,
    n_gates: int,
    n_states: int,
    nO: int,
    nI: int | None,
    bi: bool,
    depth: int,
    dropout: float | Schedule | None,
    init_W: Initializer | None = None,
) -> Model:
    """`depth` layers on one another, each of one direction, or of two side by side with half of nO."""
    sizes(layer, nO=nO, nI=nI, depth=depth)
    if not isinstance(bi, bool):
        raise ArgumentError(f"{layer}: bi must be true or false, got {bi!r}")
    if bi and nO % 2:
        raise ArgumentError(f"{layer}: nO must be even for two directions, got {nO}")
    rate, layers = checked(dropout), []
    for index in range(depth):
        width = nI if index == 0 else nO
        parts = [
            one(layer, step, n_gates, n_states, nO // (2 if bi else 1), width, back, init_W or glorot_uniform_init)
            for back in ([False, True] if bi else [False])
        ]
        both = concatenate(*(part.named(name) for part, name in zip(parts, ("ahead", "back"), strict=False)))
        layers.append((both if bi else parts[0]).named(f"layer{index + 1}"))
        if rate is not None:
            layers.append(Dropout(rate).named(f"dropout{index + 1}"))
    model = chain(*layers)
    model.attrs["layer"] = layer
    return model.named(layer.partition(".")[0].lower())


def one(
    layer: str, step: Step, n_gates: int, n_states: int, nO: int, nI: int | None, back: bool, init_W: Initializer
) -> Model:
    """One direction of one layer: W is (n_gates * nO, nI), U is (n_gates * nO, nO), b is (n_gates * nO,)."""
    return Model(
        layer.partition(".")[0].lower(),
        forward,
        init=lambda model, X, Y: init(model, n_gates, init_W, X),
        dims={"nO": nO, "nI": nI},
        params=("W", "U", "b"),
        no_decay=("b",),
        attrs={"layer": layer, "step": step, "n_states": n_states, "back": back},
    )


def forward(model: Model, inputs: Any, is_train: bool) -> tuple[Ragged, Backprop]:
    X = as_ragged(model, inputs)
    W, U, n = model.get_param("W"), model.get_param("U"), model.get_dim("nO")
    gates = model.ops.gemm(X.data, W, trans2=True)
    gates += model.b
    Y = np.zeros((len(X.data), n), X.data.dtype)
    states = tuple(np.zeros((len(X.lengths), n), Y.dtype) for _ in range(model.attrs["n_states"]))
    kept = []
    for rows in times(X, model.attrs["back"]):
        before = tuple(state[: len(rows)] for state in states)
        after, backprop_step = model.attrs["step"](gates[rows], before, before[0] @ U.T)
        kept.append((rows, before[0].copy(), backprop_step))
        for state, new in zip(states, after, strict=True):
            state[: len(rows)] = new
        Y[rows] = after[0]
    input_gradient = model.input_gradient

    def backprop(dY: Any) -> Ragged | None:
        dZ = backprop_through_time(model, gradient_of(model, dY, X), gates.shape, kept, len(X.lengths))
        model.grad.b += dZ.sum(axis=0)
        model.ops.gemm(dZ, X.data, trans1=True, add_to=model.grad.W)
        return X.like(model.ops.gemm(dZ, W)) if input_gradient else None

    return X.like(Y), backprop


def backprop_through_time(model: Model, dY: Array, shape: tuple[int, ...], kept: list[Any], n_sequences: int) -> Array:
    """The gradient of the inputs' part of the gates; that of U is added to the model's."""
    U, n = model.get_param("U"), model.get_dim("nO")
    dZ = np.zeros(shape, U.dtype)
    ds = tuple(np.zeros((n_sequences, n), U.dtype) for _ in range(model.attrs["n_states"]))
    for rows, before, backprop_step in reversed(kept):
        k = len(rows)
        after = (ds[0][:k] + dY[rows], *(d[:k] for d in ds[1:]))
        dZ[rows], d_product, d_before = backprop_step(after)
        for d, new in zip(ds, d_before, strict=True):
            d[:k] = new
        ds[0][:k] += d_product @ U
        model.grad.U += d_product.T @ before
    return dZ


def times(X: Ragged, back: bool) -> Iterator[Ints]:
    """The rows of each moment: the first of all sequences, the second of those that have one, ... or from the last on.

    The longest sequences come first, so that those that go on are always the first few.
    """
    order = np.argsort(-X.lengths, kind="stable")
    lengths = X.lengths[order]
    begins = (X.starts()[1:] - 1)[order] if back else X.starts()[:-1][order]
    for t in range(int(lengths.max(initial=0))):
        alive = int(np.searchsorted(-lengths, -t, side="left"))
        yield begins[:alive] + (-t if back else t)


def logistic(x: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))  # 1 / (1 + exp(-x)) without overflow


def init(model: Model, n_gates: int, init_W: Initializer, X: Any) -> None:
    if X is not None:
        model.set_dim("nI", as_ragged(model, X).data.shape[1])
    n = n_gates * model.get_dim("nO")
    model.draw("W", init_W, (n, model.get_dim("nI")))
    model.draw("U", init_W, (n, model.get_dim("nO")))
    model.draw("b", zero_init, (n,))
