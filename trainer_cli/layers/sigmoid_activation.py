"""The logistic function without weights."""

from __future__ import annotations

from trainer_cli.layers.activation import activation
from trainer_cli.model import Model
from trainer_cli.registry import registry


@registry.layers("sigmoid_activation.v1")
def sigmoid_activation() -> Model:
    """The logistic function of each number: `Y = 1 / (1 + exp(-X))`; X and Y are (B, ...)."""
    return activation("sigmoid_activation.v1", "sigmoid", output="sigmoid")


@registry.layers("Logistic.v1")
def Logistic() -> Model:
    """The same as `sigmoid_activation.v1`, under the name that Thinc had for it at first."""
    return activation("Logistic.v1", "sigmoid", output="sigmoid")
