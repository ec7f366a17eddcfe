"""Bags of vectors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np

from trainer_cli.arrays import Array, Ints, Ragged
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.initializers import Initializer, uniform_init
from trainer_cli.layers.dropout import checked, drop
from trainer_cli.layers.ids import check_range, no_slope, set_table_size
from trainer_cli.layers.inputs import describe, kind, sizes
from trainer_cli.model import Backprop, Model, width
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule

Mode = Literal["sum", "mean"]


@registry.layers("EmbedBag.v1")
def EmbedBag(
    nO: int | None = None,
    nV: int | None = None,
    mode: Mode = "mean",
    *,
    init_E: Initializer = uniform_init,
    dropout: float | Schedule | None = None,
    sparse: bool = True,
) -> Model:
    """The sum or mean of a table's rows for the ids of each sequence: `Y[i] = sum over k of w[k] * E[ids[k]]`.

    X is Ragged ids (sum,), as `text.v1` gives, or a tuple of these and Ragged weights (sum,); without weights they are
    1. Y is (B, nO); the mean is the sum divided by the number of ids, and a sequence without ids gives zeros. E is
    (nV, nO); nV is inferred from the data. `dropout` drops ids in training, and the others count for more. An update
    costs what the rows that were used cost; with `sparse = false` it is that of any other weights, and moves all rows.
    Joulin, Grave, Bojanowski and Mikolov, "Bag of Tricks for Efficient Text Classification" (2016), arXiv:1607.01759.
    """
    if mode not in ("sum", "mean"):
        raise ArgumentError(f'EmbedBag.v1: mode must be "sum" or "mean", got {mode!r}')
    return Model(
        "embedbag",
        forward,
        init=partial(init, init_E),
        dims=sizes("EmbedBag.v1", nO=nO, nV=nV),
        params=("E",),
        sparse=("E",) if sparse else (),
        attrs={"layer": "EmbedBag.v1", "mode": mode, "dropout": checked(dropout)},
    )


def forward(model: Model, X: Any, is_train: bool) -> tuple[Array, Backprop]:
    bags, weights = as_bags(model, X)
    check_range(model, bags.data)
    shares = means(bags.lengths, model.attrs["mode"]).astype(model.dtype)
    W, backprop_drop = drop(model, weights * shares, is_train)
    Y, backprop_sum = sums(model, "E", bags, W.astype(model.dtype, copy=False))
    input_gradient = model.input_gradient

    def backprop(dY: Array) -> Any:
        slopes = backprop_sum(dY, input_gradient and not isinstance(X, Ragged))
        if not input_gradient:
            return None
        if slopes is None:
            return no_slope(model, X)
        return no_slope(model, bags), X[1].like(backprop_drop(slopes) * shares)

    return Y, backprop


def sums(model: Model, table: str, bags: Ragged, W: Array) -> tuple[Array, Callable[[Array, bool], Array | None]]:
    """The sum of the rows of a table for the ids of each bag, each times its factor in W, (sum,).

    Backprop adds to the table's gradient, and gives the slopes of W if these are wanted.
    """
    ids, lengths = bags.data, bags.lengths
    E = model.get_param(table)

    def backprop(dY: Array, wanted: bool) -> Array | None:
        dY = np.ascontiguousarray(dY, model.dtype)
        model.ops.backprop_gather_sum(dY, ids, lengths, W, add_to=model.get_grad(table))
        model.touch_rows(table, ids)
        if not wanted:
            return None
        slopes: Array = np.einsum("kj,kj->k", E.take(ids, axis=0), np.repeat(dY, lengths, axis=0))
        return slopes

    return model.ops.gather_sum(E, ids, lengths, W), backprop


def as_bags(model: Model, X: Any) -> tuple[Ragged, Array]:
    """The ids and their weights; ShapeError: they are none."""
    pair = X if isinstance(X, tuple) and len(X) == 2 else (X, None)
    ids, weights = pair
    wrong = not isinstance(ids, Ragged) or ids.data.ndim != 1 or ids.data.dtype.kind not in "iu"
    if wrong or not (weights is None or is_weights(ids, weights)):
        rule = f"{kind(model)} takes ragged ids, or these and their weights, as text.v1 gives"
        raise ShapeError(f"{model.where}: {rule}, got {describe(X)}")
    numbers: Ints = ids.data.astype(np.int64, copy=False)
    ones = np.ones(len(numbers), model.dtype)
    return ids.like(numbers), ones if weights is None else weights.data.astype(model.dtype, copy=False)


def is_weights(ids: Ragged, weights: Any) -> bool:
    fits = isinstance(weights, Ragged) and weights.data.shape == ids.data.shape and weights.data.dtype.kind == "f"
    return fits and np.array_equal(ids.lengths, weights.lengths)


def means(lengths: Ints, mode: Mode) -> Array:
    """What each id counts beside its weight."""
    if mode == "sum":
        return np.ones(int(lengths.sum()))
    shares: Array = np.repeat(1 / np.maximum(lengths, 1), lengths)
    return shares


def init(init_E: Initializer, model: Model, X: Any, Y: Any) -> None:
    if X is not None:
        set_table_size(model, as_bags(model, X)[0].data)
    if Y is not None:
        model.set_dim("nO", width(Y))
    model.draw("E", init_E, (model.get_dim("nV"), model.get_dim("nO")))
