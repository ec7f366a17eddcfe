"""The gated recurrent unit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.initializers import Initializer, glorot_uniform_init
from trainer_cli.layers.recurrent import logistic, recurrent
from trainer_cli.model import Model
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule


@registry.layers("GRU.v1")
def GRU(
    nO: int,
    nI: int | None = None,
    *,
    bi: bool = False,
    depth: int = 1,
    dropout: float | Schedule | None = None,
    init_W: Initializer = glorot_uniform_init,
) -> Model:
    """A gated recurrent unit over each sequence: X is Ragged (sum, nI), Y is Ragged (sum, nO).

    Step by step `h = (1 - z) * n + z * h` with `r = sigmoid(r_x + r_h)`, `z = sigmoid(z_x + z_h)` and
    `n = tanh(n_x + r * n_h)`, where `r_x, z_x, n_x` are the three parts of `W @ x + b` and `r_h, z_h, n_h` those of
    `U @ h`; h is zero at first, and Y is h. With `bi` half of nO runs from the end to the beginning. `depth` layers
    stand on one another, `dropout` drops outputs of each in training. Cho et al., "Learning Phrase Representations
    using RNN Encoder-Decoder" (EMNLP 2014), arXiv:1406.1078, with the reset gate behind the product, as in cuDNN.
    """
    return recurrent("GRU.v1", step, 3, 1, nO, nI, bi, depth, dropout, init_W)


def step(x: Array, states: tuple[Array, ...], product: Array) -> tuple[tuple[Array, ...], Callable[..., Any]]:
    h = states[0].copy()
    (r, z, n), (r_h, z_h, n_h) = np.split(x, 3, axis=1), np.split(product, 3, axis=1)
    r, z = logistic(r + r_h), logistic(z + z_h)
    n = np.tanh(n + r * n_h)

    def backprop(after: tuple[Array, ...]) -> tuple[Array, Array, tuple[Array, ...]]:
        (dh,) = after
        dn = dh * (1 - z) * (1 - n * n)
        dz, dr = dh * (h - n) * z * (1 - z), dn * n_h * r * (1 - r)
        return np.concatenate([dr, dz, dn], axis=1), np.concatenate([dr, dz, dn * r], axis=1), (dh * z,)

    return ((1 - z) * n + z * h,), backprop
