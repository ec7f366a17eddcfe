"""Arithmetic in numpy. Every method takes and returns plain arrays of one floating type (float32, or float64)."""

from __future__ import annotations

import operator
from threading import get_ident
from typing import Any

import numpy as np

from trainer_cli import batches
from trainer_cli.arrays import Array, Ints
from trainer_cli.batches import Size, SizedGenerator
from trainer_cli.errors import ArgumentError
from trainer_cli.ops import activations, convolution, pooling, ragged, rows, updates
from trainer_cli.ops.convolution import Windows
from trainer_cli.ops.workers import Workers
from trainer_cli.randomness import generator


class Ops:
    """Products, activations and update rules in numpy."""

    name = "numpy"

    def __init__(self, seed: int = 0):
        self.seed = seed
        self.workers = Workers()
        self._scratch: dict[tuple[int, np.dtype[np.generic]], Array] = {}

    @property
    def seed(self) -> int:
        """What generators that belong to no model are derived from. Setting it starts their count anew."""
        return self._seed

    @seed.setter
    def seed(self, seed: int) -> None:
        try:
            self._seed = operator.index(seed)
        except TypeError:
            raise ArgumentError(f"a seed is a whole number, got {seed!r}") from None
        self._n_generators = 0
        self._n_shuffles = 0

    def next_generator(self, *keys: str | int) -> np.random.Generator:
        """A generator derived from the seed and the count of those made before."""
        self._n_generators += 1
        return generator(self.seed, *keys, self._n_generators - 1)

    # Batches

    def minibatch(self, size: Size, sequence: Any, *, shuffle: bool = False, buffer: int = 1) -> SizedGenerator:
        """Batches of `size` rows of a sequence, every row once a pass, the last batch shorter.

        `size` is a number, a list, a schedule or an iterator, whose last value holds when it ends. It goes on from
        pass to pass, and fractions are carried over, so that the mean size is right. With `shuffle` the rows come in
        another order in every pass, drawn from (seed, "shuffle", the number of this among all that shuffle, the
        pass). With a `buffer` above 1 a thread makes so many batches ahead.

        `sequence` is a list, tuple or array, or ragged rows, or a dict of these; an iterable without a length is
        streamed. ArgumentError: a size below 1, or nothing that has rows.

        >>> batches = Ops().minibatch(2.5, [1, 2, 3, 4, 5, 6])
        >>> len(batches), list(batches)
        (3, [[1, 2], [3, 4, 5], [6]])
        """
        return batches.minibatch(self, size, sequence, shuffle=shuffle, buffer=buffer)

    def multibatch(
        self, size: Size, sequence: Any, *others: Any, shuffle: bool = False, buffer: int = 1
    ) -> SizedGenerator:
        """Lists with one batch of each sequence, of the same rows; else as `minibatch`.

        ShapeError: the sequences are not equally long.

        >>> for X, Y in Ops().multibatch(2, np.arange(3), ["a", "b", "c"]):
        ...     print(X, Y)
        [0 1] ['a', 'b']
        [2] ['c']
        """
        return batches.multibatch(self, size, [sequence, *others], shuffle=shuffle, buffer=buffer)

    def next_shuffle(self) -> int:
        """The number of one more thing that shuffles."""
        self._n_shuffles += 1
        return self._n_shuffles - 1

    # Products

    def gemm(
        self,
        A: Array,
        B: Array,
        *,
        trans1: bool = False,
        trans2: bool = False,
        add_to: Array | None = None,
        out: Array | None = None,
    ) -> Array:
        """`A @ B` of two matrices, each transposed if asked; added to `add_to` or written to `out` if that is given."""
        A = A.T if trans1 else A
        B = B.T if trans2 else B
        if add_to is None:
            product: Array = np.matmul(A, B, out=out)
            return product
        # numpy has no accumulating product; one scratch array serves every gradient.
        scratch = self.scratch(add_to.size, add_to.dtype).reshape(add_to.shape)
        np.matmul(A, B, out=scratch)
        add_to += scratch
        return add_to

    # Tables

    def add_rows(self, table: Array, rows: Ints, values: Array) -> None:
        """Add `values` (k, width) to the rows `rows` (k,) of a table, in place; what a row gets twice is summed."""
        np.add.at(table, rows, values)

    def put_rows(self, table: Array, rows: Ints, values: Array) -> None:
        """Write `values` (k, width) to the different rows `rows` (k,) of a table, in place."""
        table[rows] = values

    # Ragged rows: see `ragged` for shapes

    def gather_sum(self, table: Array, ids: Ints, lengths: Ints, weights: Array | None = None) -> Array:
        """The sum of the rows `ids` of a table for each sequence, each by its weight: (B, width)."""
        return ragged.gather_sum(table, ids, lengths, weights)

    def backprop_gather_sum(
        self, dY: Array, ids: Ints, lengths: Ints, weights: Array | None = None, *, add_to: Array
    ) -> None:
        """Add the gradient of the table to `add_to` in place."""
        np.add.at(add_to, ids, ragged.spread(dY, lengths, weights))

    def reduce_sum(self, X: Array, lengths: Ints) -> Array:
        return ragged.reduce_sum(X, lengths)

    def reduce_max(self, X: Array, lengths: Ints) -> tuple[Array, Ints]:
        return ragged.reduce_max(X, lengths)

    def backprop_reduce_max(self, dY: Array, which: Ints, lengths: Ints) -> Array:
        return ragged.backprop_reduce_max(dY, which, lengths)

    def seq2col(self, X: Array, lengths: Ints, size: int) -> Array:
        return ragged.seq2col(X, lengths, size)

    def backprop_seq2col(self, dY: Array, lengths: Ints, size: int) -> Array:
        return ragged.backprop_seq2col(dY, lengths, size)

    def scratch(self, size: int, dtype: np.dtype[np.generic]) -> Array:
        """A 1-d array of `size` that the thread's next call overwrites; grown to the largest size asked for."""
        key = (get_ident(), dtype)
        held = self._scratch.get(key)
        if held is None or held.size < size:
            held = self._scratch[key] = np.empty(size, dtype)
        return held[:size]

    # Images

    def windows(self, X: Array, windows: Windows) -> Array:
        """The windows of images (n, H, W, C) as rows (n * Ho * Wo, K), in an array that the thread's next call may
        overwrite."""
        rows = self.window_rows(X, windows)
        convolution.laid_out(X, windows, rows)
        return rows

    def window_rows(self, X: Array, windows: Windows) -> Array:
        shape = (len(X) * windows.n, windows.area * X.shape[3])
        return self.scratch(shape[0] * shape[1], X.dtype).reshape(shape)

    def max_pool(self, X: Array, windows: Windows) -> Array:
        Y = np.empty((len(X), *windows.outputs, X.shape[3]), X.dtype)
        self.workers.on_rows(len(X), lambda rows: pooling.max_pool(X[rows], windows, Y[rows]))
        return Y

    def backprop_max_pool(self, dY: Array, X: Array, Y: Array, windows: Windows) -> Array:
        dX = np.zeros_like(X, order="C")
        self.workers.on_rows(
            len(X), lambda rows: pooling.backprop_max_pool(dY[rows], X[rows], Y[rows], windows, dX[rows])
        )
        return dX

    # Activations: see `activations` for formulas, shapes, and what may be overwritten

    bias = staticmethod(activations.bias)
    backprop_bias = staticmethod(activations.backprop_bias)
    relu = staticmethod(activations.relu)
    backprop_relu = staticmethod(activations.backprop_relu)
    sigmoid = staticmethod(activations.sigmoid)
    backprop_sigmoid = staticmethod(activations.backprop_sigmoid)
    tanh = staticmethod(activations.tanh)
    backprop_tanh = staticmethod(activations.backprop_tanh)
    swish = staticmethod(activations.swish)
    backprop_swish = staticmethod(activations.backprop_swish)
    gelu = staticmethod(activations.gelu)
    backprop_gelu = staticmethod(activations.backprop_gelu)
    mish = staticmethod(activations.mish)
    backprop_mish = staticmethod(activations.backprop_mish)
    dish = staticmethod(activations.dish)
    backprop_dish = staticmethod(activations.backprop_dish)
    hard_swish = staticmethod(activations.hard_swish)
    backprop_hard_swish = staticmethod(activations.backprop_hard_swish)
    clipped_linear = staticmethod(activations.clipped_linear)
    backprop_clipped_linear = staticmethod(activations.backprop_clipped_linear)

    dropout = staticmethod(activations.dropout)

    # Over each row: see `rows`

    softmax = staticmethod(rows.softmax)
    backprop_softmax = staticmethod(rows.backprop_softmax)
    crossentropy = staticmethod(rows.crossentropy)
    maxout = staticmethod(rows.maxout)
    backprop_maxout = staticmethod(rows.backprop_maxout)
    layernorm = staticmethod(rows.layernorm)
    backprop_layernorm = staticmethod(rows.backprop_layernorm)

    # Updates: each works in place on flat arrays that the caller owns; see `updates` for the formulas

    adam = staticmethod(updates.adam)
    momentum = staticmethod(updates.momentum)
    lion = staticmethod(updates.lion)
    rmsprop = staticmethod(updates.rmsprop)
    adagrad = staticmethod(updates.adagrad)
    add_scaled = staticmethod(updates.add_scaled)
    average = staticmethod(updates.average)
