"""The hard swish layer of MobileNet."""

from __future__ import annotations

from trainer_cli.initializers import Initializer, he_normal_init, zero_init
from trainer_cli.layers.dense import dense
from trainer_cli.layers.dropout import checked
from trainer_cli.layers.hard_swish import forward
from trainer_cli.model import Model
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule


@registry.layers("HardSwishMobilenet.v1")
def HardSwishMobilenet(
    nO: int | None = None,
    nI: int | None = None,
    *,
    init_W: Initializer = he_normal_init,
    init_b: Initializer = zero_init,
    dropout: float | Schedule | None = None,
    normalize: bool = False,
) -> Model:
    """Swish in straight lines, as in MobileNetV3: `Y = Z * min(6, max(0, Z + 3)) / 6`, `Z = X @ W.T + b`.

    X is (B, nI), Y is (B, nO); W is (nO, nI), b is (nO,). Sizes left out are inferred from data. `normalize` puts
    a LayerNorm behind the activation, `dropout` drops outputs in training.
    Howard et al., "Searching for MobileNetV3" (ICCV 2019), arXiv:1905.02244.
    """
    return dense(
        "HardSwishMobilenet.v1",
        forward,
        init_W,
        init_b,
        {"nO": nO, "nI": nI},
        normalize=normalize,
        dropout=checked(dropout),
        slope=1 / 6,
    )
