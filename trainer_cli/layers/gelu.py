"""The Gaussian error linear layer."""

from __future__ import annotations

from trainer_cli.arrays import Array
from trainer_cli.initializers import Initializer, he_normal_init, zero_init
from trainer_cli.layers.dense import affine, dense
from trainer_cli.layers.dropout import checked
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule


@registry.layers("Gelu.v1")
def Gelu(
    nO: int | None = None,
    nI: int | None = None,
    *,
    init_W: Initializer = he_normal_init,
    init_b: Initializer = zero_init,
    dropout: float | Schedule | None = None,
    normalize: bool = False,
) -> Model:
    """An affine layer weighted by the normal distribution: `Y = Z * P(Z)`, `Z = X @ W.T + b`, P the standard normal's.

    X is (B, nI), Y is (B, nO); W is (nO, nI), b is (nO,). Sizes left out are inferred from data. `normalize` puts
    a LayerNorm behind the activation, `dropout` drops outputs in training.
    Hendrycks and Gimpel, "Gaussian Error Linear Units" (2016), arXiv:1606.08415; the exact form, not the tanh one.
    """
    return dense(
        "Gelu.v1", forward, init_W, init_b, {"nO": nO, "nI": nI}, normalize=normalize, dropout=checked(dropout)
    )


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    return affine(model, X, is_train, model.ops.gelu, model.ops.backprop_gelu)
