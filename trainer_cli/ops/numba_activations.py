"""The functions of `activations` and `rows` with compiled kernels for float32 arrays; any other array goes to numpy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trainer_cli.arrays import Array, Ints
from trainer_cli.ops import activations, kernels, line_kernels, rows
from trainer_cli.ops.fit import F, contiguous_like, fits

Backprop = Callable[[Array, Array, Array], Array]


def relu(Z: Array, b: Array) -> tuple[Array, Array]:
    if not fits(Z, b):
        return activations.relu(Z, b)
    line_kernels.relu(Z, b)
    return Z, Z


def backprop_relu(dY: Array, Y: Array, db: Array) -> Array:
    return backprop(line_kernels.backprop_relu, activations.backprop_relu, dY, Y, db)


def sigmoid(Z: Array, b: Array) -> tuple[Array, Array]:
    if not fits(Z, b):
        return activations.sigmoid(Z, b)
    kernels.sigmoid(Z, b)
    return Z, Z


def backprop_sigmoid(dY: Array, Y: Array, db: Array) -> Array:
    return backprop(kernels.backprop_sigmoid, activations.backprop_sigmoid, dY, Y, db)


def backprop_tanh(dY: Array, Y: Array, db: Array) -> Array:
    return backprop(kernels.backprop_tanh, activations.backprop_tanh, dY, Y, db)


def swish(Z: Array, b: Array) -> tuple[Array, Array]:
    return (kernels.swish(Z, b), Z) if fits(Z, b) else activations.swish(Z, b)


def backprop_swish(dY: Array, X: Array, db: Array) -> Array:
    return backprop(kernels.backprop_swish, activations.backprop_swish, dY, X, db)


def gelu(Z: Array, b: Array) -> tuple[Array, Array]:
    return (kernels.gelu(Z, b), Z) if fits(Z, b) else activations.gelu(Z, b)


def backprop_gelu(dY: Array, X: Array, db: Array) -> Array:
    return backprop(kernels.backprop_gelu, activations.backprop_gelu, dY, X, db)


def mish(Z: Array, b: Array) -> tuple[Array, Array]:
    return (kernels.mish(Z, b), Z) if fits(Z, b) else activations.mish(Z, b)


def backprop_mish(dY: Array, X: Array, db: Array) -> Array:
    return backprop(kernels.backprop_mish, activations.backprop_mish, dY, X, db)


def dish(Z: Array, b: Array) -> tuple[Array, Array]:
    return (kernels.dish(Z, b), Z) if fits(Z, b) else activations.dish(Z, b)


def backprop_dish(dY: Array, X: Array, db: Array) -> Array:
    return backprop(kernels.backprop_dish, activations.backprop_dish, dY, X, db)


def hard_swish(Z: Array, b: Array, *, slope: float) -> tuple[Array, Array]:
    return (line_kernels.hard_swish(Z, b, F(slope)), Z) if fits(Z, b) else activations.hard_swish(Z, b, slope=slope)


def backprop_hard_swish(dY: Array, X: Array, db: Array, *, slope: float) -> Array:
    dY = contiguous_like(X, dY)
    if not fits(dY, db):
        return activations.backprop_hard_swish(dY, X, db, slope=slope)
    return line_kernels.backprop_hard_swish(dY, X, db, F(slope))


def clipped_linear(
    Z: Array, b: Array, *, slope: float, offset: float, min_val: float, max_val: float
) -> tuple[Array, Array]:
    if not fits(Z, b):
        return activations.clipped_linear(Z, b, slope=slope, offset=offset, min_val=min_val, max_val=max_val)
    line_kernels.clipped_linear(Z, b, F(slope), F(offset), F(min_val), F(max_val))
    return Z, Z


def backprop_clipped_linear(dY: Array, Y: Array, db: Array, *, slope: float, min_val: float, max_val: float) -> Array:
    dY = contiguous_like(Y, dY)
    if not fits(dY, db):
        return activations.backprop_clipped_linear(dY, Y, db, slope=slope, min_val=min_val, max_val=max_val)
    return line_kernels.backprop_clipped_linear(dY, Y, db, F(slope), F(min_val), F(max_val))


def softmax(Z: Array, b: Array) -> tuple[Array, None]:
    if not fits(Z, b):
        return rows.softmax(Z, b)
    kernels.softmax(Z, b)
    return Z, None


def backprop_softmax(dY: Array, Y: Array) -> Array:
    dY = contiguous_like(Y, dY)
    return kernels.backprop_softmax(dY, Y) if fits(dY) else rows.backprop_softmax(dY, Y)


def crossentropy(X: Array, classes: Ints) -> tuple[Array, Array]:
    if not fits(X) or classes.dtype != np.int64 or not classes.flags.c_contiguous:
        return rows.crossentropy(X, classes)
    assert classes.shape == X.shape[:1], "a kernel does not check its indexes"
    return kernels.crossentropy(X, classes)


MAXOUT = {2: line_kernels.maxout_of_two, 3: line_kernels.maxout_of_three}


def maxout(Z: Array, b: Array) -> tuple[Array, Array]:
    kernel = MAXOUT.get(Z.shape[2])
    return kernel(Z, b) if kernel is not None and fits(Z, b) and b.flags.c_contiguous else rows.maxout(Z, b)


def backprop_maxout(dY: Array, which: Array, db: Array) -> Array:
    dY = np.ascontiguousarray(dY)
    if not fits(dY, db[:, 0]):
        return rows.backprop_maxout(dY, which, db)
    return line_kernels.backprop_maxout(dY, which, db)


def layernorm(X: Array, G: Array, b: Array) -> tuple[Array, tuple[Array, Array]]:
    X = np.ascontiguousarray(X)
    if not fits(X, G, b):
        return rows.layernorm(X, G, b)
    Y, Xhat, scales = kernels.layernorm(X, G, b)
    return Y, (Xhat, scales)


def backprop_layernorm(dY: Array, kept: tuple[Array, Array], G: Array, dG: Array, db: Array) -> Array:
    dY = np.ascontiguousarray(dY)
    if not fits(dY, G, dG, db):
        return rows.backprop_layernorm(dY, kept, G, dG, db)
    return kernels.backprop_layernorm(dY, *kept, G, dG, db)


def backprop(kernel: Backprop, otherwise: Backprop, dY: Array, kept: Array, db: Array) -> Array:
    dY = contiguous_like(kept, dY)
    return kernel(dY, kept, db) if fits(dY, db) else otherwise(dY, kept, db)
