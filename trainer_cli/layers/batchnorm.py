"""Batch normalisation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.initializers import zero_init
from trainer_cli.layers.images import check_channels
from trainer_cli.layers.inputs import as_floats, as_gradient, describe, kind, sizes
from trainer_cli.layers.layernorm import ones
from trainer_cli.layers.rowwise import rowwise, rowwise_init
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import is_number


@registry.layers("BatchNorm.v1")
def BatchNorm(nI: int | None = None, *, momentum: float = 0.9, eps: float = 1e-5) -> Model:
    """Give each feature mean 0 and variance 1, then scale and shift: `Y = (X - mean) / sqrt(variance + eps) * G + b`.

    X and Y are (B, ..., nI): rows, images, sequences or ragged rows, whose last axis has the features; G (ones at
    first) and b (zeros) are (nI,). In training mean and variance are those of all that the batch (or micro-batch) has,
    and the buffers become `momentum * buffer + (1 - momentum) * statistic`, with n / (n - 1) times the variance of n
    numbers; in prediction they are the buffers. Ioffe and Szegedy, "Batch Normalization" (2015), arXiv:1502.03167.

    A feature that has one number alone has no variance: then it is `(X - buffer mean) / sqrt(buffer variance + eps)` in
    training as well, and the buffers stay as they are.
    """
    if not is_number(momentum) or not 0 <= momentum < 1:
        raise ArgumentError(f"BatchNorm.v1: momentum must be at least 0 and below 1, got {momentum!r}")
    if not is_number(eps) or eps <= 0:
        raise ArgumentError(f"BatchNorm.v1: eps must be above 0, got {eps!r}")
    return Model(
        "batchnorm",
        rowwise(forward),
        init=rowwise_init(init),
        dims=sizes("BatchNorm.v1", nI=nI),
        params=("G", "b"),
        no_decay=("G", "b"),
        buffers=("mean", "variance"),
        attrs={"layer": "BatchNorm.v1", "momentum": momentum, "eps": eps},
    )


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    X = as_features(model, X)
    n = X.size // X.shape[-1]
    if not is_train or n < 2:
        return with_buffers(model, X)
    mean = total(X) / X.dtype.type(n)
    Xhat = X - mean
    variance = total(np.square(Xhat)) / X.dtype.type(n)
    remember(model, "mean", mean)
    remember(model, "variance", variance * X.dtype.type(n / (n - 1)))
    scale = 1 / np.sqrt(variance + X.dtype.type(model.attrs["eps"]))
    Xhat *= scale
    Y = Xhat * model.get_param("G")
    Y += model.b

    def backprop(dY: Any) -> Array:
        """`(dY - mean(dY) - Xhat * mean(dY * Xhat)) * G / sqrt(variance + eps)`, the means over the batch."""
        dY = as_gradient(model, dY, Y)
        db, dG = total(dY), total(dY * Xhat)
        model.grad.b += db
        model.grad.G += dG
        dX: Array = Xhat * (dG / X.dtype.type(-n))
        dX += dY
        dX -= db / X.dtype.type(n)
        dX *= model.G * scale
        return dX

    return Y, backprop


def with_buffers(model: Model, X: Array) -> tuple[Array, Backprop]:
    """The layer as it predicts, a straight line for each feature; `dX = dY * G / sqrt(variance + eps)`."""
    scale = 1 / np.sqrt(model.get_buffer("variance") + X.dtype.type(model.attrs["eps"]))
    Xhat = (X - model.get_buffer("mean")) * scale
    Y = Xhat * model.get_param("G") + model.b

    def backprop(dY: Any) -> Array:
        dY = as_gradient(model, dY, Y)
        model.grad.b += total(dY)
        model.grad.G += total(dY * Xhat)
        dX: Array = dY * (model.G * scale)
        return dX

    return Y, backprop


def remember(model: Model, name: str, statistic: Array) -> None:
    buffer, momentum = model.fresh_buffer(name), model.attrs["momentum"]
    buffer *= momentum
    buffer += (1 - momentum) * statistic


def total(X: Array) -> Array:
    """The sum of each feature: first of each row of the batch, so that long sums in float32 lose little."""
    sums: Array = X.reshape(len(X), math.prod(X.shape[1:-1]), X.shape[-1]).sum(axis=1).sum(axis=0)
    return sums


def as_features(model: Model, X: Any) -> Array:
    if not isinstance(X, np.ndarray) or X.ndim < 2:
        raise ShapeError(f"{model.where}: {kind(model)} takes an array (B, ..., nI), got {describe(X)}")
    check_channels(model, X)
    return as_floats(model, X)


def init(model: Model, X: Any, Y: Any) -> None:
    if X is not None:
        model.set_dim("nI", as_features(model, X).shape[-1])
    shape = (model.get_dim("nI"),)
    model.draw("G", ones, shape)
    model.draw("b", zero_init, shape)
    model.set_buffer("mean", np.zeros(shape))
    model.set_buffer("variance", np.ones(shape))
