"""Rectified Adam."""

from __future__ import annotations

from trainer_cli.optimizers.hyper import Rate
from trainer_cli.optimizers.optimizer import Optimizer
from trainer_cli.registry import registry


@registry.optimizers("RAdam.v1")
def RAdam(
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
    """Adam whose first steps are held back until the running square can be trusted (Liu et al. 2020, arXiv:1908.03265).

    With `rho_max = 2 / (1 - beta2) - 1` and `rho = rho_max - 2 t beta2^t / (1 - beta2^t)`: from rho >= 5 on the step is
    Adam's times `sqrt((rho - 4)(rho - 2) rho_max / ((rho_max - 4)(rho_max - 2) rho))`; before,
    `w -= learn_rate * m / (1 - beta1^t)`. As in thinc 8.1.7, t is one more than the number of updates, this one
    included (in the paper it is that number). Clipping, decay and averages as `Optimizer` says.
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
        use_radam=True,
    )
