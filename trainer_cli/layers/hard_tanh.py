"""The hard tanh layer."""

from __future__ import annotations

from trainer_cli.initializers import Initializer, glorot_uniform_init, zero_init
from trainer_cli.layers.clipped_linear import forward
from trainer_cli.layers.dense import dense
from trainer_cli.layers.dropout import checked
from trainer_cli.model import Model
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule


@registry.layers("HardTanh.v1")
def HardTanh(
    nO: int | None = None,
    nI: int | None = None,
    *,
    init_W: Initializer = glorot_uniform_init,
    init_b: Initializer = zero_init,
    dropout: float | Schedule | None = None,
    normalize: bool = False,
) -> Model:
    """A tanh in straight lines: `Y = min(1, max(-1, Z))`, `Z = X @ W.T + b`.

    X is (B, nI), Y is (B, nO); W is (nO, nI), b is (nO,). Sizes left out are inferred from data. `normalize` puts
    a LayerNorm behind the activation, `dropout` drops outputs in training.
    Collobert, "Large Scale Machine Learning" (thesis, 2004).
    """
    return dense(
        "HardTanh.v1",
        forward,
        init_W,
        init_b,
        {"nO": nO, "nI": nI},
        normalize=normalize,
        dropout=checked(dropout),
        slope=1.0,
        offset=0.0,
        min_val=-1.0,
        max_val=1.0,
    )
