"""The hard sigmoid layer."""

from __future__ import annotations

from trainer_cli.initializers import Initializer, glorot_uniform_init, zero_init
from trainer_cli.layers.clipped_linear import forward
from trainer_cli.layers.dense import dense
from trainer_cli.layers.dropout import checked
from trainer_cli.model import Model
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule


@registry.layers("HardSigmoid.v1")
def HardSigmoid(
    nO: int | None = None,
    nI: int | None = None,
    *,
    init_W: Initializer = glorot_uniform_init,
    init_b: Initializer = zero_init,
    dropout: float | Schedule | None = None,
    normalize: bool = False,
) -> Model:
    """A sigmoid in straight lines: `Y = min(1, max(0, 0.2 * Z + 0.5))`, `Z = X @ W.T + b`.

    X is (B, nI), Y is (B, nO); W is (nO, nI), b is (nO,). Sizes left out are inferred from data. `normalize` puts
    a LayerNorm behind the activation, `dropout` drops outputs in training.
    Gulcehre et al., "Noisy Activation Functions" (ICML 2016), arXiv:1603.00391; the slope is Theano's and Keras's.
    """
    return dense(
        "HardSigmoid.v1",
        forward,
        init_W,
        init_b,
        {"nO": nO, "nI": nI},
        normalize=normalize,
        dropout=checked(dropout),
        slope=0.2,
        offset=0.5,
        min_val=0.0,
        max_val=1.0,
    )
