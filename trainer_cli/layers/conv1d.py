"""The convolution of sequences."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ints, Ragged
from trainer_cli.errors import ShapeError
from trainer_cli.initializers import Initializer, he_normal_init, zero_init
from trainer_cli.layers.convolution import Activation, convolutional, convolved, draw, windows_in
from trainer_cli.layers.images import as_sequences, check_channels
from trainer_cli.layers.inputs import describe, in_type, kind
from trainer_cli.model import Backprop, Model, width
from trainer_cli.ops.convolution import Padding, Windows, along
from trainer_cli.registry import registry


@registry.layers("Conv1D.v1")
def Conv1D(
    nO: int | None = None,
    nI: int | None = None,
    kernel_size: int = 3,
    *,
    stride: int = 1,
    padding: Padding = "same",
    activation: Activation = "linear",
    init_W: Initializer = he_normal_init,
    init_b: Initializer = zero_init,
) -> Model:
    """One affine map of each window of k places: `Y[t] = W * X[t s : t s + k] + b`.

    X is (B, T, nI), Y is (B, To, nO); W is (nO, k, nI), b is (nO,). Of ragged rows each is a sequence for itself, with
    zeros around it and not its neighbours. `stride`, `padding` and `activation` are those of `Conv2D.v1`: "same" gives
    `ceil(T / stride)` places, "valid" `(T - k) // stride + 1`, none for a ragged row shorter than k.
    """
    return convolutional(
        "Conv1D.v1",
        forward,
        partial(init, init_W, init_b),
        {"nO": nO, "nI": nI},
        (kernel_size,),
        stride,
        padding,
        activation,
    )


def forward(model: Model, X: Any, is_train: bool) -> tuple[Any, Backprop]:
    if isinstance(X, Ragged):
        return forward_ragged(model, X)
    X = as_sequences(model, X)
    Y, backprop_images = convolved(model, X[:, None], windows_in(model, 1, X.shape[1]))

    def backprop(dY: Any) -> Array | None:
        dX = backprop_images(np.asarray(dY)[:, None])
        return None if dX is None else dX[:, 0]

    return Y[:, 0], backprop


def forward_ragged(model: Model, X: Ragged) -> tuple[Ragged, Backprop]:
    """The rows as one long sequence with k - 1 zeros between them, of whose windows those of the rows are picked."""
    data, k = as_places(model, X), model.attrs["kernel"][0]
    rows, picks, lengths = laid_in(X, k, model.attrs["stride"], model.attrs["padding"])
    long = np.zeros((1, 1, len(data) + (k - 1) * (len(X.lengths) + 1), data.shape[1]), data.dtype)
    long[0, 0, rows] = data
    Y, backprop_long = convolved(model, long, Windows((1, k), 1, (0, 0), (1, max(0, long.shape[2] - k + 1))))

    def backprop(dY: Ragged) -> Ragged | None:
        wide = np.zeros_like(Y)
        wide[0, 0, picks] = dY.data
        dX = backprop_long(wide)
        return None if dX is None else Ragged(dX[0, 0, rows], X.lengths)

    return Ragged(Y[0, 0, picks], lengths), backprop


def laid_in(X: Ragged, k: int, stride: int, padding: Padding) -> tuple[Ints, Ints, Ints]:
    """Where each place of the data stands in the long sequence, where each window begins there, how many a row has."""
    n_rows = len(X.lengths)
    begin = X.starts()[:-1] + (k - 1) * np.arange(1, n_rows + 1)
    found = [along(int(length), k, stride, padding) for length in X.lengths]
    before, lengths = np.array(found, np.int64).reshape(n_rows, 2).T
    return counted(begin, X.lengths, 1), counted(begin - before, lengths, stride), lengths


def counted(begin: Ints, lengths: Ints, step: int) -> Ints:
    """`begin[i], begin[i] + step, ...`, `lengths[i]` of them, one row after the other."""
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.asarray(np.repeat(begin, lengths) + step * within)


def as_places(model: Model, X: Ragged) -> Array:
    if X.data.ndim != 2 or X.data.dtype.kind not in "fiub":
        raise ShapeError(f"{model.where}: {kind(model)} takes ragged rows (sum, C), got data {describe(X.data)}")
    check_channels(model, X.data)
    return in_type(model, X.data)


def init(init_W: Initializer, init_b: Initializer, model: Model, X: Any, Y: Any) -> None:
    if X is not None:
        data = as_places(model, X) if isinstance(X, Ragged) else as_sequences(model, X)
        model.set_dim("nI", data.shape[-1])
        per_row = -(-len(data) // len(X.lengths)) if isinstance(X, Ragged) else windows_in(model, 1, data.shape[1]).n
        model.attrs["positions"] = per_row
    if Y is not None:
        model.set_dim("nO", width(Y))
    draw(model, init_W, init_b)
