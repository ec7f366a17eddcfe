"""A small table of vectors for any number of ids."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from trainer_cli.arrays import Ints
from trainer_cli.errors import ArgumentError
from trainer_cli.initializers import Initializer, uniform_init
from trainer_cli.layers.dropout import checked, drop
from trainer_cli.layers.ids import as_ids, checked_column, no_slope, rows_of, with_rows
from trainer_cli.layers.inputs import sizes
from trainer_cli.model import Backprop, Model, width
from trainer_cli.ops.hashing import buckets
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule

N_ROWS = 4


@registry.layers("HashEmbed.v1")
def HashEmbed(
    nO: int | None = None,
    nV: int = 5000,
    *,
    seed: int = 0,
    column: int | None = None,
    init_E: Initializer = uniform_init,
    dropout: float | Schedule | None = None,
    sparse: bool = True,
) -> Model:
    """The sum of four rows of a table for each key, drawn by four hashes: `Y[i] = sum over k of E[h_k(X[i])]`.

    X is keys, any whole numbers, (B,), of several columns (B, k) that of `column`, and Y is (B, nO); or X is Ragged
    (sum,) or (sum, k), and Y too, (sum, nO). E is (nV, nO). Two keys share all four rows with a chance of `1 / nV^4`:
    the table may be far smaller than the number of keys. `seed` chooses the hashes, `dropout` drops outputs in
    training. With `sparse = false` an update moves all rows, as of any other weights, not those alone that were used.
    Svenstrup, Hansen and Winther, "Hash Embeddings for Efficient Word Representations" (NIPS 2017), arXiv:1709.03933,
    without its weights, as in Thinc, whose hashes are others.
    """
    if type(seed) is not int or seed < 0:
        raise ArgumentError(f"HashEmbed.v1: seed must be a whole number of at least 0, got {seed!r}")
    return Model(
        "hashembed",
        forward,
        init=partial(init, init_E),
        dims=sizes("HashEmbed.v1", nO=nO, nV=nV),
        params=("E",),
        sparse=("E",) if sparse else (),
        attrs={
            "layer": "HashEmbed.v1",
            "column": checked_column("HashEmbed.v1", column),
            "dropout": checked(dropout),
            "seed": seed,
        },
    )


def forward(model: Model, X: Any, is_train: bool) -> tuple[Any, Backprop]:
    keys = as_ids(model, X)
    rows = buckets(keys, model.get_dim("nV"), model.attrs["seed"], N_ROWS).reshape(-1)
    fours: Ints = np.full(len(keys), N_ROWS, np.int64)
    Y, backprop_drop = drop(model, model.ops.gather_sum(model.get_param("E"), rows, fours), is_train)
    input_gradient = model.input_gradient

    def backprop(dY: Any) -> Any:
        dY = backprop_drop(rows_of(model, X, dY))
        model.ops.backprop_gather_sum(dY, rows, fours, add_to=model.grad.E)
        model.touch_rows("E", rows)
        return no_slope(model, X) if input_gradient else None

    return with_rows(X, Y), backprop


def init(init_E: Initializer, model: Model, X: Any, Y: Any) -> None:
    if X is not None:
        as_ids(model, X)
    if Y is not None:
        model.set_dim("nO", width(Y))
    model.draw("E", init_E, (model.get_dim("nV"), model.get_dim("nO")))
