"""Lion."""

from __future__ import annotations

from trainer_cli.ops import Ops
from trainer_cli.ops.updates import Means
from trainer_cli.optimizers.hyper import Rate
from trainer_cli.optimizers.optimizer import Optimizer
from trainer_cli.optimizers.rule import Part, Rates, Rule
from trainer_cli.registry import registry


@registry.optimizers("Lion.v1")
def Lion(
    learn_rate: Rate = 0.0001,
    *,
    weight_decay: Rate = 0.0,
    beta1: Rate = 0.9,
    beta2: Rate = 0.99,
    grad_clip: Rate = 1.0,
    use_averages: bool = True,
) -> Optimizer:
    """Step by the sign of the gradient's running mean: every weight moves by `learn_rate` (Chen et al. 2023).

    `w -= learn_rate * (weight_decay w + sign(beta1 m + (1 - beta1) g))`, then `m = beta2 m + (1 - beta2) g`
    (arXiv:2302.06675). The paper takes a rate three to ten times smaller than AdamW's and a decay as much larger.
    Biases and the parameters of normalisation do not shrink. Clipping and averages as `Optimizer` says.
    """
    return Optimizer(
        learn_rate,
        rule=LionRule(),
        weight_decay=weight_decay,
        beta1=beta1,
        beta2=beta2,
        grad_clip=grad_clip,
        use_averages=use_averages,
    )


class LionRule(Rule):
    moments = ("m",)

    def move(self, ops: Ops, part: Part, rates: Rates) -> None:
        means = Means(rates.beta1, 1 - rates.beta1, rates.beta2, 1 - rates.beta2)
        ops.lion(part.weights, part.gradient, part.moments["m"], means, rate=rates.learn_rate, shrink=rates.shrink)
