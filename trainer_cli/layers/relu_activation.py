"""The positive part, without weights."""

from __future__ import annotations

from trainer_cli.layers.activation import activation
from trainer_cli.model import Model
from trainer_cli.registry import registry


@registry.layers("relu_activation.v1")
def relu_activation() -> Model:
    """The positive part of each number: `Y = max(0, X)`; X and Y are (B, ...)."""
    return activation("relu_activation.v1", "relu")
