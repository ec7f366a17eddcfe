"""Adam."""

from __future__ import annotations

from trainer_cli.optimizers.hyper import Rate
from trainer_cli.optimizers.optimizer import Optimizer
from trainer_cli.registry import registry


@registry.optimizers("Adam.v1")
def Adam(
    learn_rate: Rate = 0.001,
    *,
    L2: Rate = 0.0,
    beta1: Rate = 0.9,
    beta2: Rate = 0.999,
    eps: Rate = 1e-8,
    grad_clip: Rate = 1.0,
    L2_is_weight_decay: bool = True,
    use_averages: bool = True,
) -> Optimizer:
    """Step by the gradient's running mean over the root of its running square (Kingma and Ba 2015, arXiv:1412.6980).

    `m = beta1 m + (1 - beta1) g`, `v = beta2 v + (1 - beta2) g^2`,
    `w -= learn_rate * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + eps)`: the form of the paper's section 2,
    where `eps` stands beside the uncorrected root. As in thinc 8.1.7, `beta2 = 0` makes it plain gradient descent.
    Clipping, decay and averages as `Optimizer` says.
    """
    return Optimizer(
        learn_rate,
        L2=L2,
        beta1=beta1,
        beta2=beta2,
        eps=eps,
        grad_clip=grad_clip,
        L2_is_weight_decay=L2_is_weight_decay,
        use_averages=use_averages,
    )
