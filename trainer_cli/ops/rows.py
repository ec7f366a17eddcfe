"""What is computed over each row or over the pieces of an output, in numpy, each forward with its backward.

Shapes, and what may be overwritten, are those of `activations`, where nothing else is said.
"""

from __future__ import annotations

import numpy as np

from trainer_cli.arrays import Array, Ints

LAYERNORM_EPS = 1e-8  # thinc's


def softmax(Z: Array, b: Array) -> tuple[Array, None]:
    """`Y = exp(X) / sum(exp(X))` over each row of `X = Z + b`, shifted by the row's maximum against overflow."""
    Z += b
    Z -= Z.max(axis=1, keepdims=True)
    np.exp(Z, out=Z)
    Z /= Z.sum(axis=1, keepdims=True)
    return Z, None


def backprop_softmax(dY: Array, Y: Array) -> Array:
    """The gradient of X from that of the probabilities: `Y * (dY - sum(dY * Y))` over each row."""
    dX: Array = dY * Y
    dX -= Y * dX.sum(axis=1, keepdims=True)
    return dX


def crossentropy(X: Array, classes: Ints) -> tuple[Array, Array]:
    """The cross-entropy in nats of each row's softmax with the class of the row, (B,), and its gradient, (B, n).

    X is (B, n) logits, which are left alone, and `classes` (B,) from 0 to n - 1. The gradient is `softmax(X) - y`. Sums
    and logs are float64: the largest logit less that of the class is then finite and exact for logits of any size, and
    a loss far below float32's rounding at 1 is still right.
    """
    top = X.max(axis=1, keepdims=True)
    dX: Array = X - top
    np.exp(dX, out=dX)
    total = dX.sum(axis=1, keepdims=True, dtype=np.float64)
    dX /= total.astype(dX.dtype)
    places = np.arange(0, X.size, X.shape[1]) + classes
    dX.reshape(-1)[places] -= 1.0
    nats = np.log(total) - np.subtract(X.reshape(-1, 1).take(places, axis=0), top, dtype=np.float64)
    return dX, nats[:, 0]


def maxout(Z: Array, b: Array) -> tuple[Array, Array]:
    """The largest of each output's pieces. Z and b are (B, nO, nP) and (nO, nP); Y and which piece it was, (B, nO)."""
    Z += b
    pieces = [np.ascontiguousarray(Z[:, :, piece]) for piece in range(Z.shape[2])]
    best = pieces[0].copy()
    for piece in pieces[1:]:
        np.maximum(best, piece, out=best)
    # The first that is the largest is the number of those before it that are not.
    which = np.zeros(best.shape, dtype=np.int16)
    missed = np.ones(best.shape, dtype=np.bool_)
    for piece in pieces[:-1]:
        missed &= piece != best
        which += missed
    return best, which


def backprop_maxout(dY: Array, which: Array, db: Array) -> Array:
    """(B, nO) -> (B, nO, nP): the gradient goes to the piece that was the largest."""
    dZ = np.empty((*dY.shape, db.shape[1]), dY.dtype)
    for piece in range(db.shape[1]):
        np.multiply(dY, which == piece, out=dZ[:, :, piece])
    db += dZ.sum(axis=0)
    return dZ


def layernorm(X: Array, G: Array, b: Array) -> tuple[Array, tuple[Array, Array]]:
    """`Y = Xhat * G + b` with `Xhat = (X - mean) / sqrt(var + 1e-8)` over each row; X is left alone.

    X and Y are (B, n), G and b (n,). What is kept is Xhat and 1 / sqrt(var + 1e-8), (B, 1).
    """
    Xhat = X - X.mean(axis=1, keepdims=True)
    scale = np.square(Xhat).mean(axis=1, keepdims=True)
    scale += LAYERNORM_EPS
    np.sqrt(scale, out=scale)
    np.reciprocal(scale, out=scale)
    Xhat *= scale
    Y = Xhat * G
    Y += b
    return Y, (Xhat, scale)


def backprop_layernorm(dY: Array, kept: tuple[Array, Array], G: Array, dG: Array, db: Array) -> Array:
    """With `d = dY * G`: `(d - mean(d) - Xhat * mean(d * Xhat)) / sqrt(var + 1e-8)` over each row."""
    Xhat, scale = kept
    db += dY.sum(axis=0)
    product = dY * Xhat
    dG += product.sum(axis=0)
    product *= G
    dX: Array = dY * G
    dX -= dX.mean(axis=1, keepdims=True)
    dX -= Xhat * product.mean(axis=1, keepdims=True)
    dX *= scale
    return dX
