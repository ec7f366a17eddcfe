"""Long short-term memory."""

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


@registry.layers("LSTM.v1")
def LSTM(
    nO: int,
    nI: int | None = None,
    *,
    bi: bool = False,
    depth: int = 1,
    dropout: float | Schedule | None = None,
    init_W: Initializer = glorot_uniform_init,
) -> Model:
    """A long short-term memory over each sequence: X is Ragged (sum, nI), Y is Ragged (sum, nO).

    Step by step `c = sigmoid(f) * c + sigmoid(i) * tanh(g)` and `h = sigmoid(o) * tanh(c)`, where `i, f, g, o` are the
    four parts of `W @ x + U @ h + b`, and h and c are zero at first; Y is h. With `bi` half of nO runs from the end to
    the beginning. `depth` layers stand on one another, `dropout` drops outputs of each in training. Hochreiter and
    Schmidhuber, "Long Short-Term Memory" (Neural Computation, 1997), with the forget gate of Gers, Schmidhuber and
    Cummins (2000).
    """
    return recurrent("LSTM.v1", step, 4, 2, nO, nI, bi, depth, dropout, init_W)


def step(x: Array, states: tuple[Array, ...], product: Array) -> tuple[tuple[Array, ...], Callable[..., Any]]:
    c = states[1].copy()
    i, f, g, o = np.split(x + product, 4, axis=1)
    i, f, g, o = logistic(i), logistic(f), np.tanh(g), logistic(o)
    new = f * c + i * g
    squashed = np.tanh(new)

    def backprop(after: tuple[Array, ...]) -> tuple[Array, Array, tuple[Array, ...]]:
        dh, dc = after
        dc = dc + dh * o * (1 - squashed * squashed)
        parts = (dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g * g), dh * squashed * o * (1 - o))
        dZ = np.concatenate(parts, axis=1)
        return dZ, dZ, (np.zeros_like(dh), dc * f)

    return (o * squashed, new), backprop
