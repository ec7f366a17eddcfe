"""Adagrad."""

from __future__ import annotations

from trainer_cli.ops import Ops
from trainer_cli.optimizers.hyper import Rate
from trainer_cli.optimizers.optimizer import Optimizer
from trainer_cli.optimizers.rule import Part, Rates, Rule
from trainer_cli.registry import registry


@registry.optimizers("Adagrad.v1")
def Adagrad(
    learn_rate: Rate = 0.01,
    *,
    L2: Rate = 0.0,
    eps: Rate = 1e-10,
    grad_clip: Rate = 1.0,
    L2_is_weight_decay: bool = True,
    use_averages: bool = True,
) -> Optimizer:
    """Step by the gradient over the root of the sum of all its squares so far (Duchi, Hazan and Singer 2011, JMLR 12).

    `v += g^2`, `w -= learn_rate * g / (sqrt(v) + eps)`. Clipping, decay and averages as `Optimizer` says.
    """
    return Optimizer(
        learn_rate,
        rule=AdagradRule(),
        L2=L2,
        eps=eps,
        grad_clip=grad_clip,
        L2_is_weight_decay=L2_is_weight_decay,
        use_averages=use_averages,
    )


class AdagradRule(Rule):
    moments = ("v",)

    def move(self, ops: Ops, part: Part, rates: Rates) -> None:
        ops.adagrad(part.weights, part.gradient, part.moments["v"], eps=rates.eps, rate=rates.learn_rate)
