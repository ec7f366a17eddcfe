"""Convolutions of images as products of matrices, and their gradients.

Shapes: B images (B, H, W, C) and outputs (B, Ho, Wo, nO); weights (nO, kh, kw, C). A window is what one output sees,
K = kh * kw * C numbers. The windows of a few images at a time are laid end to end, (n * Ho * Wo, K), few enough that
they stay in the processor's cache, and go through one product with the weights as (nO, K).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.ops.workers import N_RUNS, rows_of

if TYPE_CHECKING:
    from trainer_cli.ops.numpy_ops import Ops

Padding = Literal["same", "valid"]
# What windows may take at a time: half of a core's usual second-level cache.
CACHE_BYTES = 1 << 19


@dataclass(frozen=True)
class Windows:
    """Where windows lie in images: their size, the step from one to the next, zeros before the first pixel, how many.

    Each but the step is (along H, along W).
    """

    kernel: tuple[int, int]
    stride: int
    before: tuple[int, int]
    outputs: tuple[int, int]

    @property
    def n(self) -> int:
        return self.outputs[0] * self.outputs[1]

    @property
    def area(self) -> int:
        return self.kernel[0] * self.kernel[1]

    def turned(self, sizes: tuple[int, int]) -> Windows:
        """Of windows one step apart in images of these sizes: those in the outputs that each pixel was seen by."""
        before = (self.kernel[0] - 1 - self.before[0], self.kernel[1] - 1 - self.before[1])
        return Windows(self.kernel, 1, before, sizes)


def fitted(sizes: tuple[int, int], kernel: tuple[int, int], stride: int, padding: Padding) -> Windows:
    """The windows in images of these sizes (H, W).

    "valid": all that lie within. "same": ceil(size / stride) along each axis, with zeros around as many as that takes,
    the odd one behind.
    """
    pairs = [along(size, k, stride, padding) for size, k in zip(sizes, kernel, strict=True)]
    return Windows(kernel, stride, (pairs[0][0], pairs[1][0]), (pairs[0][1], pairs[1][1]))


def along(size: int, kernel: int, stride: int, padding: Padding) -> tuple[int, int]:
    """Zeros before the first number, and the number of windows, along one axis."""
    if padding == "valid":
        return 0, max(0, (size - kernel) // stride + 1)
    n = -(-size // stride)
    return max(0, (n - 1) * stride + kernel - size) // 2, n


def laid_out(X: Array, windows: Windows, out: Array) -> None:
    """Every window of images (n, H, W, C) as a row of `out`, (n * Ho * Wo, K); beyond the edges there are zeros."""
    (kh, kw), (top, left), (Ho, Wo), step = windows.kernel, windows.before, windows.outputs, windows.stride
    n, H, W, C = X.shape
    padded = np.zeros((n, max(top + H, (Ho - 1) * step + kh), max(left + W, (Wo - 1) * step + kw), C), X.dtype)
    padded[:, top : top + H, left : left + W] = X
    s = padded.strides
    strides = (s[0], s[1] * step, s[2] * step, s[1], s[2], s[3])
    views = np.lib.stride_tricks.as_strided(padded, (n, Ho, Wo, kh, kw, C), strides)
    out.reshape(views.shape)[...] = views


def put_back(rows: Array, windows: Windows, out: Array) -> None:
    """Add what belongs to each window, rows (n * Ho * Wo, K), to the pixels it sees in images (n, H, W, C)."""
    (kh, kw), (top, left), (Ho, Wo), step = windows.kernel, windows.before, windows.outputs, windows.stride
    n, H, W, C = out.shape
    parts = rows.reshape(n, Ho, Wo, kh, kw, C)
    padded = np.zeros((n, max(top + H, (Ho - 1) * step + kh), max(left + W, (Wo - 1) * step + kw), C), out.dtype)
    for i in range(kh):
        for j in range(kw):
            padded[:, i : i + Ho * step : step, j : j + Wo * step : step] += parts[:, :, :, i, j]
    out += padded[:, top : top + H, left : left + W]


def convolve(ops: Ops, X: Array, W: Array, b: Array, windows: Windows, relu: bool) -> Array:
    """`Y[.., o] = sum(window * W[o]) + b[o]`, or its positive part: (B, Ho, Wo, nO)."""
    nO, flat = len(W), W.reshape(len(W), -1)
    Y = np.empty((len(X), *windows.outputs, nO), X.dtype)

    def work(run: int) -> None:
        for part in parts(len(X), run, windows.n * flat.shape[1] * X.itemsize):
            Z = Y[part].reshape(-1, nO)
            ops.gemm(ops.windows(X[part], windows), flat, trans2=True, out=Z)
            (ops.relu if relu else ops.bias)(Z, b)

    ops.workers.each(min(N_RUNS, len(X)), work)
    return Y


def backprop_convolve(
    ops: Ops,
    dY: Array,
    kept: tuple[Array, Array],
    W: Array,
    windows: Windows,
    relu: bool,
    gradients: tuple[Array, Array],
    input_gradient: bool,
) -> Array | None:
    """The gradient of X, if it is wanted; those of W and b are added to `gradients`. `kept` are X and Y."""
    X, Y = kept
    nO, flat = len(W), W.reshape(len(W), -1)
    dX = np.zeros(X.shape, X.dtype) if input_gradient else None
    back = input_map(W) if windows.stride == 1 else flat
    n_runs = min(N_RUNS, len(X))
    dW, db = np.zeros((n_runs, *flat.shape), W.dtype), np.zeros((n_runs, nO), W.dtype)
    widest = max(windows.n * flat.shape[1], X.shape[1] * X.shape[2] * back.shape[1] if windows.stride == 1 else 0)

    def work(run: int) -> None:
        for part in parts(len(X), run, widest * X.itemsize):
            dZ = dY[part].reshape(-1, nO)
            if relu:
                dZ = ops.backprop_relu(dZ, Y[part].reshape(-1, nO), db[run])
            else:
                ops.backprop_bias(dZ, None, db[run])
            dW[run] += ops.gemm(dZ, ops.windows(X[part], windows), trans1=True)
            if dX is not None:
                send_back(ops, dZ, back, windows, dX[part])

    ops.workers.each(n_runs, work)
    for run in range(n_runs):
        gradients[0].reshape(flat.shape)[...] += dW[run]
        gradients[1][...] += db[run]
    return dX


def input_map(W: Array) -> Array:
    """The weights as the gradient meets them, turned by half a circle: (C, kh * kw * nO)."""
    return np.ascontiguousarray(W[:, ::-1, ::-1].transpose(3, 1, 2, 0)).reshape(W.shape[3], -1)


def send_back(ops: Ops, dZ: Array, back: Array, windows: Windows, dX: Array) -> None:
    """Write the gradient of some images into `dX`, which is zero, from that of their outputs."""
    n, H, W, C = dX.shape
    if windows.stride > 1:
        put_back(ops.gemm(dZ, back), windows, dX)
        return
    rows = ops.windows(dZ.reshape(n, *windows.outputs, dZ.shape[1]), windows.turned((H, W)))
    ops.gemm(rows, back, trans2=True, out=dX.reshape(-1, C))


def parts(n_images: int, run: int, bytes_each: int) -> list[slice]:
    """The images of a run, a few at a time: as many as have their windows in the cache, at least one."""
    rows = rows_of(run, n_images)
    n = max(1, CACHE_BYTES // max(1, bytes_each))
    return [slice(first, min(first + n, rows.stop)) for first in range(rows.start, rows.stop, n)]
