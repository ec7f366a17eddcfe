"""Guesses, truths and weights that the tests of losses share, and every built-in loss with some of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trainer_cli import losses
from trainer_cli.arrays import Array
from trainer_cli.losses import Loss
from trainer_cli.registry import registry


def softmax(logits: Array) -> Array:
    exps = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exps / exps.sum(axis=1, keepdims=True))


LOGITS = np.random.default_rng(3).normal(size=(5, 4))
CLASSES = np.array([0, 3, 1, 1, 2])
ONE_HOT = np.eye(4)[CLASSES]
SOFT = softmax(np.random.default_rng(4).normal(size=(5, 4)))
WEIGHTS = np.array([0.5, 2.0, 0.0, 1.0, 1.25])
LABELS = np.random.default_rng(5).integers(0, 2, (5, 4))
P = softmax(LOGITS)

Case = tuple[Loss, Array, Array]


def v4(**arguments: Any) -> Loss:
    return losses.CategoricalCrossentropyV4(**arguments)


# By registered name, and what is set after a colon.
LOSSES: dict[str, Case] = {
    "CategoricalCrossentropy.v4": (v4(), P, CLASSES),
    "CategoricalCrossentropy.v4: smoothed": (v4(label_smoothing=0.1), P, SOFT),
    "CategoricalCrossentropy.v4: logits": (v4(from_logits=True), LOGITS, CLASSES),
    "CategoricalCrossentropy.v4: class weights": (v4(class_weights=[1.0, 3.0, 0.5, 2.0]), P, CLASSES),
    "Focal.v1": (losses.Focal(), P, CLASSES),
    "Focal.v1: logits": (losses.Focal(gamma=0.7, from_logits=True), LOGITS, ONE_HOT),
    "Focal.v1: class weights": (losses.Focal(class_weights=[1.0, 3.0, 0.5, 2.0]), P, CLASSES),
    "BinaryCrossentropy.v1": (losses.BinaryCrossentropy(), LOGITS, LABELS),
    "MeanSquaredError.v1": (losses.MeanSquaredError(), LOGITS, SOFT),
    "Huber.v1": (losses.Huber(delta=0.8), LOGITS, SOFT),
    "QuantileLoss.v1": (losses.QuantileLoss(quantile=0.3), LOGITS, SOFT),
    "CosineDistance.v1": (losses.CosineDistance(), LOGITS, SOFT),
    "CosineDistance.v1: sum": (losses.CosineDistance(normalize=False), LOGITS, SOFT),
    "L2Distance.v1": (losses.L2Distance(), LOGITS, SOFT),
    "L2Distance.v1: sum": (losses.L2Distance(normalize=False), LOGITS, SOFT),
    "CategoricalCrossentropy.v1": (registry.losses.get("CategoricalCrossentropy.v1")(), P, SOFT),
    "CategoricalCrossentropy.v1: sum": (registry.losses.get("CategoricalCrossentropy.v1")(normalize=False), P, SOFT),
    "CategoricalCrossentropy.v2": (registry.losses.get("CategoricalCrossentropy.v2")(missing_value=1), P, CLASSES),
    "CategoricalCrossentropy.v3": (losses.CategoricalCrossentropy(label_smoothing=0.1), P, CLASSES),
}
SEQUENCES = {f"SequenceCategoricalCrossentropy.v{version}" for version in (1, 2, 3)}
# These give the sum of the squared gradient as their value, as the reference does.
OF_SQUARES = [name for name in LOSSES if name.startswith(("L2", "CategoricalCrossentropy")) and ".v4" not in name]


def finite_differences(value: Callable[[Array], float], at: Array, eps: float = 1e-6) -> Array:
    grad = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        step = np.zeros_like(at)
        step[index] = eps
        grad[index] = (value(at + step) - value(at - step)) / (2 * eps)
    return grad


def check_gradient(loss: Loss, truths: Array, weights: Array | None) -> None:
    """The gradient is the value's; for a loss of probabilities that of the logits, through a softmax."""

    def outputs(logits: Array) -> Array:
        return softmax(logits) if loss.takes == "probabilities" else logits

    grad = loss.get_grad(outputs(LOGITS), truths, weights)
    assert grad.dtype == np.float64
    expected = finite_differences(lambda logits: loss.get_loss(outputs(logits), truths, weights), LOGITS)
    np.testing.assert_allclose(grad, expected, rtol=1e-6, atol=1e-9)
