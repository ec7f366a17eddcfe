"""The clipped linear layer."""

from __future__ import annotations

from functools import partial

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError
from trainer_cli.initializers import Initializer, glorot_uniform_init, zero_init
from trainer_cli.layers.dense import affine, dense
from trainer_cli.layers.dropout import checked
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import require_numbers
from trainer_cli.schedules.schedule import Schedule


@registry.layers("ClippedLinear.v1")
def ClippedLinear(
    nO: int | None = None,
    nI: int | None = None,
    *,
    init_W: Initializer = glorot_uniform_init,
    init_b: Initializer = zero_init,
    dropout: float | Schedule | None = None,
    normalize: bool = False,
    slope: float = 1.0,
    offset: float = 0.0,
    min_val: float = 0.0,
    max_val: float = 1.0,
) -> Model:
    """A scaled and shifted affine layer within limits: `Y = min(max_val, max(min_val, slope * Z + offset))`.

    `Z = X @ W.T + b`; X is (B, nI), Y is (B, nO); W is (nO, nI), b is (nO,). Sizes left out are inferred from data.
    `normalize` puts a LayerNorm behind the activation, `dropout` drops outputs in training.
    ArgumentError: slope is 0, or min_val is not below max_val.
    """
    require_numbers("ClippedLinear.v1", slope=slope, offset=offset, min_val=min_val, max_val=max_val)
    if slope == 0:
        raise ArgumentError("ClippedLinear.v1: slope must not be 0: every output would be the same")
    if not min_val < max_val:
        raise ArgumentError(f"ClippedLinear.v1: min_val must be below max_val, got {min_val} and {max_val}")
    return dense(
        "ClippedLinear.v1",
        forward,
        init_W,
        init_b,
        {"nO": nO, "nI": nI},
        normalize=normalize,
        dropout=checked(dropout),
        slope=slope,
        offset=offset,
        min_val=min_val,
        max_val=max_val,
    )


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    """The formula above with the slope, the offset and the limits in the layer's attributes."""
    ops, found = model.ops, model.attrs
    limits = {name: found[name] for name in ("slope", "min_val", "max_val")}
    return affine(
        model,
        X,
        is_train,
        partial(ops.clipped_linear, **limits, offset=found["offset"]),
        partial(ops.backprop_clipped_linear, **limits),
    )
