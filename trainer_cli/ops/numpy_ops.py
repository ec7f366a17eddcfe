"""Arithmetic in numpy. Every method takes and returns plain arrays of one floating type (float32, or float64)."""

from __future__ import annotations

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.ops import updates
from trainer_cli.randomness import generator


class Ops:
    """Products, activations and update rules in numpy."""

    name = "numpy"

    def __init__(self, seed: int = 0):
        self.seed = seed
        self._n_generators = 0
        self._scratch: dict[np.dtype[np.generic], Array] = {}

    def next_generator(self, *keys: str | int) -> np.random.Generator:
        """A generator derived from the seed and the count of those made before."""
        self._n_generators += 1
        return generator(self.seed, *keys, self._n_generators - 1)

    # Products

    def affine(self, X: Array, W: Array, b: Array) -> Array:
        """`X @ W.T + b`: X (B, nI), W (nO, nI), b (nO,) -> (B, nO)."""
        Y: Array = X @ W.T
        Y += b
        return Y

    def gemm(
        self, A: Array, B: Array, *, trans1: bool = False, trans2: bool = False, add_to: Array | None = None
    ) -> Array:
        """`A @ B` of two matrices, each transposed if asked; added to `add_to` in place where that is given."""
        A = A.T if trans1 else A
        B = B.T if trans2 else B
        if add_to is None:
            product: Array = A @ B
            return product
        # numpy has no accumulating product; one scratch array serves every gradient.
        scratch = self.scratch(add_to.size, add_to.dtype).reshape(add_to.shape)
        np.matmul(A, B, out=scratch)
        add_to += scratch
        return add_to

    def scratch(self, size: int, dtype: np.dtype[np.generic]) -> Array:
        """A 1-d array of `size` that the next call overwrites; grown to the largest size asked for."""
        held = self._scratch.get(dtype)
        if held is None or held.size < size:
            held = self._scratch[dtype] = np.empty(size, dtype)
        return held[:size]

    # Updates: each works in place on flat arrays that the caller owns

    def adam(
        self, weights: Array, gradient: Array, m: Array, v: Array, *, beta1: float, beta2: float, eps: float, rate: float
    ) -> None:
        updates.adam(weights, gradient, m, v, beta1=beta1, beta2=beta2, eps=eps, rate=rate)

    def momentum(self, weights: Array, gradient: Array, m: Array, v: Array, *, beta1: float, beta2: float, rate: float) -> None:
        updates.momentum(weights, gradient, m, v, beta1=beta1, beta2=beta2, rate=rate)

    def sgd(self, weights: Array, gradient: Array, *, rate: float) -> None:
        updates.sgd(weights, gradient, rate=rate)

    def decay(self, weights: Array, *, rate: float) -> None:
        updates.decay(weights, rate=rate)

    def average(self, averages: Array, weights: Array, *, decay: float) -> None:
        updates.average(averages, weights, decay=decay)
