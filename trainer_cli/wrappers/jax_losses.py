"""Losses as functions of JAX, each with the numbers of its class in `losses`, for a program that goes the whole way."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.losses.categorical_crossentropy_v4 import CategoricalCrossentropyV4
from trainer_cli.losses.l2_distance import FAILED, L2Distance
from trainer_cli.losses.loss import Loss
from trainer_cli.losses.mean import rows_mass
from trainer_cli.losses.mean_squared_error import NAME, MeanSquaredError
from trainer_cli.losses.smoothing import share_of_others
from trainer_cli.losses.truths import as_alike, as_weights
from trainer_cli.wrappers.padding import with_zeros


class Measure(NamedTuple):
    """What a program has of a loss, and what it takes for a batch.

    `function(Y, truths, shares)` gives the gradient of outputs (n, ...) and the value, both float32: sums are of that
    precision, where the loss itself adds up in float64. `key` is all that it depends on besides its arguments. `truths`
    are (B, ...) and `shares` (B,): what of the whole each row is.
    """

    key: Hashable
    function: Callable[[Any, Any, Any], tuple[Any, Any]]
    truths: Array
    shares: Array

    def padded(self, size: int) -> tuple[Array, Array]:
        """Truths and shares for so many rows, of which those behind the batch's have no share."""
        return with_zeros(self.truths, size), with_zeros(self.shares, size)


def has_measure(loss: Loss) -> bool:
    """Whether JAX may compute this loss. What a user has made from one of these computes what it will."""
    return type(loss) in MEASURES


def measure_of(loss: Loss, shape: tuple[int, ...], truths: Any, weights: Any, share: float) -> Measure | None:
    """What computes the loss of a batch, a `share` of the whole, with outputs of this shape (B, ...).

    None: only the loss itself does. Truths and weights that do not fit are its errors.
    """
    return MEASURES[type(loss)](loss, shape, truths, weights, share)


def crossentropy(
    loss: CategoricalCrossentropyV4, shape: tuple[int, ...], truths: Any, weights: Any, share: float
) -> Measure | None:
    """Of class numbers; what takes probabilities, or distributions as truths, is left to the loss."""
    if not loss.from_logits or len(shape) != 2:
        return None
    truths, weights = loss.counted(shape, truths, weights)
    if truths.ndim != 1:
        return None
    smoothing = loss.label_smoothing
    other = share_of_others(type(loss).__name__, smoothing, shape[1])
    function = partial(of_classes, gold=1.0 - smoothing - other, other=other)
    shares = row_shares(len(truths), weights, rows_mass(truths, weights), share)
    return Measure((CategoricalCrossentropyV4, smoothing), function, truths.astype(np.int32), shares)


def of_classes(Y: Any, truths: Any, shares: Any, *, gold: float, other: float) -> tuple[Any, Any]:
    """Cross-entropy of logits (n, k) with `gold * y + other`, where y is one-hot."""
    import jax.numpy as jnp

    top = Y.max(axis=1, keepdims=True)
    E = jnp.exp(Y - top)
    total = E.sum(axis=1, keepdims=True)
    log_P = Y - top - jnp.log(total)
    is_truth = truths[:, None] == jnp.arange(Y.shape[1])
    nats = jnp.where(is_truth, log_P, 0.0).sum(axis=1) * -gold
    if other:
        nats -= other * log_P.sum(axis=1)
    return counting(E / total - gold * is_truth - other, shares), counting(nats, shares).sum()


def mean_squared_error(
    loss: MeanSquaredError, shape: tuple[int, ...], truths: Any, weights: Any, share: float
) -> Measure | None:
    found, weights = alike(NAME, shape, truths, weights)
    shares = row_shares(len(found), weights, loss.mass(found, weights), share)
    return Measure(MeanSquaredError, of_means, found, shares)


def of_means(Y: Any, truths: Any, shares: Any) -> tuple[Any, Any]:
    errors = (Y - truths).reshape(len(Y), -1)
    dY = counting(errors * (2.0 / errors.shape[1]), shares)
    return dY.reshape(Y.shape), counting((errors * errors).mean(axis=1), shares).sum()


def l2_distance(loss: L2Distance, shape: tuple[int, ...], truths: Any, weights: Any, share: float) -> Measure | None:
    found, weights = alike(FAILED, shape, truths, weights, may_be_flat=False)
    mass = loss.mass(found, weights)
    return Measure(
        L2Distance, of_distances, found, row_shares(len(found), weights, 1.0 if mass is None else mass, share)
    )


def of_distances(Y: Any, truths: Any, shares: Any) -> tuple[Any, Any]:
    dY = counting(Y - truths, shares)
    return dY, (dY * dY).sum()


MEASURES: dict[type[Loss], Callable[[Any, tuple[int, ...], Any, Any, float], Measure | None]] = {
    CategoricalCrossentropyV4: crossentropy,
    MeanSquaredError: mean_squared_error,
    L2Distance: l2_distance,
}


def counting(values: Any, shares: Any) -> Any:
    """Values (n, ...) times the shares of their rows (n,); where that is 0 also what is not finite is."""
    import jax.numpy as jnp

    shares = shares.reshape(-1, *[1] * (values.ndim - 1))
    return jnp.where(shares == 0, 0.0, values * shares)


def alike(
    name: str, shape: tuple[int, ...], truths: Any, weights: Any, *, may_be_flat: bool = True
) -> tuple[Array, Array | None]:
    """Truths in the shape of the outputs, and the weights of their rows."""
    outputs = np.broadcast_to(np.float32(0.0), shape)
    return as_alike(name, truths, outputs, may_be_flat=may_be_flat), as_weights(name, weights, shape[0])


def row_shares(n: int, weights: Array | None, mass: float, share: float) -> Array:
    """What each of `n` rows is of the whole (n,), where together they are a share of it."""
    each = share / (mass or 1.0)
    return np.full(n, each, np.float32) if weights is None else (weights.astype(np.float64) * each).astype(np.float32)
