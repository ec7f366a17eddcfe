"""The arithmetic of `Ops` with compiled kernels where they are faster. Products stay with BLAS."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trainer_cli.arrays import Array, Ints
from trainer_cli.ops import activations, image_kernels, kernels, ragged_kernels, table_kernels, update_kernels
from trainer_cli.ops.convolution import Windows
from trainer_cli.ops.kernels import F
from trainer_cli.ops.numpy_ops import Ops
from trainer_cli.ops.updates import Means

Backprop = Callable[[Array, Array, Array], Array]


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

    # Activations

    def relu(self, Z: Array, b: Array) -> tuple[Array, Array]:
        if not fits(Z, b):
            return super().relu(Z, b)
        kernels.relu(Z, b)
        return Z, Z

    def backprop_relu(self, dY: Array, Y: Array, db: Array) -> Array:
        return backprop(kernels.backprop_relu, activations.backprop_relu, dY, Y, db)

    def sigmoid(self, Z: Array, b: Array) -> tuple[Array, Array]:
        if not fits(Z, b):
            return super().sigmoid(Z, b)
        kernels.sigmoid(Z, b)
        return Z, Z

    def backprop_sigmoid(self, dY: Array, Y: Array, db: Array) -> Array:
        return backprop(kernels.backprop_sigmoid, activations.backprop_sigmoid, dY, Y, db)

    def backprop_tanh(self, dY: Array, Y: Array, db: Array) -> Array:
        return backprop(kernels.backprop_tanh, activations.backprop_tanh, dY, Y, db)

    def swish(self, Z: Array, b: Array) -> tuple[Array, Array]:
        return (kernels.swish(Z, b), Z) if fits(Z, b) else super().swish(Z, b)

    def backprop_swish(self, dY: Array, X: Array, db: Array) -> Array:
        return backprop(kernels.backprop_swish, activations.backprop_swish, dY, X, db)

    def gelu(self, Z: Array, b: Array) -> tuple[Array, Array]:
        return (kernels.gelu(Z, b), Z) if fits(Z, b) else super().gelu(Z, b)

    def backprop_gelu(self, dY: Array, X: Array, db: Array) -> Array:
        return backprop(kernels.backprop_gelu, activations.backprop_gelu, dY, X, db)

    def mish(self, Z: Array, b: Array) -> tuple[Array, Array]:
        return (kernels.mish(Z, b), Z) if fits(Z, b) else super().mish(Z, b)

    def backprop_mish(self, dY: Array, X: Array, db: Array) -> Array:
        return backprop(kernels.backprop_mish, activations.backprop_mish, dY, X, db)

    def dish(self, Z: Array, b: Array) -> tuple[Array, Array]:
        return (kernels.dish(Z, b), Z) if fits(Z, b) else super().dish(Z, b)

    def backprop_dish(self, dY: Array, X: Array, db: Array) -> Array:
        return backprop(kernels.backprop_dish, activations.backprop_dish, dY, X, db)

    def hard_swish(self, Z: Array, b: Array, *, slope: float) -> tuple[Array, Array]:
        return (kernels.hard_swish(Z, b, F(slope)), Z) if fits(Z, b) else super().hard_swish(Z, b, slope=slope)

    def backprop_hard_swish(self, dY: Array, X: Array, db: Array, *, slope: float) -> Array:
        dY = contiguous_like(X, dY)
        if not fits(dY, db):
            return super().backprop_hard_swish(dY, X, db, slope=slope)
        return kernels.backprop_hard_swish(dY, X, db, F(slope))

    def clipped_linear(
        self, Z: Array, b: Array, *, slope: float, offset: float, min_val: float, max_val: float
    ) -> tuple[Array, Array]:
        if not fits(Z, b):
            return super().clipped_linear(Z, b, slope=slope, offset=offset, min_val=min_val, max_val=max_val)
        kernels.clipped_linear(Z, b, F(slope), F(offset), F(min_val), F(max_val))
        return Z, Z

    def backprop_clipped_linear(
        self, dY: Array, Y: Array, db: Array, *, slope: float, min_val: float, max_val: float
    ) -> Array:
        dY = contiguous_like(Y, dY)
        if not fits(dY, db):
            return super().backprop_clipped_linear(dY, Y, db, slope=slope, min_val=min_val, max_val=max_val)
        return kernels.backprop_clipped_linear(dY, Y, db, F(slope), F(min_val), F(max_val))

    def softmax(self, Z: Array, b: Array) -> tuple[Array, None]:
        if not fits(Z, b):
            return super().softmax(Z, b)
        kernels.softmax(Z, b)
        return Z, None

    def backprop_softmax(self, dY: Array, Y: Array) -> Array:
        dY = contiguous_like(Y, dY)
        return kernels.backprop_softmax(dY, Y) if fits(dY) else super().backprop_softmax(dY, Y)

    def backprop_maxout(self, dY: Array, which: Array, db: Array) -> Array:
        dY = np.ascontiguousarray(dY)
        if not fits(dY, db[:, 0]):
            return super().backprop_maxout(dY, which, db)
        return kernels.backprop_maxout(dY, which, db)

    def layernorm(self, X: Array, G: Array, b: Array) -> tuple[Array, tuple[Array, Array]]:
        X = np.ascontiguousarray(X)
        if not fits(X, G, b):
            return super().layernorm(X, G, b)
        Y, Xhat, scales = kernels.layernorm(X, G, b)
        return Y, (Xhat, scales)

    def backprop_layernorm(self, dY: Array, kept: tuple[Array, Array], G: Array, dG: Array, db: Array) -> Array:
        dY = np.ascontiguousarray(dY)
        if not fits(dY, G, dG, db):
            return super().backprop_layernorm(dY, kept, G, dG, db)
        return kernels.backprop_layernorm(dY, *kept, G, dG, db)

    # Updates

    def adam(
        self,
        weights: Array,
        gradient: Array,
        m: Array,
        v: Array,
        means: Means,
        *,
        eps: float,
        rate: float,
        shrink: float = 0.0,
    ) -> None:
        if not flat(weights, gradient, m, v):
            return super().adam(weights, gradient, m, v, means, eps=eps, rate=rate, shrink=shrink)
        b1, gain1, b2, gain2 = map(F, means)
        return update_kernels.adam(weights, gradient, m, v, b1, gain1, b2, gain2, F(eps), F(rate), F(shrink))

    def momentum(self, weights: Array, gradient: Array, m: Array, v: Array, means: Means, *, rate: float) -> None:
        if not flat(weights, gradient, m, v):
            return super().momentum(weights, gradient, m, v, means, rate=rate)
        b1, gain1, b2, gain2 = map(F, means)
        return update_kernels.momentum(weights, gradient, m, v, b1, gain1, b2, gain2, F(rate))

    def lion(
        self, weights: Array, gradient: Array, m: Array, means: Means, *, rate: float, shrink: float = 0.0
    ) -> None:
        if not flat(weights, gradient, m):
            return super().lion(weights, gradient, m, means, rate=rate, shrink=shrink)
        b1, gain1, b2, gain2 = map(F, means)
        return update_kernels.lion(weights, gradient, m, b1, gain1, b2, gain2, F(rate), F(shrink))

    def rmsprop(
        self, weights: Array, gradient: Array, v: Array, *, beta2: float, gain2: float, eps: float, rate: float
    ) -> None:
        if not flat(weights, gradient, v):
            return super().rmsprop(weights, gradient, v, beta2=beta2, gain2=gain2, eps=eps, rate=rate)
        return update_kernels.rmsprop(weights, gradient, v, F(beta2), F(gain2), F(eps), F(rate))

    def adagrad(self, weights: Array, gradient: Array, v: Array, *, eps: float, rate: float) -> None:
        if not flat(weights, gradient, v):
            return super().adagrad(weights, gradient, v, eps=eps, rate=rate)
        return update_kernels.adagrad(weights, gradient, v, F(eps), F(rate))

    def add_scaled(self, target: Array, source: Array, *, scale: float) -> None:
        if not flat(target, source):
            return super().add_scaled(target, source, scale=scale)
        return update_kernels.add_scaled(target, source, F(scale))

    def average(self, averages: Array, weights: Array, *, decay: float) -> None:
        if not flat(averages, weights):
            return super().average(averages, weights, decay=decay)
        return update_kernels.average(averages, weights, F(1 - decay))


def backprop(kernel: Backprop, otherwise: Backprop, dY: Array, kept: Array, db: Array) -> Array:
    dY = contiguous_like(kept, dY)
    return kernel(dY, kept, db) if fits(dY, db) else otherwise(dY, kept, db)


def contiguous_like(kept: Array, dY: Array) -> Array:
    assert dY.shape == kept.shape, "a kernel does not check its indexes"
    return np.ascontiguousarray(dY)


def fits(rows: Array, *columns: Array) -> bool:
    """Whether a kernel can take these rows (B, n) and whatever has one number a column, (n,)."""
    assert all(column.shape == rows.shape[1:] for column in columns), "a kernel does not check its indexes"
    return rows.dtype == F and rows.flags.c_contiguous and all(column.dtype == F for column in columns)


def fits_table(table: Array, rows: Ints, values: Array) -> bool:
    """Whether a kernel can take these rows of a table; IndexError: it has not all of them."""
    if len(rows) and (rows.min() < 0 or rows.max() >= len(table)):
        raise IndexError(f"rows {rows.min()} to {rows.max()} of a table of {len(table)}")
    assert values.shape == (*rows.shape, *table.shape[1:]), "a kernel does not check its indexes"
    return table.ndim == 2 and fits(table) and values.dtype == F and rows.dtype == np.int64


def fits_ragged(X: Array, lengths: Ints) -> bool:
    """Whether a kernel can take these ragged rows."""
    assert lengths.sum() == len(X), "a kernel does not check its indexes"
    return X.ndim == 2 and fits(X) and lengths.dtype == np.int64


def fits_ids(table: Array, ids: Ints, lengths: Ints, weights: Array | None) -> bool:
    """Whether a kernel can take these ids of a table's rows. IndexError: it has not all of them."""
    if len(ids) and (ids.min() < 0 or ids.max() >= len(table)):
        raise IndexError(f"rows {ids.min()} to {ids.max()} of a table of {len(table)}")
    assert lengths.sum() == len(ids), "a kernel does not check its indexes"
    known = weights is None or (weights.dtype == F and weights.shape == ids.shape)
    return table.ndim == 2 and fits(table) and known and ids.dtype == lengths.dtype == np.int64


def flat(*arrays: Array) -> bool:
    """Whether a kernel can take these arrays element by element."""
    assert all(array.shape == arrays[0].shape for array in arrays), "a kernel does not check its indexes"
    return all(array.ndim == 1 and array.dtype == F and array.flags.c_contiguous for array in arrays)
