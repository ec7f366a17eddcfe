"""Which words count."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ints, Ragged, starts_of
from trainer_cli.initializers import Generators, Initializer, glorot_uniform_init
from trainer_cli.layers.inputs import sizes
from trainer_cli.layers.rowwise import gradient_of
from trainer_cli.layers.sequences import as_ragged
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry


@registry.layers("ParametricAttention.v1")
def ParametricAttention(nO: int | None = None, *, init_Q: Initializer = glorot_uniform_init) -> Model:
    """Weigh the rows of each sequence by how well they fit a vector: `Y[t] = a[t] * X[t]`, `a = softmax(X @ Q)`.

    X and Y are Ragged (sum, nO), the softmax runs over each sequence, Q is (nO,). A sum behind it, `reduce_sum.v1`,
    makes a weighted mean. Yang et al., "Hierarchical Attention Networks for Document Classification" (NAACL 2016).
    """
    return Model(
        "parametricattention",
        forward,
        init=lambda model, X, Y: init(init_Q, model, X),
        dims=sizes("ParametricAttention.v1", nI=nO),
        params=("Q",),
        attrs={"layer": "ParametricAttention.v1"},
    )


def forward(model: Model, inputs: Any, is_train: bool) -> tuple[Ragged, Backprop]:
    X = as_ragged(model, inputs)
    Q, rows, lengths = model.get_param("Q"), X.data, X.lengths
    a = softmax(rows @ Q, lengths)

    def backprop(dY: Any) -> Ragged:
        dZ = np.ascontiguousarray(gradient_of(model, dY, X), rows.dtype)
        da = np.einsum("ij,ij->i", dZ, rows)
        scores = a * (da - spread_sum(da * a, lengths))
        model.grad.Q += scores @ rows
        return X.like(dZ * a[:, None] + scores[:, None] * Q)

    return X.like(rows * a[:, None]), backprop


def softmax(scores: Array, lengths: Ints) -> Array:
    """The softmax over each sequence."""
    if not len(scores):
        return scores
    full = lengths[lengths > 0]
    top = np.repeat(np.maximum.reduceat(scores, starts_of(full)), full)
    found = np.exp(scores - top)
    return np.asarray(found / spread_sum(found, lengths))


def spread_sum(values: Array, lengths: Ints) -> Array:
    """For each row the sum of its sequence."""
    full = lengths[lengths > 0]
    if not len(full):
        return values
    return np.repeat(np.add.reduceat(values, starts_of(full)), full)


def init(init_Q: Initializer, model: Model, X: Any) -> None:
    if X is not None:
        model.set_dim("nI", as_ragged(model, X).data.shape[1])
    n = model.get_dim("nI")
    model.draw("Q", partial(as_one_row, init_Q), (n,))


def as_one_row(
    init_Q: Initializer, ops: Generators, shape: tuple[int, ...], *, generator: np.random.Generator | None = None
) -> Array:
    """Numbers as for a matrix of one output: initializers look at both sizes."""
    return init_Q(ops, (1, *shape), generator=generator).reshape(shape)
