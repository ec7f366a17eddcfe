"""The arithmetic of `Ops` with compiled kernels where they are faster. Products stay with BLAS."""

from __future__ import annotations

import numpy as np

from trainer_cli.arrays import Array, Ints
from trainer_cli.ops import image_kernels, numba_activations, numba_updates, ragged_kernels, table_kernels
from trainer_cli.ops.convolution import Windows
from trainer_cli.ops.fit import F, contiguous_like, fits, fits_ids, fits_ragged, fits_table
from trainer_cli.ops.numpy_ops import Ops


class NumbaOps(Ops):
    """Kernels of one thread for float32 arrays; any other array goes to numpy.

    The numbers are numpy's up to float32 rounding; those of the update rules are the same to the bit.
    """

    name = "numba"

    # Images

    def windows(self, X: Array, windows: Windows) -> Array:
        if X.dtype != F or not X.flags.c_contiguous:
            return super().windows(X, windows)
        rows = self.window_rows(X, windows)
        (kh, kw), (n, H, W, C) = windows.kernel, X.shape
        laid_out = rows.reshape(n, *windows.outputs, kh, kw * C)
        image_kernels.laid_out(X.reshape(n, H, W * C), kh, kw, windows.stride, *windows.before, laid_out)
        return rows

    def max_pool(self, X: Array, windows: Windows) -> Array:
        if X.dtype != F or not X.flags.c_contiguous:
            return super().max_pool(X, windows)
        Y = np.empty((len(X), *windows.outputs, X.shape[3]), F)
        k, step = windows.kernel[0], windows.stride
        self.workers.on_rows(len(X), lambda rows: image_kernels.max_pool(X[rows], k, step, Y[rows]))
        return Y

    def backprop_max_pool(self, dY: Array, X: Array, Y: Array, windows: Windows) -> Array:
        if X.dtype != F or not X.flags.c_contiguous:
            return super().backprop_max_pool(dY, X, Y, windows)
        dY = contiguous_like(Y, dY)
        dX = np.empty_like(X)
        k, step = windows.kernel[0], windows.stride
        self.workers.on_rows(
            len(X), lambda rows: image_kernels.backprop_max_pool(dY[rows], X[rows], Y[rows], k, step, dX[rows])
        )
        return dX

    # Tables

    def add_rows(self, table: Array, rows: Ints, values: Array) -> None:
        if not fits_table(table, rows, values):
            return super().add_rows(table, rows, values)
        return table_kernels.add_rows(table, rows, np.ascontiguousarray(values))

    def put_rows(self, table: Array, rows: Ints, values: Array) -> None:
        if not fits_table(table, rows, values):
            return super().put_rows(table, rows, values)
        return table_kernels.put_rows(table, rows, np.ascontiguousarray(values))

    # Ragged rows

    def gather_sum(self, table: Array, ids: Ints, lengths: Ints, weights: Array | None = None) -> Array:
        if not fits_ids(table, ids, lengths, weights):
            return super().gather_sum(table, ids, lengths, weights)
        weights = np.ones(len(ids), F) if weights is None else weights
        return ragged_kernels.gather_sum(table, ids, lengths, weights)

    def backprop_gather_sum(
        self, dY: Array, ids: Ints, lengths: Ints, weights: Array | None = None, *, add_to: Array
    ) -> None:
        dY = np.ascontiguousarray(dY)
        if not fits_ids(add_to, ids, lengths, weights) or not fits(dY):
            return super().backprop_gather_sum(dY, ids, lengths, weights, add_to=add_to)
        weights = np.ones(len(ids), F) if weights is None else weights
        return ragged_kernels.add_spread(add_to, dY, ids, lengths, weights)

    def reduce_sum(self, X: Array, lengths: Ints) -> Array:
        X = np.ascontiguousarray(X)
        return ragged_kernels.reduce_sum(X, lengths) if fits_ragged(X, lengths) else super().reduce_sum(X, lengths)

    def seq2col(self, X: Array, lengths: Ints, size: int) -> Array:
        X = np.ascontiguousarray(X)
        if not fits_ragged(X, lengths):
            return super().seq2col(X, lengths, size)
        return ragged_kernels.seq2col(X, lengths, size)

    def backprop_seq2col(self, dY: Array, lengths: Ints, size: int) -> Array:
        dY = np.ascontiguousarray(dY)
        if not fits_ragged(dY, lengths):
            return super().backprop_seq2col(dY, lengths, size)
        return ragged_kernels.backprop_seq2col(dY, lengths, size)

    # Activations, and over each row

    relu = staticmethod(numba_activations.relu)
    backprop_relu = staticmethod(numba_activations.backprop_relu)
    sigmoid = staticmethod(numba_activations.sigmoid)
    backprop_sigmoid = staticmethod(numba_activations.backprop_sigmoid)
    backprop_tanh = staticmethod(numba_activations.backprop_tanh)
    swish = staticmethod(numba_activations.swish)
    backprop_swish = staticmethod(numba_activations.backprop_swish)
    gelu = staticmethod(numba_activations.gelu)
    backprop_gelu = staticmethod(numba_activations.backprop_gelu)
    mish = staticmethod(numba_activations.mish)
    backprop_mish = staticmethod(numba_activations.backprop_mish)
    dish = staticmethod(numba_activations.dish)
    backprop_dish = staticmethod(numba_activations.backprop_dish)
    hard_swish = staticmethod(numba_activations.hard_swish)
    backprop_hard_swish = staticmethod(numba_activations.backprop_hard_swish)
    clipped_linear = staticmethod(numba_activations.clipped_linear)
    backprop_clipped_linear = staticmethod(numba_activations.backprop_clipped_linear)
    softmax = staticmethod(numba_activations.softmax)
    backprop_softmax = staticmethod(numba_activations.backprop_softmax)
    crossentropy = staticmethod(numba_activations.crossentropy)
    maxout = staticmethod(numba_activations.maxout)
    backprop_maxout = staticmethod(numba_activations.backprop_maxout)
    layernorm = staticmethod(numba_activations.layernorm)
    backprop_layernorm = staticmethod(numba_activations.backprop_layernorm)

    # Updates

    adam = staticmethod(numba_updates.adam)
    momentum = staticmethod(numba_updates.momentum)
    lion = staticmethod(numba_updates.lion)
    rmsprop = staticmethod(numba_updates.rmsprop)
    adagrad = staticmethod(numba_updates.adagrad)
    add_scaled = staticmethod(numba_updates.add_scaled)
    average = staticmethod(numba_updates.average)
