"""The softmax layer."""

from __future__ import annotations

from trainer_cli.arrays import Array
from trainer_cli.initializers import Initializer, zero_init
from trainer_cli.layers.dense import affine, dense
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry


@registry.layers("Softmax.v1")
def Softmax(
    nO: int | None = None,
    nI: int | None = None,
    *,
    init_W: Initializer = zero_init,
    init_b: Initializer = zero_init,
) -> Model:
    """Probabilities of classes from an affine layer: `Y = exp(Z) / sum(exp(Z))` over each row, `Z = X @ W.T + b`.

    X is (B, nI), Y is (B, nO); W is (nO, nI), b is (nO,). Sizes left out are inferred from data.
    Backprop takes the gradient of the *logits* Z, which is what the cross-entropies give (p - y), and passes it on:
    the layer belongs before a cross-entropy and before nothing else. Bridle, "Training Stochastic Model Recognition
    Algorithms as Networks can Lead to Maximum Mutual Information Estimation of Parameters" (NIPS 1989).
    """
    return dense("Softmax.v1", forward, init_W, init_b, {"nO": nO, "nI": nI}, output="softmax")


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    return affine(model, X, is_train, model.ops.softmax, model.ops.backprop_bias)
