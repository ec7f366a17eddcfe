"""The convolution of sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ints, Ragged, starts_of, within
from trainer_cli.errors import ShapeError
from trainer_cli.initializers import Initializer, he_normal_init, zero_init
from trainer_cli.layers.convolution import Activation, convolutional, convolved, windows_in
from trainer_cli.layers.images import as_sequences, check_channels
from trainer_cli.layers.inputs import describe, in_type, kind
from trainer_cli.model import Backprop, Model
from trainer_cli.ops.convolution import CACHE_BYTES, Padding, Windows, along
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
        measure,
        (init_W, init_b),
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
    """The rows as one long sequence with zeros between them, cut into pieces that are convolved as images; of all
    windows those of the rows are picked. Neighbouring pieces share the places that windows of both see."""
    data, k, stride = as_places(model, X), model.attrs["kernel"][0], model.attrs["stride"]
    places, picks, lengths, n_windows = laid_in(X, k, stride, model.attrs["padding"])
    n, overlap = per_piece(n_windows, k, stride, max(data.shape[1], model.get_dim("nO")) * data.itemsize)
    own = n * stride  # places of a piece before those that the next one has as well
    at = np.divmod(places, own)
    pieces = np.zeros((-(-n_windows // n), own + overlap, data.shape[1]), data.dtype)
    pieces[at] = data
    pieces[:-1, own:] = pieces[1:, :overlap]
    Y, backprop_pieces = convolved(model, pieces[:, None], Windows((1, k), stride, (0, 0), (1, n)))

    def backprop(dY: Ragged) -> Ragged | None:
        wide = np.zeros_like(Y)
        wide.reshape(-1, Y.shape[-1])[picks] = dY.data
        dX = backprop_pieces(wide)
        if dX is None:
            return None
        dX[1:, 0, :overlap] += dX[:-1, 0, own:]
        return Ragged(dX[:, 0][at], X.lengths)

    return Ragged(Y.reshape(-1, Y.shape[-1])[picks], lengths), backprop


def laid_in(X: Ragged, k: int, stride: int, padding: Padding) -> tuple[Ints, Ints, Ints, int]:
    """Where each place of the data stands in the long sequence, the numbers of the rows' windows, how many a row has,
    and how many there are in all. Each row begins with a window, and has room until the next window that sees none of
    its places."""
    found = [along(int(length), k, stride, padding) for length in X.lengths]
    before, lengths = np.array(found, np.int64).reshape(len(X.lengths), 2).T
    room = -(-np.maximum(before + X.lengths, (lengths - 1) * stride + k) // stride)
    first = starts_of(room)
    return counted(first * stride + before, X.lengths), counted(first, lengths), lengths, int(room.sum())


def counted(begin: Ints, lengths: Ints) -> Ints:
    """`begin[i], begin[i] + 1, ...`, `lengths[i]` of them, one row after the other."""
    return np.asarray(np.repeat(begin, lengths) + within(lengths))


def per_piece(n_windows: int, k: int, stride: int, place_bytes: int) -> tuple[int, int]:
    """How many windows a piece has, alike and as few as the cache holds, and how many places it shares with the next:
    never more than are its own."""
    overlap = max(0, k - stride)
    n_pieces = max(1, -(-n_windows * k * place_bytes // CACHE_BYTES))
    return max(1, -(-overlap // stride), -(-n_windows // n_pieces)), overlap


def as_places(model: Model, X: Ragged) -> Array:
    if X.data.ndim != 2 or X.data.dtype.kind not in "fiub":
        raise ShapeError(f"{model.where}: {kind(model)} takes ragged rows (sum, C), got data {describe(X.data)}")
    check_channels(model, X.data)
    return in_type(model, X.data)


def measure(model: Model, X: Any) -> tuple[int, int]:
    """Of ragged rows about how many places one has."""
    if isinstance(X, Ragged):
        return as_places(model, X).shape[1], -(-len(X.data) // len(X.lengths))
    X = as_sequences(model, X)
    return X.shape[2], windows_in(model, 1, X.shape[1]).n
