"""Stochastic gradient descent."""

from __future__ import annotations

from trainer_cli.optimizers.hyper import Rate
from trainer_cli.optimizers.optimizer import Optimizer
from trainer_cli.registry import registry


@registry.optimizers("SGD.v1")
def SGD(
    learn_rate: Rate,
    *,
    L2: Rate = 0.0,
    grad_clip: Rate = 1.0,
    L2_is_weight_decay: bool = True,
    use_averages: bool = True,
) -> Optimizer:
    """Step against the gradient: `w -= learn_rate * g`. Clipping, decay and averages as `Optimizer` says."""
    return Optimizer(
        learn_rate,
        L2=L2,
        beta1=0.0,
        beta2=0.0,
        grad_clip=grad_clip,
        L2_is_weight_decay=L2_is_weight_decay,
        use_averages=use_averages,
    )
