"""RMSprop."""

from __future__ import annotations

from trainer_cli.ops import Ops
from trainer_cli.optimizers.hyper import Rate
from trainer_cli.optimizers.optimizer import Optimizer
from trainer_cli.optimizers.rule import Part, Rates, Rule
from trainer_cli.registry import registry


@registry.optimizers("RMSprop.v1")
def RMSprop(
    learn_rate: Rate = 0.01,
    *,
    L2: Rate = 0.0,
    beta2: Rate = 0.99,
    eps: Rate = 1e-8,
    grad_clip: Rate = 1.0,
    L2_is_weight_decay: bool = True,
    use_averages: bool = True,
) -> Optimizer:
    """Step by the gradient over the root of its running square (Tieleman and Hinton 2012, Coursera lecture 6.5).

    `v = beta2 v + (1 - beta2) g^2`, `w -= learn_rate * g / (sqrt(v) + eps)`; PyTorch calls beta2 `alpha`. Clipping,
    decay and averages as `Optimizer` says.
    """
    return Optimizer(
        learn_rate,
        rule=RMSpropRule(),
        L2=L2,
        beta2=beta2,
        eps=eps,
        grad_clip=grad_clip,
        L2_is_weight_decay=L2_is_weight_decay,
        use_averages=use_averages,
    )


class RMSpropRule(Rule):
    moments = ("v",)

    def move(self, ops: Ops, part: Part, rates: Rates) -> None:
        beta2, v = rates.beta2, part.moments["v"]
        ops.rmsprop(part.weights, part.gradient, v, beta2=beta2, gain2=1 - beta2, eps=rates.eps, rate=rates.learn_rate)
