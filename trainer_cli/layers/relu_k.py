"""The rectified linear layer with a limit."""

from __future__ import annotations

from trainer_cli.errors import ArgumentError
from trainer_cli.initializers import Initializer, glorot_uniform_init, zero_init
from trainer_cli.layers.clipped_linear import forward
from trainer_cli.layers.dense import dense
from trainer_cli.layers.dropout import checked
from trainer_cli.model import Model
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule


@registry.layers("ReluK.v1")
def ReluK(
    nO: int | None = None,
    nI: int | None = None,
    *,
    init_W: Initializer = glorot_uniform_init,
    init_b: Initializer = zero_init,
    dropout: float | Schedule | None = None,
    normalize: bool = False,
    k: float = 6.0,
) -> Model:
    """The positive part of an affine layer up to a limit: `Y = min(k, max(0, X @ W.T + b))`.

    X is (B, nI), Y is (B, nO); W is (nO, nI), b is (nO,). Sizes left out are inferred from data. `normalize` puts
    a LayerNorm behind the activation, `dropout` drops outputs in training.
    Krizhevsky, "Convolutional Deep Belief Networks on CIFAR-10" (2010), with k = 6. ArgumentError: k is not above 0.
    """
    if not k > 0:
        raise ArgumentError(f"ReluK.v1: k must be above 0, got {k}")
    return dense(
        "ReluK.v1",
        forward,
        init_W,
        init_b,
        {"nO": nO, "nI": nI},
        normalize=normalize,
        dropout=checked(dropout),
        slope=1.0,
        offset=0.0,
        min_val=0.0,
        max_val=k,
    )
